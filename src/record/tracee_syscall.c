// SPDX-License-Identifier: Apache-2.0
// A system call by a thread of the process. The thread is pointed at a `syscall; ret` that its code
// holds anyway, with a return address that leads to the code's rt_sigreturn and a signal frame made of the
// thread's own state above it. While the tracer lives it puts everything back itself; should it be
// killed in the middle, the thread returns through the frame to where it was.
// Layouts: struct rt_sigframe and ucontext of arch/x86/include/asm/sigframe.h and asm/ucontext.h,
// struct _fpx_sw_bytes of asm/sigcontext.h.
#include "evidence/process/proc_maps.h"
#include "record/tracee_thread.h"

#include <elf.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define SCAN_BYTES       (1u << 20)
#define GADGET_BYTES_MAX 9
#define PLACE_BYTES      (16u << 10) /* for a frame, at the far end of the main thread's stack */
#define STACK_BYTES_MIN  (4 * PLACE_BYTES)
#define SETTLE_TRIES_MAX 1000
#define SETTLE_MS        1
#define XSTATE_BYTES_MAX (15u << 10)
#define XSTATE_ALIGN     64
#define CONTEXT_FLAGS    7 /* UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS */
#define SW_OFFSET        464
#define SW_BYTES         48
#define SW_MAGIC1        0x46505853u
#define SW_MAGIC2        0x46505845u
#define RESTART_BLOCK    (-516) /* ERESTART_RESTARTBLOCK, the first of its kind */
#define RESTART_LAST     (-512)
#define TRACED_CALL      (SIGTRAP | 0x80)
#define MASK_BYTES       sizeof(uint64_t)
#define TRIES_MAX        100
#define ERRORS_MAX       4096     /* a result below is -errno */
#define MAP_AT_EXACTLY   0x100000 /* MAP_FIXED_NOREPLACE */

/** What the kernel reads at rt_sigreturn, from the stack pointer on. */
struct signal_context {
	uint64_t flags, link, stack[3];
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
	uint64_t eflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trap, old_mask, cr2, fpstate, reserved[8];
	uint64_t mask;
};

/** The return address of the gadget, then the frame. */
struct stack_image {
	uint64_t sigreturn;
	struct signal_context context;
};

/** A thread on loan, and where its frame goes. */
struct loan {
	struct tracee_thread *thread;
	struct user_regs_struct registers;
	uint64_t frame;
};

static const struct {
	uint8_t bytes[GADGET_BYTES_MAX];
	uint8_t size;
	bool is_sigreturn;
} gadgets[] = {
	{{0x0f, 0x05, 0xc3}, 3, false},
	{{0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}, 9, true},
	{{0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05}, 7, true},
};

static void scan_piece(struct tracee *tracee, uint64_t address, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(gadgets); i++) {
		uint64_t *found = gadgets[i].is_sigreturn ? &tracee->gadgets.sigreturn
							  : &tracee->gadgets.syscall;
		const uint8_t *at =
			*found ? NULL : memmem(bytes, size, gadgets[i].bytes, gadgets[i].size);

		if (at)
			*found = address + (uint64_t)(at - bytes);
	}
}

static bool has_gadgets(const struct tracee *tracee)
{
	return tracee->gadgets.syscall && tracee->gadgets.sigreturn;
}

static void scan_code(struct tracee *tracee, uint64_t start, uint64_t end)
{
	g_autofree uint8_t *bytes = g_malloc(SCAN_BYTES + GADGET_BYTES_MAX);

	for (uint64_t at = start; at < end && !has_gadgets(tracee); at += SCAN_BYTES) {
		size_t size = MIN(end - at, SCAN_BYTES + GADGET_BYTES_MAX);

		if (tracee_read(tracee, at, bytes, size))
			scan_piece(tracee, at, bytes, size);
	}
}

/** Where the main thread's stack begins; 0 when there is none that is large enough. */
static uint64_t stack_in(const GArray *list)
{
	for (guint i = 0; i < list->len; i++) {
		const struct proc_mapping *m = proc_maps_at(list, i);

		if (g_str_equal(m->path, "[stack]"))
			return m->end - m->start >= STACK_BYTES_MIN ? m->start : 0;
	}
	return 0;
}

/** Finds both gadgets in executable mappings, and the main thread's stack. */
static struct error *look_around(struct tracee *tracee, uint64_t *ret_stack)
{
	scoped(proc_maps) struct proc_maps maps = {0};

	TRY(proc_maps_read(tracee->pid, &maps));
	*ret_stack = stack_in(maps.list);
	for (guint i = 0; i < maps.list->len && !has_gadgets(tracee); i++) {
		const struct proc_mapping *m = proc_maps_at(maps.list, i);

		if (m->readable && m->executable && !g_str_equal(m->path, "[vsyscall]"))
			scan_code(tracee, m->start, m->end);
	}
	if (has_gadgets(tracee) && *ret_stack)
		return NULL;
	return error_new(ERROR_UNSUPPORTED, place_whole(tracee->name),
			 "its code holds no system call that could be borrowed");
}

static bool is_in_restartable_call(const struct user_regs_struct *registers)
{
	int64_t result = (int64_t)registers->rax;

	return (int64_t)registers->orig_rax >= 0 && result >= RESTART_BLOCK &&
	       result <= RESTART_LAST;
}

/** How well a thread suits: best one that waits in a system call which starts anew by itself. */
static int fitness(const struct tracee_thread *thread, const struct user_regs_struct *registers)
{
	if (thread->pending || thread->signal || thread->group_stopped || thread->in_call)
		return -1;
	if (!is_in_restartable_call(registers))
		return 1;
	return (int64_t)registers->rax == RESTART_BLOCK ? 0 : 2;
}

static bool next_stopped(GHashTableIter *all, struct tracee_thread **ret,
			 struct user_regs_struct *ret_registers)
{
	gpointer value;

	while (g_hash_table_iter_next(all, NULL, &value)) {
		*ret = value;
		if ((*ret)->state == THREAD_STOPPED &&
		    ptrace(PTRACE_GETREGS, (*ret)->tid, NULL, ret_registers) == 0)
			return true;
	}
	return false;
}

static struct error *choose(struct tracee *tracee, uint64_t stack, struct loan *ret)
{
	struct user_regs_struct registers;
	struct tracee_thread *thread;
	GHashTableIter all;
	int best = -1;

	g_hash_table_iter_init(&all, tracee->threads);
	while (best < 2 && next_stopped(&all, &thread, &registers)) {
		if (fitness(thread, &registers) <= best)
			continue;
		best = fitness(thread, &registers);
		*ret = (struct loan){thread, registers, stack + sizeof(uint64_t)};
	}
	if (best >= 0)
		return NULL;
	return error_new(ERROR_UNSUPPORTED, place_whole(tracee->name),
			 "no thread of it can be borrowed: they are stopped by job control, or "
			 "about to make others");
}

static bool any_on_its_way(struct tracee *tracee, uint64_t stack)
{
	struct user_regs_struct registers;
	struct tracee_thread *thread;
	GHashTableIter all;

	g_hash_table_iter_init(&all, tracee->threads);
	while (stack && next_stopped(&all, &thread, &registers))
		if (registers.rsp - stack < PLACE_BYTES)
			return true;
	return false;
}

struct error *tracee_settle(struct tracee *tracee)
{
	scoped(proc_maps) struct proc_maps maps = {0};
	uint64_t stack;

	TRY(proc_maps_read(tracee->pid, &maps));
	stack = stack_in(maps.list);
	for (int i = 0; any_on_its_way(tracee, stack); i++) {
		if (i == SETTLE_TRIES_MAX)
			return error_new(ERROR_SYSTEM, place_whole(tracee->name),
					 "a thread of it does not get back from a system call");
		TRY(tracee_run_for(tracee, SETTLE_MS));
	}
	return NULL;
}

/** As the kernel would have made the interrupted call start anew (arch/x86/kernel/signal.c). */
static void rewind_call(struct signal_context *context, const struct user_regs_struct *registers)
{
	if (!is_in_restartable_call(registers))
		return;
	context->rip -= 2;
	context->rax = (int64_t)registers->rax == RESTART_BLOCK ? SYS_restart_syscall
								: registers->orig_rax;
}

/** The vector registers as a signal frame holds them. */
static struct error *write_xstate(struct tracee *tracee, pid_t tid, uint64_t at)
{
	uint64_t buffer[XSTATE_BYTES_MAX / sizeof(uint64_t)];
	struct iovec io = {buffer, sizeof(buffer) - sizeof(uint64_t)}; // room for the last magic
	uint8_t *bytes = (uint8_t *)buffer;
	uint32_t magic1 = SW_MAGIC1, magic2 = SW_MAGIC2, extended, size;
	uint64_t features;

	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_X86_XSTATE, &io) != 0 ||
	    io.iov_len < SW_OFFSET + SW_BYTES)
		return error_system(errno, place_whole(tracee->name),
				    "its vector registers cannot be read");
	size = (uint32_t)io.iov_len;
	extended = size + (uint32_t)sizeof(magic2);
	memcpy(&features, bytes + SW_OFFSET, sizeof(features)); // ptrace states them here
	memset(bytes + SW_OFFSET, 0, SW_BYTES);
	memcpy(bytes + SW_OFFSET, &magic1, sizeof(magic1));
	memcpy(bytes + SW_OFFSET + 4, &extended, sizeof(extended));
	memcpy(bytes + SW_OFFSET + 8, &features, sizeof(features));
	memcpy(bytes + SW_OFFSET + 16, &size, sizeof(size));
	memcpy(bytes + size, &magic2, sizeof(magic2));
	return tracee_write(tracee, at, bytes, extended);
}

static struct error *write_frame(struct tracee *tracee, const struct loan *loan)
{
	struct stack_image image = {.sigreturn = tracee->gadgets.sigreturn};
	const struct user_regs_struct *r = &loan->registers;
	struct signal_context *c = &image.context;
	uint64_t above = loan->frame + sizeof(image);
	pid_t tid = loan->thread->tid;

	c->flags = CONTEXT_FLAGS;
	c->r8 = r->r8, c->r9 = r->r9, c->r10 = r->r10, c->r11 = r->r11;
	c->r12 = r->r12, c->r13 = r->r13, c->r14 = r->r14, c->r15 = r->r15;
	c->rdi = r->rdi, c->rsi = r->rsi, c->rbp = r->rbp, c->rbx = r->rbx;
	c->rdx = r->rdx, c->rax = r->rax, c->rcx = r->rcx, c->rsp = r->rsp;
	c->rip = r->rip, c->eflags = r->eflags;
	c->cs = (uint16_t)r->cs, c->ss = (uint16_t)r->ss;
	rewind_call(c, r);
	if (ptrace(PTRACE_GETSIGMASK, tid, (void *)MASK_BYTES, &c->mask) != 0)
		return error_system(errno, place_whole(tracee->name), "cannot be borrowed");
	c->fpstate = (above + XSTATE_ALIGN - 1) & ~(uint64_t)(XSTATE_ALIGN - 1);
	TRY(write_xstate(tracee, tid, c->fpstate));
	return tracee_write(tracee, loan->frame, &image, sizeof(image));
}

static struct error *has_ended(const struct tracee *tracee)
{
	return error_new(ERROR_NOT_FOUND, place_whole(tracee->name),
			 "has ended while it was borrowed");
}

/** Runs on to the next entry into or exit from a system call. */
static struct error *run_to_call(struct tracee *tracee, struct tracee_thread *thread)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		int status;

		ptrace(PTRACE_SYSCALL, thread->tid, NULL, NULL);
		if (waitpid(thread->tid, &status, __WALL) != thread->tid || !WIFSTOPPED(status))
			return has_ended(tracee);
		if (status >> 8 == TRACED_CALL)
			return NULL;
	}
	return error_new(ERROR_SYSTEM, place_whole(tracee->name),
			 "does not come to its system call");
}

/**
 * Where the thread was just made by execve, the exit from that call comes first, and brings its own result.
 */
static struct error *run_to_entry(struct tracee *tracee, struct tracee_thread *thread,
				  const struct user_regs_struct *registers)
{
	struct __ptrace_syscall_info info;

	TRY(run_to_call(tracee, thread));
	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, (void *)sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_EXIT)
		return NULL;
	TRY(tracee_set_registers(tracee, thread->tid, registers));
	return run_to_call(tracee, thread);
}

/** Back to the state that was, in a stop from which the kernel starts interrupted calls anew. */
static struct error *put_back(struct tracee *tracee, const struct loan *loan, uint64_t mask)
{
	pid_t tid = loan->thread->tid;
	int status;

	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	ptrace(PTRACE_SETSIGMASK, tid, (void *)MASK_BYTES, &mask);
	TRY(tracee_set_registers(tracee, tid, &loan->registers));
	ptrace(PTRACE_CONT, tid, NULL, NULL);
	if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
		return has_ended(tracee);
	thread_stopped(tracee, loan->thread, status);
	return NULL;
}

static struct error *call(struct tracee *tracee, const struct loan *loan, long number,
			  const uint64_t arguments[6], int64_t *ret)
{
	struct user_regs_struct r = loan->registers;
	struct tracee_thread *thread = loan->thread;
	uint64_t mask, all = UINT64_MAX;

	if (ptrace(PTRACE_GETSIGMASK, thread->tid, (void *)MASK_BYTES, &mask) != 0)
		return error_system(errno, place_whole(tracee->name), "cannot be borrowed");
	r.rip = tracee->gadgets.syscall;
	r.rsp = loan->frame;
	r.rax = (uint64_t)number;
	r.orig_rax = UINT64_MAX;
	r.rdi = arguments[0];
	r.rsi = arguments[1];
	r.rdx = arguments[2];
	r.r10 = arguments[3];
	r.r8 = arguments[4];
	r.r9 = arguments[5];
	TRY(tracee_set_registers(tracee, thread->tid, &r));
	// after the registers: a tracer killed in between must not leave it deaf
	ptrace(PTRACE_SETSIGMASK, thread->tid, (void *)MASK_BYTES, &all);
	TRY(run_to_entry(tracee, thread, &r));
	TRY(run_to_call(tracee, thread));
	TRY(tracee_registers(tracee, thread->tid, &r));
	*ret = (int64_t)r.rax;
	return put_back(tracee, loan, mask);
}

struct error *tracee_syscall(struct tracee *tracee, long number, const uint64_t arguments[6],
			     int64_t *ret_result)
{
	struct loan loan = {0};
	uint64_t stack;

	if (!tracee->stopped)
		return error_new(ERROR_USAGE, place_whole(tracee->name), "is not stopped");
	TRY(look_around(tracee, &stack));
	TRY(choose(tracee, stack, &loan));
	TRY(write_frame(tracee, &loan));
	return call(tracee, &loan, number, arguments, ret_result);
}

struct error *tracee_call(struct tracee *tracee, const char *what, long number,
			  const uint64_t arguments[6], uint64_t *ret)
{
	int64_t result;

	TRY(tracee_syscall(tracee, number, arguments, &result));
	if (result < 0 && result > -ERRORS_MAX)
		return error_system((int)-result, place_whole(tracee->name), "it may not %s", what);
	*ret = (uint64_t)result;
	return NULL;
}

struct error *tracee_unmap(struct tracee *tracee, uint64_t address, uint64_t size)
{
	uint64_t ignored;

	return tracee_call(tracee, "unmap memory", SYS_munmap, (uint64_t[6]){address, size},
			   &ignored);
}

struct error *tracee_map(struct tracee *tracee, uint64_t address, uint64_t size, int rights,
			 int flags, uint64_t fd)
{
	uint64_t got;

	TRY(tracee_call(tracee, "map memory", SYS_mmap,
			(uint64_t[6]){address, size, (uint64_t)rights,
				      (uint64_t)(flags | MAP_AT_EXACTLY), fd, 0},
			&got));
	if (got == address)
		return NULL;
	error_free(tracee_unmap(tracee, got, size));
	return error_new(ERROR_UNSUPPORTED, place_whole(tracee->name),
			 "the kernel gives no memory near its code");
}
