// SPDX-License-Identifier: Apache-2.0
// Goroutines of a hand-made runtime.allgs.
#include "build_program.h"

#include "model/process/goroutine.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct made made;
static uint64_t work, sweep;

static int make(void **state)
{
	made_init(&made, 22, GO_ARCH_AMD64);
	work = made_function(&made, "main.work", 32);
	sweep = made_function(&made, "runtime.bgsweep", 32);
	made_open(&made);
	return 0;
}

static int drop(void **state)
{
	made_done(&made);
	return 0;
}

static void the_living_by_number_then_the_dead(void **state)
{
	const struct program *program = &made.space.program;

	made_goroutine(&made, 3, GO_STATUS_DEAD, work);
	made_goroutine(&made, 9, GO_STATUS_RUNNABLE, work);
	made_goroutine(&made, 2, GO_STATUS_IDLE, work);
	made_goroutine(&made, 4, GO_STATUS_WAITING, work);
	made_read(&made);
	assert_int_equal(program->goroutine_count, 4);
	assert_int_equal(program->live_count, 2);
	assert_int_equal(program->goroutines[0].id, 4);
	assert_int_equal(program->goroutines[1].id, 9);
	assert_int_equal(program->goroutines[2].id, 2);
	assert_int_equal(program->goroutines[3].id, 3);
	assert_ptr_equal(program_goroutine(&made.space.program, 9), &program->goroutines[1]);
	assert_null(program_goroutine(&made.space.program, 3));
}

static void the_collectors_bit_is_no_state(void **state)
{
	made_goroutine(&made, 1, GO_STATUS_WAITING | GO_STATUS_SCAN, work);
	made_read(&made);
	assert_int_equal(made_goroutine_of(&made, 1)->status, GO_STATUS_WAITING);
}

static void what_it_waits_for_is_a_number_by_version(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, work);
	size_t running = made_goroutine(&made, 2, GO_STATUS_RUNNABLE, work);

	// waitReasonChanReceive (runtime/runtime2.go@1.22)
	space_field(&made.space, made.stacks[g].g, GO_G_WAITREASON, 14, 1);
	space_field(&made.space, made.stacks[running].g, GO_G_WAITREASON, 14, 1);
	made_read(&made);
	assert_string_equal(made_goroutine_of(&made, 1)->wait_reason, "chan receive");
	assert_string_equal(made_goroutine_of(&made, 2)->wait_reason, ""); // of an earlier wait
}

static void where_it_began_says_whose_it_is(void **state)
{
	size_t first = made_goroutine(&made, 1, GO_STATUS_WAITING, work);
	size_t g = made_goroutine(&made, 3, GO_STATUS_WAITING, work);

	made_goroutine(&made, 2, GO_STATUS_WAITING, sweep);
	space_field(&made.space, made.stacks[first].g, GO_G_GOPC, work + 0x80, 8);
	space_field(&made.space, made.stacks[g].g, GO_G_GOPC, work + 0x80, 8);
	space_field(&made.space, made.stacks[g].g, GO_G_PARENT_GOID, 77, 8);
	made_read(&made);
	assert_string_equal(made_goroutine_of(&made, 3)->start_function, "main.work");
	assert_false(made_goroutine_of(&made, 3)->system);
	assert_string_equal(made_goroutine_of(&made, 3)->created_by.function, "main.work");
	assert_int_equal(made_goroutine_of(&made, 3)->created_by.line, 20);
	assert_int_equal(made_goroutine_of(&made, 3)->parent_id, 77);
	assert_null(made_goroutine_of(&made, 1)->created_by.function); // the start-up code's
	assert_true(made_goroutine_of(&made, 2)->system);
	assert_null(made_goroutine_of(&made, 2)->created_by.function);
}

/** The latest time that the runtime noted anywhere is now. */
static void waits_are_counted_back_from_the_latest_time(void **state)
{
	size_t a = made_goroutine(&made, 1, GO_STATUS_WAITING, work);
	size_t b = made_goroutine(&made, 2, GO_STATUS_WAITING, work);

	made_goroutine(&made, 3, GO_STATUS_WAITING, work);
	space_field(&made.space, made.stacks[a].g, GO_G_WAITSINCE, 1000, 8);
	space_field(&made.space, made.stacks[b].g, GO_G_WAITSINCE, 4500, 8);
	made_read(&made);
	assert_int_equal(made_goroutine_of(&made, 1)->wait_ns, 3500);
	assert_int_equal(made_goroutine_of(&made, 2)->wait_ns, 0);
	assert_int_equal(made_goroutine_of(&made, 3)->wait_ns, -1);
}

static void dead_stack_ends_where_it_stands(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, work);

	made_push(&made, g, work + 0x20);
	made_goroutine(&made, 2, GO_STATUS_DEAD, work);
	made_read(&made);
	assert_int_equal(made_goroutine_of(&made, 1)->live_sp, made.stacks[g].sp);
	assert_int_equal(made_goroutine_of(&made, 2)->live_sp, made.stacks[1].hi);
}

static void an_impossible_stack_is_none(void **state)
{
	size_t g = made_goroutine(&made, 1, GO_STATUS_WAITING, work);

	space_field(&made.space, made.stacks[g].g, GO_G_STACK_LO, 0, 8);
	made_read(&made);
	assert_int_equal(made_goroutine_of(&made, 1)->stack_hi, 0);
}

static void a_cut_list_is_read_as_far_as_it_goes(void **state)
{
	struct program *program = &made.space.program;
	uint64_t list = SPACE_START + SPACE_BYTES - 16;

	made_goroutine(&made, 1, GO_STATUS_WAITING, work);
	made_goroutine(&made, 2, GO_STATUS_WAITING, work);
	made_read(&made);
	assert_false(program->goroutines_missing);
	program->goroutine_count = program->live_count = 0;
	space_u64(&made.space, list, made.stacks[0].g);
	space_u64(&made.space, list + 8, made.stacks[1].g);
	space_u64(&made.space, made.allgs, list);
	space_u64(&made.space, made.allgs + 8, UINT64_MAX);
	goroutines_read(program);
	assert_int_equal(program->goroutine_count, 2);
	assert_string_equal(program->gaps.items[program->gaps.count - 1].what, "some goroutines");
	assert_true(program->goroutines_missing);
}

static void one_that_memory_lacks_is_missed(void **state)
{
	struct program *program = &made.space.program;
	uint64_t list;

	made_goroutine(&made, 1, GO_STATUS_WAITING, work);
	made_goroutine(&made, 2, GO_STATUS_WAITING, work);
	made_read(&made);
	program->goroutine_count = program->live_count = 0;
	assert_true(memory_u64(program->memory, made.allgs, &list));
	space_u64(&made.space, list + 8, 0x10); // no memory is there
	goroutines_read(program);
	assert_int_equal(program->goroutine_count, 1);
	assert_true(program->goroutines_missing);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(the_living_by_number_then_the_dead),
		TEST(the_collectors_bit_is_no_state),
		TEST(what_it_waits_for_is_a_number_by_version),
		TEST(where_it_began_says_whose_it_is),
		TEST(waits_are_counted_back_from_the_latest_time),
		TEST(dead_stack_ends_where_it_stands),
		TEST(an_impossible_stack_is_none),
		TEST(a_cut_list_is_read_as_far_as_it_goes),
		TEST(one_that_memory_lacks_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
