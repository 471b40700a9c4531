// SPDX-License-Identifier: Apache-2.0
// Stacks laid out by hand, as the compiler's frames lie: on amd64 the return address above the frame,
// on arm64 at its bottom.
#include "build_program.h"

#include "base/limits.h"
#include "model/stack/unwind.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct made made;
static uint64_t main_main, main_put, async_preempt, top, moves_sp, callback;

static void functions_make(enum go_arch arch)
{
	made_init(&made, 22, arch);
	main_main = made_function(&made, "main.main", 24);
	main_put = made_function(&made, "main.put", 40);
	async_preempt = made_function(&made, "runtime.asyncPreempt", 16);
	top = made_function(&made, "main.top", 0);
	moves_sp = made_function(&made, "main.switches", 0);
	callback = made_function(&made, "runtime.cgocallback", 24);
	made.flags[6] = 2;
	made.flags[4] = 1; // TOPFRAME
	made.flags[5] = 2; // SPWRITE
	made_inline(&made, main_put, "main.set");
	made_open(&made);
}

static int make_amd64(void **state)
{
	functions_make(GO_ARCH_AMD64);
	return 0;
}

static int make_arm64(void **state)
{
	functions_make(GO_ARCH_ARM64);
	return 0;
}

static int drop(void **state)
{
	made_done(&made);
	return 0;
}

static struct stack walk_from(const struct made_stack *at, struct unwind_start start)
{
	return unwind_stack(&made.space.program, &start, at->lo, at->hi);
}

/** From where the goroutine left it, as if it had stopped at that very instruction. */
static struct stack walk(size_t g)
{
	const struct made_stack *at = &made.stacks[g];

	return walk_from(at, (struct unwind_start){at->pc, at->sp, 0, true});
}

static void frames_follow_their_sizes(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);
	uint64_t hi = made.stacks[g].hi;

	made_push(&made, g, main_main + 0x80);
	made_push(&made, g, main_put + 0x80);

	struct stack stack = walk(g);

	assert_null(stack.broken);
	assert_int_equal(stack.count, 3);
	assert_string_equal(stack.frames[0].site->function, "main.put");
	assert_int_equal(stack.frames[0].site->line, 31); // stands at +0x80
	assert_true(stack.frames[0].exact_pc);
	assert_int_equal(stack.frames[0].sp, hi - 144); // 64 + 8 + 24 + 8 + 40
	assert_int_equal(stack.frames[0].cfa, hi - 96);
	assert_string_equal(stack.frames[1].site->function, "main.main");
	assert_int_equal(stack.frames[1].site->line, 20); // a call that returns to +0x80
	assert_false(stack.frames[1].exact_pc);
	assert_int_equal(stack.frames[1].sp, hi - 96);
	assert_int_equal(stack.frames[1].cfa, hi - 64);
	assert_string_equal(stack.frames[2].site->function, "runtime.goexit");
}

static void before_the_prologue_there_is_no_frame(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);
	struct made_stack *at = &made.stacks[g];

	made_push(&made, g, main_main + 0x20);
	made_push(&made, g, main_put + 0x20);
	at->sp += 40; // main.put has not taken its frame yet
	at->pc = main_put;

	struct stack stack = walk(g);

	assert_null(stack.broken);
	assert_int_equal(stack.count, 3);
	assert_string_equal(stack.frames[1].site->function, "main.main");
}

static void inlined_frames_stand_before_their_holder(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);

	made_push(&made, g, main_put + 0x50);

	struct stack stack = walk(g);

	assert_int_equal(stack.count, 3);
	assert_string_equal(stack.frames[0].site->function, "main.set");
	assert_int_equal(stack.frames[0].site->line, 99);
	assert_true(stack.frames[0].site->inlined);
	assert_string_equal(stack.frames[1].site->function, "main.put");
	assert_int_equal(stack.frames[1].site->line, 30);
	assert_false(stack.frames[1].site->inlined);
	assert_int_equal(stack.frames[0].sp, stack.frames[1].sp);
	assert_string_equal(stack.frames[0].function->name, "main.put");
}

static void an_injected_call_returns_to_where_it_stood(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);

	made_push(&made, g, main_put + 0x80);
	made_push(&made, g, async_preempt + 0x20);

	struct stack stack = walk(g);

	assert_int_equal(stack.count, 3);
	assert_true(stack.frames[1].exact_pc);
	assert_int_equal(stack.frames[1].site->line, 31); // not of the instruction before
	assert_false(stack.frames[2].exact_pc);
}

static void a_top_frame_ends_the_walk(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);

	made_push(&made, g, main_main + 0x20);
	made_push(&made, g, top + 0x20);
	made_push(&made, g, main_put + 0x20);

	struct stack stack = walk(g);

	assert_null(stack.broken);
	assert_int_equal(stack.count, 2);
	assert_string_equal(stack.frames[1].site->function, "main.top");
}

/** What the walk says when the return address of main.put is @a word. */
static struct stack walk_with_return(uint64_t word)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);

	made_push(&made, g, main_main + 0x20);
	made_push(&made, g, main_put + 0x20);
	space_u64(&made.space, made.stacks[g].arguments - 8, word);
	return walk(g);
}

static void broken_stacks_say_why(void **state)
{
	struct stack stack = walk_with_return(0xdeadbeef);

	assert_string_equal(stack.broken, "a return address is in no Go function");
	assert_int_equal(stack.count, 1);
	assert_string_equal(walk_with_return(0).broken, "a return address is zero");
	stack = walk_with_return(moves_sp + 0x20);
	assert_int_equal(stack.count, 2);
	assert_string_equal(stack.broken,
			    "a function that moves the stack pointer itself is in between");
}

/** It moves the stack pointer too, but its frame lies on both stacks (traceback.go@1.22.12). */
static void a_callback_from_c_is_walked_through(void **state)
{
	struct stack stack = walk_with_return(callback + 0x20);

	assert_null(stack.broken);
	assert_int_equal(stack.count, 3);
	assert_string_equal(stack.frames[1].site->function, "runtime.cgocallback");
	assert_string_equal(stack.frames[2].site->function, "runtime.goexit");
}

static void a_frame_beyond_the_stack_is_refused(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);
	const struct made_stack *at = &made.stacks[g];
	struct stack stack;

	stack = walk_from(at, (struct unwind_start){main_put + 0x20, at->hi - 16, 0, true});
	assert_string_equal(stack.broken, "a frame leaves its stack");
	assert_int_equal(stack.count, 0);
	// the frame just fits, and nothing is above it
	space_u64(&made.space, at->hi - 8, main_main + 0x20);
	stack = walk_from(at, (struct unwind_start){main_put + 0x20, at->hi - 48, 0, true});
	assert_string_equal(stack.broken, "the stack ended before its outermost function");
	assert_int_equal(stack.count, 1);
}

static void a_stack_that_was_not_dumped_is_one(void **state)
{
	uint64_t end = SPACE_START + SPACE_BYTES;
	struct unwind_start start = {main_put + 0x20, end - 8, 0, true};
	struct stack stack = unwind_stack(&made.space.program, &start, end - 4096, end + 4096);

	assert_string_equal(stack.broken, "the stack was not dumped");
	assert_int_equal(stack.count, 0);
}

/** Functions without frames that call each other for ever. */
static void the_deepest_stack_is_cut(void **state)
{
	uint64_t lo = space_take(&made.space, 64 << 10), hi = lo + (64 << 10);
	struct unwind_start start = {main_main + 1, lo, 0, true};

	for (uint64_t at = lo; at < hi; at += 8)
		space_u64(&made.space, at, main_main + 2);

	struct stack stack = unwind_stack(&made.space.program, &start, lo, hi);

	assert_string_equal(stack.broken, "the stack is deeper than any that is read");
	assert_int_equal(stack.count, LIMIT_FRAMES);
}

static void arguments_stand_above_the_return_address(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);
	uint64_t value = 0;

	made_push(&made, g, main_main + 0x20);
	made_push(&made, g, main_put + 0x20);
	made_argument(&made, g, 1, 0x1234);

	struct stack stack = walk(g);

	stack.frames[0].exact_pc = false; // as one that stands at a call
	assert_int_equal(frame_argument(&made.space.program, &stack.frames[0], 1, &value),
			 ARGUMENT_LIVE);
	assert_int_equal(value, 0x1234);
	stack.frames[0].cfa = SPACE_START + SPACE_BYTES;
	assert_int_equal(frame_argument(&made.space.program, &stack.frames[0], 0, &value),
			 ARGUMENT_MISSING);
}

/** SUB 40, RSP; MOV RBX to the slot of the second argument; MOV RBX, RSI; XOR RBX, RBX; XOR RSI, RSI. */
#define PROLOGUE "\x48\x83\xec\x28\x48\x89\x5c\x24\x38\x48\x89\xde\x31\xdb\x31\xf6"

enum { AFTER_SUB = 4, AFTER_SPILL = 9, AFTER_CLEAR = 14, AFTER_ALL = 16 };

/** Where a thread runs at @a pc, its second argument, with what registers and slot hold. */
static enum argument_trust running_argument(size_t g, uint64_t pc, uint64_t *ret)
{
	static struct process_registers registers;
	static struct thread thread = {.registers = &registers};
	struct stack stack;

	made.stacks[g].pc = pc;
	registers = (struct process_registers){.pc = pc, .sp = made.stacks[g].sp};
	registers.general[3] = 0x1111; // RBX
	registers.general[4] = 0x2222; // RSI
	made.space.program.threads = &thread;
	made.space.program.thread_count = 1;
	stack = walk(g);
	assert_string_equal(stack.frames[0].site->function, "main.put");
	return frame_argument(&made.space.program, &stack.frames[0], 1, ret);
}

static void a_running_thread_has_its_arguments_where_the_code_put_them(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_RUNNING, main_main);
	uint64_t value = 0;

	space_write(&made.space, main_put, PROLOGUE, sizeof(PROLOGUE) - 1);
	made_push(&made, g, main_main + 0x20);
	made_push(&made, g, main_put + 0x20);
	made_argument(&made, g, 1, 0x3333); // in the slot: of this call or of an earlier one
	assert_int_equal(running_argument(g, main_put + AFTER_SUB, &value), ARGUMENT_LIVE);
	assert_int_equal(value, 0x1111); // not spilled yet: the slot is stale
	assert_int_equal(running_argument(g, main_put + AFTER_SPILL, &value), ARGUMENT_LIVE);
	assert_true(value == 0x1111 || value == 0x3333);
	assert_int_equal(running_argument(g, main_put + AFTER_CLEAR, &value), ARGUMENT_LIVE);
	assert_true(value == 0x2222 || value == 0x3333);
	assert_int_equal(running_argument(g, main_put + AFTER_ALL, &value), ARGUMENT_LIVE);
	assert_int_equal(value, 0x3333);
}

static struct unwind_start start_of(uint64_t id)
{
	struct unwind_start start = {0};

	made_read(&made);
	assert_true(unwind_start_of(&made.space.program, made_goroutine_of(&made, id), &start));
	return start;
}

static void a_walk_starts_where_the_scheduler_left_it(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);

	made_push(&made, g, main_main + 0x20);
	assert_int_equal(start_of(1).pc, main_main + 0x20);
	assert_false(start_of(1).exact);
}

static void a_system_call_knows_better(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_SYSCALL, main_main);

	made_push(&made, g, main_main + 0x20);
	space_field(&made.space, made.stacks[g].g, GO_G_SYSCALLPC, main_put + 0x20, 8);
	space_field(&made.space, made.stacks[g].g, GO_G_SYSCALLSP, made.stacks[g].lo + 64, 8);
	assert_int_equal(start_of(1).pc, main_put + 0x20);
	assert_int_equal(start_of(1).sp, made.stacks[g].lo + 64);
}

static void registers_know_best(void **state)
{
	struct process_registers registers = {.pc = main_put + 0x30};
	struct thread thread = {.registers = &registers};
	struct goroutine goroutine = {.status = GO_STATUS_RUNNING};
	size_t g = made_goroutine(&made, 1, GO_STATUS_RUNNING, main_main);
	struct unwind_start start;

	made_push(&made, g, main_main + 0x20);
	made.space.program.threads = &thread;
	goroutine.address = made.stacks[g].g;
	goroutine.stack_lo = made.stacks[g].lo;
	goroutine.stack_hi = made.stacks[g].hi;
	registers.sp = made.stacks[g].lo + 128;
	assert_true(unwind_start_of(&made.space.program, &goroutine, &start));
	assert_int_equal(start.pc, main_put + 0x30);
	assert_true(start.exact);
	registers.sp = 0x7ffd00001000; // on the thread's own stack
	assert_true(unwind_start_of(&made.space.program, &goroutine, &start));
	assert_int_equal(start.pc, main_main + 0x20);
	goroutine.status = GO_STATUS_DEAD;
	assert_false(unwind_start_of(&made.space.program, &goroutine, &start));
}

/** main.main (24 bytes) calls main.put (40), which calls a leaf without a frame. */
static void arm64_keeps_the_return_address_at_the_bottom(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);
	const struct made_stack *at = &made.stacks[g];
	uint64_t sp = at->hi - 40 - 24 - 64;
	struct stack stack;

	space_u64(&made.space, sp, main_main + 0x20);
	space_u64(&made.space, sp + 40, made.goexit + 4);
	stack = walk_from(at, (struct unwind_start){main_put, sp, main_put + 0x24, true});
	assert_null(stack.broken);
	assert_int_equal(stack.count, 4);
	assert_int_equal(stack.frames[0].sp, sp); // a leaf: its caller is in the link register
	assert_int_equal(stack.frames[1].pc, main_put + 0x24);
	assert_int_equal(stack.frames[1].sp, sp);
	assert_int_equal(stack.frames[1].cfa, sp + 48);
	assert_string_equal(stack.frames[2].site->function, "main.main");
	assert_int_equal(stack.frames[2].sp, sp + 40);
	assert_string_equal(stack.frames[3].site->function, "runtime.goexit");
}

/** asyncPreempt pushed the link register of the leaf that it interrupted. */
static void arm64_injected_calls_push_the_link_register(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);
	const struct made_stack *at = &made.stacks[g];
	uint64_t sp = at->lo + 512, leaf = sp + 16;
	struct stack stack;

	space_u64(&made.space, sp, main_put); // interrupted before its prologue
	space_u64(&made.space, leaf, main_main + 0x24);
	space_u64(&made.space, leaf + 16, made.goexit + 4);
	stack = walk_from(at, (struct unwind_start){async_preempt + 0x20, sp, 0, true});
	assert_null(stack.broken);
	assert_int_equal(stack.count, 4);
	assert_int_equal(stack.frames[1].pc, main_put);
	assert_true(stack.frames[1].exact_pc);
	assert_int_equal(stack.frames[2].pc, main_main + 0x24);
	assert_int_equal(stack.frames[2].sp, leaf + 16);
	assert_string_equal(stack.frames[3].site->function, "runtime.goexit");
}

/** Without a frame the stack pointer stands still: only the limit ends such a walk. */
static void arm64_circles_end(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, main_main);
	const struct made_stack *at = &made.stacks[g];
	struct stack stack;

	space_u64(&made.space, at->lo, main_main);
	stack = walk_from(at, (struct unwind_start){main_main, at->lo, main_main, true});
	assert_string_equal(stack.broken, "the stack is deeper than any that is read");
	assert_int_equal(stack.count, LIMIT_FRAMES);
}

#define AMD64(test) cmocka_unit_test_setup_teardown(test, make_amd64, drop)
#define ARM64(test) cmocka_unit_test_setup_teardown(test, make_arm64, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AMD64(frames_follow_their_sizes),
		AMD64(before_the_prologue_there_is_no_frame),
		AMD64(inlined_frames_stand_before_their_holder),
		AMD64(an_injected_call_returns_to_where_it_stood),
		AMD64(a_top_frame_ends_the_walk),
		AMD64(broken_stacks_say_why),
		AMD64(a_callback_from_c_is_walked_through),
		AMD64(a_frame_beyond_the_stack_is_refused),
		AMD64(a_stack_that_was_not_dumped_is_one),
		AMD64(the_deepest_stack_is_cut),
		AMD64(arguments_stand_above_the_return_address),
		AMD64(a_running_thread_has_its_arguments_where_the_code_put_them),
		AMD64(a_walk_starts_where_the_scheduler_left_it),
		AMD64(a_system_call_knows_better),
		AMD64(registers_know_best),
		ARM64(arm64_keeps_the_return_address_at_the_bottom),
		ARM64(arm64_injected_calls_push_the_link_register),
		ARM64(arm64_circles_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
