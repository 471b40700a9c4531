// SPDX-License-Identifier: Apache-2.0
// Trampolines that run: a function in the shape of a map assignment is hooked in this very process and called as
// different goroutines, and what it leaves in the flight memory is read back.
#include "record/trampoline.h"

#include "evidence/recorded/flight.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define ROOM       (16u << 20)
#define TEXT       ROOM /* the function's place in the memory, after the recorder's */
#define GOID       16   /* in the g of these tests */
#define STACK_HI   8
#define MAP_BYTES  48
#define FLAG       8
#define SET_AT     8
#define CLEAR_AT   20
#define GIVE_UP_AT 26
#define END_AT     26

/* push rbp; mov rbp, rsp; movzx ecx, byte [rbx+8]; xor ecx, 4; mov [rbx+8], cl; nop; movzx ...; and ecx, ~4;
 * mov ...; lea rax, [rip+0]; pop rbp; ret */
static const uint8_t function[] = {
	0x55, 0x48, 0x89, 0xe5, 0x0f, 0xb6, 0x4b, 0x08, 0x83, 0xf1, 0x04, 0x88,
	0x4b, 0x08, 0x90, 0x90, 0x0f, 0xb6, 0x4b, 0x08, 0x83, 0xe1, 0xfb, 0x88,
	0x4b, 0x08, 0x48, 0x8d, 0x05, 0x00, 0x00, 0x00, 0x00, 0x5d, 0xc3,
};

struct rig {
	uint8_t *memory;
	struct trampoline_own *own;
	struct flight_header *flight;
	struct plan plan;
	struct go_layout layout;
	struct plan_hook hooks[3];
	struct plan_function function;
	uint64_t g[8], stack_hi;
	_Alignas(16) uint8_t map[2][MAP_BYTES];
};

static void add_hook(struct rig *rig, enum map_moment moment, uint64_t at, uint8_t size)
{
	struct plan_hook *hook = &rig->hooks[rig->plan.hook_count++];

	*hook = (struct plan_hook){
		.at = {rig->plan.text + at, size, (uint8_t)moment, RBX, true},
		.return_offset = 8, // above the frame pointer that was pushed
	};
	memcpy(hook->bytes, function + at, size);
}

/** The tables, small; names and sites as the recorder would write them. */
static void lay_out(struct rig *rig)
{
	struct flight_header *h = rig->flight;
	struct flight_site *sites = (struct flight_site *)(h + 1);
	static const char name[] = "runtime.mapassign";

	*h = (struct flight_header){
		.magic = FLIGHT_MAGIC,
		.version = FLIGHT_VERSION,
		.header_bytes = sizeof(*h),
		.text = rig->plan.text,
		.etext = rig->plan.etext,
		.site_count = 3,
		.sites_offset = sizeof(*h),
		.names_bytes = sizeof(name),
		.slot_count = 1u << FLIGHT_SLOT_BITS,
		.complete = 1,
	};
	for (size_t i = 0; i < 3; i++)
		sites[i] = (struct flight_site){.address = rig->hooks[i].at.address,
						.moment = rig->hooks[i].at.moment,
						.operation = MAP_ASSIGN,
						.return_offset = rig->hooks[i].return_offset};
	h->names_offset = sizeof(*h) + 3 * sizeof(*sites);
	memcpy((uint8_t *)h + h->names_offset, name, sizeof(name));
	h->detections_offset = 4096;
	h->order_offset =
		h->detections_offset + FLIGHT_DETECTIONS * sizeof(struct flight_detection);
	h->eras_offset = h->order_offset + (8u << FLIGHT_ORDER_BITS);
	h->slots_offset = h->eras_offset + (8u << FLIGHT_ORDER_BITS);
	h->total_bytes = h->slots_offset + h->slot_count * sizeof(struct flight_slot);
}

static void hook_function(struct rig *rig)
{
	struct trampoline_room room = {(uint64_t)rig->memory, (uint64_t)rig->own,
				       (uint64_t)rig->flight, 0};
	scoped(decoder) struct decoder *decoder = decoder_new();
	struct trampolines made;

	assert_true(trampolines_make(&rig->plan, rig->flight, decoder, &room, &made));
	memcpy(rig->memory, made.code, made.code_size);
	for (size_t i = 0; i < rig->plan.hook_count; i++) {
		uint8_t *at = (uint8_t *)rig->hooks[i].at.address;
		int32_t distance = (int32_t)(made.targets[i] - ((uint64_t)at + 5));

		at[0] = 0xe9;
		memcpy(at + 1, &distance, sizeof(distance));
	}
	trampolines_done(&made);
}

static int set_up(void **state)
{
	struct rig *rig = g_aligned_alloc0(1, sizeof(*rig), 64);

	rig->memory = mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE | PROT_EXEC,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(rig->memory, MAP_FAILED);
	rig->own = (struct trampoline_own *)(rig->memory + TRAMPOLINE_CODE_BYTES);
	rig->flight = (struct flight_header *)(rig->memory + TRAMPOLINE_CODE_BYTES +
					       TRAMPOLINE_OWN_BYTES);
	*rig->own = (struct trampoline_own){1, 1};
	rig->layout.offset[GO_G_GOID] = GOID;
	rig->layout.offset[GO_G_STACK_HI] = STACK_HI;
	rig->plan = (struct plan){
		.layout = &rig->layout,
		.text = (uint64_t)rig->memory + TEXT,
		.etext = (uint64_t)rig->memory + 2 * ROOM,
		.g_in_register = true,
		.functions = &rig->function,
		.function_count = 1,
		.hooks = rig->hooks,
	};
	memcpy((void *)rig->plan.text, function, sizeof(function));
	add_hook(rig, MOMENT_SET, SET_AT, 6);
	add_hook(rig, MOMENT_CLEAR, CLEAR_AT, 6);
	add_hook(rig, MOMENT_GIVE_UP, GIVE_UP_AT, 7);
	rig->plan.hook_count = 2; // giving up is hooked by the test that wants it
	lay_out(rig);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	munmap(rig->memory, 2 * ROOM);
	g_aligned_free(rig);
	return 0;
}

/** What goes into the registers of a call, and what is in them after it. */
struct seen {
	uint64_t function, g, map, result;
	uint64_t after[16];
};

#define FILL(reg, value)  "movq $" #value ", %%" #reg "\n"
#define KEEP(reg, number) "movq %%" #reg ", 32+8*" #number "(%%r13)\n"

/** Calls the function as that goroutine, all registers filled; @return what it computed in RAX. */
static uint64_t call_on(struct rig *rig, uint64_t goroutine, uint8_t *map, struct seen *seen)
{
	rig->g[GOID / 8] = goroutine;
	rig->g[STACK_HI / 8] =
		rig->stack_hi ? rig->stack_hi : (uint64_t)__builtin_frame_address(0) + 64;
	seen->function = rig->plan.text;
	seen->g = (uint64_t)rig->g;
	seen->map = (uint64_t)map;
	__asm__ volatile(
		"leaq -128(%%rsp), %%rsp\n pushq %%rbp\n pushq %%rbx\n pushq %%rdi\n"
		"movq 8(%%rdi), %%r14\n movq 16(%%rdi), %%rbx\n movq (%%rdi), %%r15\n" FILL(
			rdx, 0x11112) FILL(rsi, 0x11116) FILL(rdi, 0x11117) FILL(r8, 0x11118)
			FILL(r9, 0x11119) FILL(r10, 0x111110) FILL(r11, 0x111111) FILL(
				r12, 0x111112) "callq *%%r15\n movq (%%rsp), %%r13\n movq %%rax, "
					       "24(%%r13)\n" KEEP(rdx, 2) KEEP(rbx, 3) KEEP(rsi, 6)
						       KEEP(rdi, 7) KEEP(r8, 8) KEEP(r9, 9) KEEP(
							       r10, 10) KEEP(r11, 11) KEEP(r12, 12)
							       KEEP(r14,
								    14) "popq %%rdi\n popq %%rbx\n "
									"popq %%rbp\n leaq "
									"128(%%rsp), %%rsp\n"
		:
		: "D"(seen)
		: "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		  "memory", "cc");
	return seen->result;
}

static uint64_t call_as(struct rig *rig, uint64_t goroutine, size_t map, struct seen *seen)
{
	return call_on(rig, goroutine, rig->map[map], seen);
}

static struct flight *read_back(const struct rig *rig)
{
	struct flight *flight = NULL;

	assert_null(
		flight_read(rig->flight, rig->flight->total_bytes, place_whole("test"), &flight));
	return flight;
}

static const struct flight_write *write_by(const struct flight *flight, uint32_t goroutine,
					   const uint8_t *map)
{
	size_t count;
	const struct flight_write *writes = flight_writes(flight, &count);

	for (size_t i = 0; i < count; i++)
		if (writes[i].goroutine == goroutine &&
		    flight_write_is_of(&writes[i], (uint64_t)map))
			return &writes[i];
	return NULL;
}

static void a_write_is_recorded_and_changes_nothing_else(void **state)
{
	static const uint64_t filled[] = {
		[2] = 0x11112, [6] = 0x11116,   [7] = 0x11117,   [8] = 0x11118,
		[9] = 0x11119, [10] = 0x111110, [11] = 0x111111, [12] = 0x111112};
	struct rig *rig = *state;
	struct seen seen = {0};
	const struct flight_write *write;

	hook_function(rig);
	call_as(rig, 7, 0, &seen);
	for (size_t i = 0; i < G_N_ELEMENTS(filled); i++)
		if (filled[i])
			assert_int_equal(seen.after[i], filled[i]);
	assert_int_equal(seen.after[RBX], (uint64_t)rig->map[0]);
	assert_int_equal(seen.after[R14], (uint64_t)rig->g);
	assert_int_equal(rig->map[0][FLAG], 0); // set, then cleared, as without the hooks

	scoped(flight) struct flight *flight = read_back(rig);

	write = write_by(flight, 7, rig->map[0]);
	assert_non_null(write);
	assert_false(write->inside);
	assert_int_equal(write->operation, MAP_ASSIGN);
	assert_string_equal(write->function, "runtime.mapassign");
	assert_null(write_by(flight, 7, rig->map[1]));
	assert_null(write_by(flight, 8, rig->map[0]));
}

static void writers_are_told_apart_and_in_order(void **state)
{
	struct rig *rig = *state;
	struct seen seen = {0};

	hook_function(rig);
	call_as(rig, 7, 0, &seen);
	call_as(rig, 9, 0, &seen);
	call_as(rig, 9, 0, &seen);
	call_as(rig, 7, 1, &seen);

	scoped(flight) struct flight *flight = read_back(rig);
	const struct flight_write *first = write_by(flight, 7, rig->map[0]);
	const struct flight_write *second = write_by(flight, 9, rig->map[0]);

	assert_true(first && second && write_by(flight, 7, rig->map[1]));
	assert_int_equal(second->place, first->place + 1);
	assert_int_equal(second->left, second->place);
}

/** A thousand goroutines on one map: each has its record, though slots collide. */
static void many_writers_are_all_kept(void **state)
{
	struct rig *rig = *state;
	struct seen seen = {0};

	hook_function(rig);
	for (uint32_t i = 1; i <= 1000; i++)
		call_as(rig, i, 0, &seen);

	scoped(flight) struct flight *flight = read_back(rig);

	for (uint32_t i = 1; i <= 1000; i++)
		assert_non_null(write_by(flight, i, rig->map[0]));
	assert_int_equal(flight_facts(flight)->lost, 0);
}

/** One goroutine goes through more maps than there is room for: what it comes back to stays, so does the newest. */
static void what_was_not_used_for_longest_makes_room(void **state)
{
	enum { MAPS = 4096 };
	struct rig *rig = *state;
	struct seen seen = {0};
	g_autofree uint8_t *maps = g_malloc0(MAPS * MAP_BYTES + 16);
	uint8_t *first = (uint8_t *)(((uintptr_t)maps + 15) & ~(uintptr_t)15);

	hook_function(rig);
	for (size_t i = 0; i < MAPS; i++) {
		call_on(rig, 7, first + i * MAP_BYTES, &seen);
		call_as(rig, 7, 0, &seen);
	}

	scoped(flight) struct flight *flight = read_back(rig);
	size_t count;

	flight_writes(flight, &count);
	assert_non_null(write_by(flight, 7, rig->map[0]));
	assert_non_null(write_by(flight, 7, first + (MAPS - 1) * MAP_BYTES));
	assert_null(write_by(flight, 7, first));
	assert_true(count > 32 && count <= 64);
	assert_int_equal(flight_facts(flight)->lost, 0);
}

/** In a forked child the kernel has wiped the process's own page. */
static void a_forked_child_leaves_the_record_alone(void **state)
{
	struct rig *rig = *state;
	struct seen seen = {0};
	size_t writes, failures;

	rig->plan.hook_count = 3;
	hook_function(rig);
	*rig->own = (struct trampoline_own){0};
	call_as(rig, 7, 0, &seen);

	scoped(flight) struct flight *flight = read_back(rig);

	flight_writes(flight, &writes);
	flight_failures(flight, &failures);
	assert_int_equal(writes + failures, 0);
	assert_false(flight_facts(flight)->frozen);
}

static void giving_up_freezes_and_tells_who(void **state)
{
	struct rig *rig = *state;
	struct seen seen = {0};
	size_t count;

	call_as(rig, 7, 0, &seen); // not hooked yet: what the function computes by itself
	rig->plan.hook_count = 3;
	hook_function(rig);
	assert_int_equal(call_as(rig, 7, 0, &seen), rig->plan.text + GIVE_UP_AT + 7);
	call_as(rig, 9, 1, &seen);

	scoped(flight) struct flight *flight = read_back(rig);
	const struct flight_failure *failures = flight_failures(flight, &count);

	assert_true(flight_facts(flight)->frozen);
	assert_int_equal(count, 2);
	assert_int_equal(failures[0].goroutine, 7);
	assert_int_equal(failures[0].map, (uint64_t)rig->map[0]);
	assert_int_equal(failures[0].last, 7);
	assert_int_equal(failures[1].goroutine, 9);
	assert_non_null(write_by(flight, 7, rig->map[0]));
	assert_null(write_by(flight, 9, rig->map[1])); // it was frozen by then
}

/** The function taken for one that makes maps, and one that grows them: RBX is the map at its end and at its start. */
static void who_made_and_grew_a_map_is_recorded(void **state)
{
	struct rig *rig = *state;
	struct seen seen = {0};
	struct flight_write write;

	rig->flight->births_offset = (uint32_t)rig->flight->total_bytes;
	rig->flight->birth_count = 1u << FLIGHT_BIRTH_BITS;
	rig->flight->total_bytes += 2 * rig->flight->birth_count * sizeof(struct flight_birth);
	rig->plan.hook_count = 0;
	add_hook(rig, MOMENT_GROWN, SET_AT, 6);
	add_hook(rig, MOMENT_MADE, END_AT, 9); // return included
	hook_function(rig);
	call_as(rig, 7, 0, &seen);

	scoped(flight) struct flight *flight = read_back(rig);

	assert_true(flight_made(flight, (uint64_t)rig->map[0], &write));
	assert_int_equal(write.goroutine, 7);
	assert_false(
		flight_grown(flight, (uint64_t)rig->map[0], &write)); // that was the one before
	assert_false(flight_made(flight, (uint64_t)rig->map[1] + 4096, &write));
	assert_int_equal(seen.result, rig->plan.text + END_AT + 7);
	assert_int_equal(rig->map[0][FLAG], 0);
	memcpy((void *)(rig->plan.text + END_AT), function + END_AT, 9); // it makes no more
	call_as(rig, 9, 0, &seen);

	scoped(flight) struct flight *later = read_back(rig);

	assert_true(flight_grown(later, (uint64_t)rig->map[0], &write));
	assert_int_equal(write.goroutine, 9);
	assert_true(flight_made(later, (uint64_t)rig->map[0], &write));
	assert_int_equal(write.goroutine, 7);
}

/** The function writes a map, and where it ends another one is taken to be made, at the same address. */
static void what_was_recorded_before_a_map_was_made_is_of_another(void **state)
{
	struct rig *rig = *state;
	struct seen seen = {0};
	const struct flight_write *write;

	add_hook(rig, MOMENT_MADE, END_AT, 9);
	hook_function(rig);
	call_as(rig, 7, 0, &seen);
	assert_int_equal(seen.result, rig->plan.text + END_AT + 7);
	assert_int_equal(seen.after[8], 0x11118);

	scoped(flight) struct flight *before = read_back(rig);

	write = write_by(before, 7, rig->map[0]);
	assert_true(write && write->earlier && !write->sure);
	memcpy((void *)(rig->plan.text + END_AT), function + END_AT, 9); // it makes no more
	call_as(rig, 7, 0, &seen);

	scoped(flight) struct flight *after = read_back(rig);

	write = write_by(after, 7, rig->map[0]);
	assert_true(write && write->sure && !write->earlier);
	assert_int_equal(write->turn, 1); // the same goroutine, yet a new writer
}

/** A map that stands above SP on the goroutine's stack; the others of this file are not on it. */
static void a_map_on_the_writers_own_stack_is_told(void **state)
{
	struct rig *rig = *state;
	struct seen seen = {0};
	struct {
		_Alignas(16) uint8_t map[MAP_BYTES];
	} here = {0};

	hook_function(rig);
	rig->stack_hi = (uint64_t)(&here + 1) + 4096;
	call_on(rig, 7, here.map, &seen);
	call_as(rig, 7, 0, &seen);

	scoped(flight) struct flight *flight = read_back(rig);

	assert_true(write_by(flight, 7, here.map)->on_stack);
	assert_false(write_by(flight, 7, rig->map[0])->on_stack);
	assert_int_equal(here.map[FLAG], 0);
}

/** The clearing taken for a reader's check: its record is no write, and takes no place in the order. */
static void a_read_is_recorded_beside_the_writes(void **state)
{
	struct rig *rig = *state;
	struct seen seen = {0};
	size_t count;

	rig->flight->reads_offset = (uint32_t)rig->flight->total_bytes;
	rig->flight->total_bytes += rig->flight->slot_count * sizeof(struct flight_slot);
	rig->plan.hook_count = 1;
	add_hook(rig, MOMENT_READ, CLEAR_AT, 6);
	hook_function(rig);
	call_as(rig, 7, 0, &seen);
	call_as(rig, 9, 0, &seen);
	call_as(rig, 9, 0, &seen);

	scoped(flight) struct flight *flight = read_back(rig);
	const struct flight_write *first = write_by(flight, 7, rig->map[0]);
	const struct flight_write *second = write_by(flight, 9, rig->map[0]);
	const struct flight_write *reads = flight_reads(flight, &count);

	assert_int_equal(rig->map[0][FLAG], 0);
	assert_int_equal(seen.after[R14], (uint64_t)rig->g);
	assert_int_equal(seen.after[8], 0x11118);
	assert_int_equal(second->place, first->place + 1);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		const struct flight_write *own = reads[i].goroutine == 7 ? first : second;

		assert_true(flight_write_is_of(&reads[i], (uint64_t)rig->map[0]));
		assert_int_equal(reads[i].goroutine, own->goroutine);
		assert_int_equal(reads[i].place, own->place);
		assert_false(reads[i].inside);
		assert_int_equal(reads[i].pcs[0], own->pcs[0]);
	}
	flight_writes(flight, &count);
	assert_int_equal(count, 2);
}

static void what_is_out_of_reach_is_refused(void **state)
{
	struct rig *rig = *state;
	struct trampoline_room far = {(uint64_t)rig->memory + (1ull << 33), (uint64_t)rig->own,
				      (uint64_t)rig->flight, 0};
	scoped(decoder) struct decoder *decoder = decoder_new();
	struct trampolines made;

	assert_false(trampolines_make(&rig->plan, rig->flight, decoder, &far, &made));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_write_is_recorded_and_changes_nothing_else),
		TEST(writers_are_told_apart_and_in_order),
		TEST(many_writers_are_all_kept),
		TEST(what_was_not_used_for_longest_makes_room),
		TEST(a_forked_child_leaves_the_record_alone),
		TEST(giving_up_freezes_and_tells_who),
		TEST(who_made_and_grew_a_map_is_recorded),
		TEST(what_was_recorded_before_a_map_was_made_is_of_another),
		TEST(a_map_on_the_writers_own_stack_is_told),
		TEST(a_read_is_recorded_beside_the_writes),
		TEST(what_is_out_of_reach_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
