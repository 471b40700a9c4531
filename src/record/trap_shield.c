// SPDX-License-Identifier: Apache-2.0
// A tracer that dies leaves each thread that stood in a trap with the SIGTRAP still to come, and debug registers as they
// were. The kernel hands that signal to the handler with the thread's state, which the handler may change.
// Layouts: struct kernel_sigaction of the kernel's signal_types.h (as rt_sigaction has it), siginfo of
// asm-generic/siginfo.h, ucontext and sigcontext of arch/x86/include/uapi/asm.
#include "record/trap_shield.h"

#include "evidence/process/proc_maps.h"
#include "record/assembly.h"
#include "record/tracee_thread.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define PAGE             4096u
#define MAGIC            0x646c656968732d66ull
#define HANDLERS_NONE    1 /* SIG_DFL and SIG_IGN are not above */
#define SIGNAL_SET_BYTES 8
#define SIGINFO_CODE     8
#define CONTEXT_RIP      168
#define SETTLE_TRIES     200
#define SETTLE_MS        5
#define ENTRIES_MAX      8

struct kernel_action {
	uint64_t handler, flags, restorer, mask;
};

/** What stands behind the code's page. */
struct shield_data {
	uint64_t magic;
	struct kernel_action now, before, ours;
};

static uint64_t data_at(uint64_t page) { return page + PAGE; }

static struct error *set_action(struct tracee *tracee, uint64_t new, uint64_t ret_old)
{
	uint64_t ignored;

	return tracee_call(tracee, "handle SIGTRAP", SYS_rt_sigaction,
			   (uint64_t[6]){SIGTRAP, new, ret_old, SIGNAL_SET_BYTES}, &ignored);
}

static bool read_data_of(pid_t pid, uint64_t page, struct shield_data *ret)
{
	struct iovec here = {ret, sizeof(*ret)};
	struct iovec there = {(void *)(uintptr_t)data_at(page), sizeof(*ret)};

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)sizeof(*ret) &&
	       ret->magic == MAGIC;
}

static bool read_data(const struct tracee *tracee, uint64_t page, struct shield_data *ret)
{
	return read_data_of(tracee_pid(tracee), page, ret);
}

struct error *trap_shields_left(pid_t pid, struct trap_shield ret[TRAP_SHIELDS_MAX],
				size_t *ret_count)
{
	scoped(proc_maps) struct proc_maps maps = {0};

	*ret_count = 0;
	TRY(proc_maps_read(pid, &maps));
	for (guint i = 0; i < maps.list->len && *ret_count < TRAP_SHIELDS_MAX; i++) {
		const struct proc_mapping *m = proc_maps_at(maps.list, i);
		struct shield_data data;

		if (m->executable && !m->is_file && m->end - m->start == PAGE &&
		    read_data_of(pid, m->start, &data))
			ret[(*ret_count)++].page = m->start;
	}
	return NULL;
}

struct error *trap_shield_room(struct tracee *tracee, const uint64_t *entries, size_t count,
			       struct trap_shield *ret)
{
	scoped(proc_maps) struct proc_maps maps = {0};
	uint64_t low = UINT64_MAX, high = 0;

	*ret = (struct trap_shield){0};
	TRY(proc_maps_read(tracee_pid(tracee), &maps));
	for (size_t i = 0; i < count; i++) {
		low = MIN(low, entries[i]);
		high = MAX(high, entries[i]);
	}
	ret->page = proc_maps_room_near(maps.list, low, high + INSTRUCTION_BYTES_MAX, 2 * PAGE);
	if (!ret->page)
		return error_new(ERROR_UNSUPPORTED, place_whole(tracee_name(tracee)),
				 "has no free memory within reach of its code");
	return NULL;
}

static struct error *map(struct tracee *tracee, uint64_t page)
{
	struct error *error;

	TRY(tracee_map(tracee, page, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		       UINT64_MAX));
	error = tracee_map(tracee, data_at(page), PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX);
	if (error)
		error_free(tracee_unmap(tracee, page, PAGE));
	return error;
}

/* The handler: EDI the signal, RSI its siginfo, RDX the thread's state; RAX and RCX are free */

static void emit_case(struct assembly *a, int code, struct label *label)
{
	emit_alu_constant(a, WIDTH_32, ALU_CMP, RAX, code);
	emit_branch(a, IF_EQUAL, label);
}

/** When the thread stands on the breakpoint, or behind its one byte. */
static void emit_entry(struct assembly *a, uint64_t entry, struct label *label)
{
	emit_set(a, RCX, entry);
	emit_alu(a, WIDTH_64, ALU_CMP, RAX, RCX);
	emit_branch(a, IF_EQUAL, label);
	emit_alu_constant(a, WIDTH_64, ALU_ADD, RCX, 1);
	emit_alu(a, WIDTH_64, ALU_CMP, RAX, RCX);
	emit_branch(a, IF_EQUAL, label);
}

static void emit_passed(struct assembly *a)
{
	static const uint8_t give_back = 0xc3;

	assembly_raw(a, &give_back, 1);
}

static void emit_dispatch(struct assembly *a, const uint64_t *entries, size_t count,
			  uint64_t before, struct label *over)
{
	static const uint8_t jump_rax[] = {0xff, 0xe0};
	struct label forget = {0}, breakpoint = {0}, theirs = {0};

	emit_load(a, WIDTH_32, RAX, RSI, SIGINFO_CODE);
	emit_case(a, TRAP_TRACE, &forget);
	emit_case(a, TRAP_HWBKPT, &forget);
	emit_case(a, TRAP_BRKPT, &breakpoint);
	emit_case(a, SI_KERNEL, &breakpoint);
	emit_jump(a, &theirs);
	label_place(a, &breakpoint);
	emit_load(a, WIDTH_64, RAX, RDX, CONTEXT_RIP);
	for (size_t i = 0; i < count; i++)
		emit_entry(a, entries[i], &over[i]);
	label_place(a, &theirs);
	emit_set(a, RAX, before);
	assembly_raw(a, jump_rax, sizeof(jump_rax));
	label_place(a, &forget);
	emit_passed(a);
}

/** The instruction under a breakpoint, for a thread that is to go on there, and the way to it. */
static void emit_over(struct assembly *a, struct decoder *decoder, uint64_t entry,
		      const uint8_t *bytes, struct label *over)
{
	struct instruction in;
	uint64_t copy;

	if (!decoder_next(decoder, bytes, INSTRUCTION_BYTES_MAX, entry, &in)) {
		a->failed = true;
		return;
	}
	assembly_align(a, 16);
	copy = assembly_here(a);
	assembly_displaced(a, decoder, bytes, in.size, entry);
	emit_jump_to(a, entry + in.size);
	label_place(a, over);
	emit_address_of(a, RAX, copy);
	emit_store(a, WIDTH_64, RDX, CONTEXT_RIP, RAX);
	emit_passed(a);
}

static struct error *write_handler(struct tracee *tracee, uint64_t page, const uint64_t *entries,
				   size_t count, uint64_t before)
{
	scoped(decoder) struct decoder *decoder = decoder_new();
	struct label over[ENTRIES_MAX] = {0};
	uint8_t code[PAGE];
	struct assembly a = {
		.bytes = code, .room = sizeof(code), .address = page, .failed = !decoder};

	emit_dispatch(&a, entries, count, before, over);
	for (size_t i = 0; i < count && !a.failed; i++) {
		uint8_t bytes[INSTRUCTION_BYTES_MAX];

		a.failed = !tracee_read(tracee, entries[i], bytes, sizeof(bytes));
		if (!a.failed)
			emit_over(&a, decoder, entries[i], bytes, &over[i]);
	}
	if (a.failed)
		return error_new(ERROR_UNSUPPORTED, place_whole(tracee_name(tracee)),
				 "the code at its fatal error is not understood");
	return tracee_write(tracee, page, code, a.size);
}

/** @param ret_left  where the shield of a killed tracer stands; 0 when there is none */
static struct error *find_before(struct tracee *tracee, uint64_t page, struct kernel_action *ret,
				 uint64_t *ret_left)
{
	struct shield_data data = {.magic = MAGIC}, left;

	*ret_left = 0;
	TRY(tracee_write(tracee, data_at(page), &data, sizeof(data)));
	TRY(set_action(tracee, 0, data_at(page) + offsetof(struct shield_data, now)));
	if (!read_data(tracee, page, &data) || data.now.handler <= HANDLERS_NONE)
		return error_new(ERROR_NOT_FOUND, place_whole(tracee_name(tracee)),
				 "does not handle traps");
	*ret = data.now;
	if (data.now.handler % PAGE == 0 && read_data(tracee, data.now.handler, &left)) {
		*ret_left = data.now.handler;
		*ret = left.before;
	}
	return NULL;
}

static struct error *install(struct tracee *tracee, uint64_t page, const uint64_t *entries,
			     size_t count)
{
	struct shield_data data = {.magic = MAGIC};
	uint64_t left;

	TRY(find_before(tracee, page, &data.before, &left));
	TRY(write_handler(tracee, page, entries, count, data.before.handler));
	data.ours = data.before;
	data.ours.handler = page;
	TRY(tracee_write(tracee, data_at(page), &data, sizeof(data)));
	TRY(set_action(tracee, data_at(page) + offsetof(struct shield_data, ours), 0));
	if (left && !tracee_is_inside(tracee, left, left + PAGE))
		error_free(tracee_unmap(tracee, left, 2 * PAGE));
	return NULL;
}

struct error *trap_shield_raise(struct trap_shield *shield, struct tracee *tracee,
				const uint64_t *entries, size_t count)
{
	uint64_t page = shield->page;
	struct error *error;

	g_assert(count && count <= ENTRIES_MAX);
	shield->page = 0;
	TRY(map(tracee, page));
	error = install(tracee, page, entries, count);
	if (!error)
		shield->page = page;
	else if (tracee_is_held(tracee))
		error_free(tracee_unmap(tracee, page, 2 * PAGE));
	return error;
}

/** Lets the process run for moments until no thread has a trap before it, or is on its way out of one. */
static bool settle(struct tracee *tracee, uint64_t page)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		scoped(error) struct error *error = NULL;

		if (!tracee_has_traps(tracee) && !tracee_is_inside(tracee, page, page + PAGE))
			return true;
		error = tracee_run_for(tracee, SETTLE_MS);
		if (error)
			return false;
	}
	return false;
}

/** One whose tracer was killed before it had written anything. */
static void drop_blank(struct tracee *tracee, uint64_t page)
{
	scoped(proc_maps) struct proc_maps maps = {0};
	scoped(error) struct error *error = proc_maps_read(tracee_pid(tracee), &maps);

	for (guint i = 0; !error && i < maps.list->len; i++) {
		const struct proc_mapping *m = proc_maps_at(maps.list, i);

		if (m->start == page && m->executable && !m->is_file) {
			error = tracee_unmap(tracee, page, 2 * PAGE);
			return;
		}
	}
}

void trap_shield_drop(struct trap_shield *shield, struct tracee *tracee)
{
	scoped(error) struct error *error = NULL;
	uint64_t page = shield->page, data = data_at(page);
	struct shield_data there;

	shield->page = 0;
	if (!page || !tracee_is_held(tracee))
		return;
	error = tracee_stop(tracee);
	if (error)
		return;
	if (!read_data(tracee, page, &there)) {
		drop_blank(tracee, page);
		return;
	}
	if (!settle(tracee, page))
		return; // it does no harm where it is
	error = set_action(tracee, 0, data + offsetof(struct shield_data, now));
	if (error || !read_data(tracee, page, &there))
		return;
	if (there.now.handler == page)
		error = set_action(tracee, data + offsetof(struct shield_data, before), 0);
	else if (there.before.handler && there.now.handler != there.before.handler)
		return; // somebody has put another before it
	if (!error)
		error = tracee_unmap(tracee, page, 2 * PAGE);
}
