// SPDX-License-Identifier: Apache-2.0
// Who is named because nobody else can have written the map, and who else takes that away. main.main starts main.task
// once, main.task calls main.put, and that writes maps of the type.
#include "crash.h"

static struct crash crash;

static int make(void **state)
{
	crash_init(&crash);
	crash_detector(&crash);
	crash_start_task(&crash);
	return 0;
}

static int drop(void **state)
{
	crash_done(&crash);
	return 0;
}

static void assert_named(uint64_t id)
{
	const struct side *other = crash_explain(&crash)->other;

	assert_non_null(other);
	assert_int_equal(other->goroutine->id, id);
	assert_int_equal(other->confidence, CONFIDENCE_LIKELY);
	assert_string_equal(other->rule, "only_writer");
	assert_string_equal(other->site.function, "main.put");
	assert_int_equal(other->operation, MAP_ASSIGN);
	assert_non_null(strstr(other->witnesses.items[0].fact, "none but main.go:"));
}

/** The right candidate still comes first. */
static void assert_open(uint64_t id)
{
	crash_explain(&crash);
	assert_int_equal(crash.findings->death, DEATH_MAP_FATAL);
	assert_null(crash.findings->other);
	assert_true(crash.findings->candidate_count > 0);
	assert_non_null(crash.findings->candidates[0].goroutine);
	assert_int_equal(crash.findings->candidates[0].goroutine->id, id);
	assert_int_equal(crash.findings->candidates[0].confidence, CONFIDENCE_POSSIBLE);
}

static void who_runs_is_named(void **state)
{
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_named(2);
}

static void so_is_who_waits(void **state)
{
	crash_in_task(&crash, 2, GO_STATUS_WAITING, 0x10);
	assert_named(2);
}

/** It may have come straight from the write. */
static void so_is_who_is_past_it(void **state)
{
	crash_in_task(&crash, 2, GO_STATUS_WAITING, 0x80);
	assert_named(2);
}

/** Somebody else's stack may have been theirs before. */
static void whatever_traces_others_have(void **state)
{
	crash_in_task(&crash, 2, GO_STATUS_WAITING, 0x10);
	crash_has_written(&crash, 3, GO_STATUS_RUNNABLE, crash.map);
	assert_named(2);
	assert_int_equal(crash.findings->candidates[0].goroutine->id, 3);
}

static void locks_that_both_take_change_nothing(void **state)
{
	made_call(&crash.made, crash.write + 0x10, crash.lock);
	made_call(&crash.made, crash.read + 0x10, crash.lock);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_named(2);
}

static void not_where_a_loop_starts_them(void **state)
{
	made_jump(&crash.made, crash.main + 0x60, crash.main + 0x10);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_open(2);
}

/** Of a core that is cut off, or whose list of goroutines is. */
static void not_where_goroutines_are_missing(void **state)
{
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	crash.made.space.program.goroutines_missing = true;
	assert_open(2);
}

static void but_where_none_of_them_ends(void **state)
{
	made_jump(&crash.made, crash.main + 0x60, crash.main + 0x10);
	made_jump(&crash.made, crash.task + 0x60, crash.task + 0x10);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_named(2);
}

static void not_where_another_one_does_the_same(void **state)
{
	made_jump(&crash.made, crash.main + 0x60, crash.main + 0x10);
	made_jump(&crash.made, crash.task + 0x60, crash.task + 0x10);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	crash_in_task(&crash, 3, GO_STATUS_WAITING, 0x10);
	assert_open(2);
}

static void not_where_one_that_did_has_ended(void **state)
{
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	made_goroutine(&crash.made, 3, GO_STATUS_DEAD, crash.task);
	assert_open(2);
}

/** Who ran it is gone, and what is left is a trace in a stack that was used again. */
static void not_where_who_did_is_gone(void **state)
{
	crash_has_written(&crash, 2, GO_STATUS_RUNNABLE, crash.map);
	assert_open(2);
}

static void not_where_another_goroutine_comes_to_the_line(void **state)
{
	made_address(&crash.made, crash.main + 0x40, crash.work);
	made_call(&crash.made, crash.main + 0x50, crash.newproc);
	made_call(&crash.made, crash.work + 0x40, crash.write);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	made_push(&crash.made, made_goroutine(&crash.made, 3, GO_STATUS_WAITING, crash.work),
		  crash.work + 0x80);
	assert_open(2);
}

static void not_where_two_of_its_lines_write(void **state)
{
	made_map_call(&crash.made, crash.task + 0x90, crash.assign, crash.type, crash.variable);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_open(2);
}

static void two_writes_on_one_line_are_one(void **state)
{
	made_map_call(&crash.made, crash.write + 0x40, crash.assign, crash.type, crash.variable);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_named(2);
}

static void not_where_the_write_is_handed_to_somebody(void **state)
{
	made_address(&crash.made, crash.main + 0x60, crash.write);
	made_call(&crash.made, crash.main + 0x70, crash.lock);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_open(2);
}

static void not_where_a_variable_holds_it(void **state)
{
	made_variable(&crash.made, made_variable(&crash.made, crash.write));
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_open(2);
}

static void not_where_nobody_is_seen_to_call_another_line(void **state)
{
	made_map_call(&crash.made, crash.work + 0x20, crash.assign, crash.type, crash.variable);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	crash_explain(&crash);
	assert_null(crash.findings->other);
}

/** Two maps may have changed places since. */
static void not_where_a_line_writes_another_map_just_now(void **state)
{
	uint64_t other = made_variable(&crash.made, crash.other_map);

	made_map_call(&crash.made, crash.work + 0x20, crash.assign, crash.type, other);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_open(2);
}

/** The same map may be written under the name of another type. */
static void not_where_a_line_writes_what_it_may_be_converted_to(void **state)
{
	uint64_t numbers = made_map_type(&crash.made, "main.numbers[int]int");

	made_map_call(&crash.made, crash.work + 0x20, crash.assign, numbers, 0);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_open(2);
}

static void a_map_of_other_elements_is_another(void **state)
{
	uint64_t wrong = made_map_type(&crash.made, "map[int]uint8");

	made_map_call(&crash.made, crash.work + 0x20, crash.assign, wrong, 0);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_named(2);
}

static void a_package_that_sets_itself_up_is_nobody(void **state)
{
	made_map_call(&crash.made, crash.initializer + 0x20, crash.assign, crash.type,
		      crash.variable);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_named(2);
}

static void unless_it_starts_somebody(void **state)
{
	made_map_call(&crash.made, crash.initializer + 0x20, crash.assign, crash.type,
		      crash.variable);
	space_field(&crash.made.space, crash.made.stacks[0].g, GO_G_GOPC, crash.initializer + 0x10,
		    8);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	assert_open(2);
}

/** main.main called main.put before it started the detector's goroutine at @a started_at. */
static void main_wrote_before(unsigned started_at)
{
	size_t g = made_goroutine(&crash.made, 9, GO_STATUS_WAITING, crash.runtime_main);

	made_push(&crash.made, g, crash.runtime_main + 0x40);
	made_push(&crash.made, g, crash.main + 0x70);
	made_call(&crash.made, crash.main + 0x10, crash.write);
	space_field(&crash.made.space, crash.made.stacks[0].g, GO_G_PARENT_GOID, 9, 8);
	space_field(&crash.made.space, crash.made.stacks[0].g, GO_G_GOPC, crash.main + started_at,
		    8);
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
}

static void what_main_wrote_before_the_detector_was_started_is_over(void **state)
{
	main_wrote_before(0x35);
	assert_named(2);
}

static void what_main_wrote_after_it_is_not(void **state)
{
	main_wrote_before(0x8);
	assert_open(2);
}

/** Before Go 1.21: only that the detector, 77 now, was started in the function at @a creator, and that 1 is main. */
static void main_wrote_and_nobody_knows_who_started(uint64_t creator)
{
	main_wrote_before(0x35);
	space_field(&crash.made.space, crash.made.stacks[0].g, GO_G_GOID, 77, 8);
	space_field(&crash.made.space, crash.made.stacks[1].g, GO_G_GOID, 1, 8);
	space_field(&crash.made.space, crash.made.stacks[0].g, GO_G_PARENT_GOID, 0, 8);
	space_field(&crash.made.space, crash.made.stacks[0].g, GO_G_GOPC, creator + 0x35, 8);
}

static void only_main_runs_what_started_the_detector(void **state)
{
	main_wrote_and_nobody_knows_who_started(crash.main);
	assert_named(2);
}

/** Another goroutine ran it before main wrote; main runs it once more, later. */
static void main_may_not_have_started_the_detector(void **state)
{
	made_address(&crash.made, crash.main + 0x40, crash.helper);
	made_call(&crash.made, crash.main + 0x50, crash.newproc);
	made_call(&crash.made, crash.helper + 0x20, crash.starter);
	made_call(&crash.made, crash.main + 0x60, crash.starter);
	main_wrote_and_nobody_knows_who_started(crash.starter);
	assert_open(2);
}

static void in_the_act_goes_before(void **state)
{
	crash_in_task(&crash, 2, GO_STATUS_RUNNABLE, 0x10);
	crash_in(&crash, 3, crash.assign, crash.write_returns, crash.map);
	assert_int_equal(crash_explain(&crash)->other->goroutine->id, 3);
	assert_int_equal(crash.findings->other->confidence, CONFIDENCE_PROVEN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(who_runs_is_named),
		TEST(so_is_who_waits),
		TEST(so_is_who_is_past_it),
		TEST(whatever_traces_others_have),
		TEST(locks_that_both_take_change_nothing),
		TEST(not_where_a_loop_starts_them),
		TEST(not_where_goroutines_are_missing),
		TEST(but_where_none_of_them_ends),
		TEST(not_where_another_one_does_the_same),
		TEST(not_where_one_that_did_has_ended),
		TEST(not_where_who_did_is_gone),
		TEST(not_where_another_goroutine_comes_to_the_line),
		TEST(not_where_two_of_its_lines_write),
		TEST(two_writes_on_one_line_are_one),
		TEST(not_where_the_write_is_handed_to_somebody),
		TEST(not_where_a_variable_holds_it),
		TEST(not_where_nobody_is_seen_to_call_another_line),
		TEST(not_where_a_line_writes_another_map_just_now),
		TEST(not_where_a_line_writes_what_it_may_be_converted_to),
		TEST(a_map_of_other_elements_is_another),
		TEST(a_package_that_sets_itself_up_is_nobody),
		TEST(unless_it_starts_somebody),
		TEST(what_main_wrote_before_the_detector_was_started_is_over),
		TEST(what_main_wrote_after_it_is_not),
		TEST(only_main_runs_what_started_the_detector),
		TEST(main_may_not_have_started_the_detector),
		TEST(in_the_act_goes_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
