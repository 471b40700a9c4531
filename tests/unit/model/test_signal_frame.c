// SPDX-License-Identifier: Apache-2.0
// The kernel's ucontext on a signal stack: uc_stack at byte 16, {pointer, flags, size}; the interrupted
// registers at 160 and 168 (amd64), 424, 432 and 440 (arm64).
#include "model/stack/signal_frame.h"
#include "space.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define STACK_BYTES (32u << 10)

static struct space space;
static struct process_registers registers;
static struct thread thread;
static uint64_t lo;

static void stack_make(enum go_arch arch, uint64_t bytes)
{
	uint64_t gsignal;

	space_init(&space, 22, arch);
	gsignal = space_take(&space, 1024);
	lo = space_take(&space, bytes);
	space_field(&space, gsignal, GO_G_STACK_LO, lo, 8);
	space_field(&space, gsignal, GO_G_STACK_HI, lo + bytes, 8);
	registers = (struct process_registers){.sp = lo + 0x1000};
	thread = (struct thread){.gsignal = gsignal, .registers = &registers};
}

/** A context at @a at that says which stack it is on. */
static void context_put(uint64_t at, uint64_t bytes)
{
	bool arm64 = space.program.arch == GO_ARCH_ARM64;

	space_u64(&space, at + 16, lo);
	space_u64(&space, at + 32, bytes);
	space_u64(&space, at + (arm64 ? 440 : 168), 0x401234);
	space_u64(&space, at + (arm64 ? 432 : 160), 0xc000001000);
	space_u64(&space, at + (arm64 ? 424 : 184), 0x405678);
}

static void what_was_interrupted_is_found(void **state)
{
	for (int arch = GO_ARCH_AMD64; arch <= GO_ARCH_ARM64; arch++) {
		struct signal_frame frame;

		stack_make((enum go_arch)arch, STACK_BYTES);
		context_put(lo + 0x3000, STACK_BYTES);
		assert_true(signal_frame_find(&space.program, &thread, &frame));
		assert_int_equal(frame.interrupted.pc, 0x401234);
		assert_int_equal(frame.interrupted.sp, 0xc000001000);
		assert_int_equal(frame.interrupted.lr, arch == GO_ARCH_ARM64 ? 0x405678 : 0);
		assert_true(frame.interrupted.exact);
		space_done(&space);
	}
}

/** A handler that was interrupted itself: what the first one interrupted counts. */
static void the_outermost_context_counts(void **state)
{
	struct signal_frame frame;

	stack_make(GO_ARCH_AMD64, STACK_BYTES);
	context_put(lo + 0x3000, STACK_BYTES);
	context_put(lo + 0x2000, STACK_BYTES);
	space_u64(&space, lo + 0x2000 + 168, 0x402222);
	space_u64(&space, lo + 0x2000 + 160, lo + 0x2800);
	assert_true(signal_frame_find(&space.program, &thread, &frame));
	assert_int_equal(frame.interrupted.pc, 0x401234);
	space_done(&space);
}

static bool finds(void)
{
	struct signal_frame frame;
	bool found = signal_frame_find(&space.program, &thread, &frame);

	space_done(&space);
	return found;
}

static void other_stacks_have_no_context(void **state)
{
	stack_make(GO_ARCH_AMD64, STACK_BYTES);
	context_put(lo + 0x3000, STACK_BYTES);
	registers.sp = lo - 8;
	assert_false(finds());
	stack_make(GO_ARCH_AMD64, STACK_BYTES);
	context_put(lo + 0x800,
		    STACK_BYTES); // below the stack pointer: left from an earlier signal
	assert_false(finds());
	stack_make(GO_ARCH_AMD64, STACK_BYTES);
	context_put(lo + 0x3000, STACK_BYTES - 8); // of another stack
	assert_false(finds());
	stack_make(GO_ARCH_AMD64, STACK_BYTES);
	thread.registers = NULL;
	assert_false(finds());
}

static void a_signal_stack_is_not_huge(void **state)
{
	stack_make(GO_ARCH_AMD64, 512u << 10);
	context_put(lo + 0x3000, 512u << 10);
	assert_false(finds());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_interrupted_is_found),
		cmocka_unit_test(the_outermost_context_counts),
		cmocka_unit_test(other_stacks_have_no_context),
		cmocka_unit_test(a_signal_stack_is_not_huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
