// SPDX-License-Identifier: Apache-2.0
// Who is named, and how sure, for each kind of trace that a goroutine can leave.
#include "crash.h"

static struct crash crash;

static int make(void **state)
{
	crash_init(&crash);
	crash_detector(&crash);
	return 0;
}

static int drop(void **state)
{
	crash_done(&crash);
	return 0;
}

static void assert_other(uint64_t id, enum confidence confidence, const char *rule)
{
	const struct side *other = crash_explain(&crash)->other;

	assert_non_null(other);
	assert_int_equal(other->goroutine->id, id);
	assert_int_equal(other->confidence, confidence);
	assert_string_equal(other->rule, rule);
	assert_int_equal(crash.findings->detector->goroutine->id, 1);
	assert_int_equal(crash.findings->confidence, confidence);
	assert_true(other->witnesses.count > 0);
}

static void assert_candidate(size_t i, uint64_t id, const char *rule)
{
	const struct side *candidate = &crash.findings->candidates[i];

	assert_true(i < crash.findings->candidate_count);
	assert_int_equal(candidate->goroutine->id, id);
	assert_int_equal(candidate->confidence, CONFIDENCE_POSSIBLE);
	assert_string_equal(candidate->rule, rule);
}

static void assert_nobody(void)
{
	crash_explain(&crash);
	assert_int_equal(crash.findings->death, DEATH_MAP_FATAL);
	assert_null(crash.findings->other);
	for (size_t i = 0; i < crash.findings->candidate_count; i++)
		assert_null(crash.findings->candidates[i].goroutine);
	assert_int_equal(crash.findings->confidence, crash.findings->candidate_count
							     ? CONFIDENCE_POSSIBLE
							     : CONFIDENCE_UNKNOWN);
	assert_true(crash_has_gap(&crash, "the other goroutine, beyond doubt"));
}

static void a_write_in_progress_is_proof(void **state)
{
	crash_in(&crash, 2, crash.assign, crash.write_returns, crash.map);
	crash_has_written(&crash, 3, GO_STATUS_RUNNABLE, crash.map);
	assert_other(2, CONFIDENCE_PROVEN, "in_write_op");
	assert_int_equal(crash.findings->other->operation, MAP_ASSIGN);
	assert_string_equal(crash.findings->other->site.function, "main.put");
	assert_int_equal(crash.findings->map.address, crash.map);
	assert_int_equal(crash.findings->map.sure, CONFIDENCE_PROVEN);
	assert_candidate(0, 3, "ghost_write");
	assert_false(crash_has_gap(&crash, "the other goroutine, beyond doubt"));
}

static void a_second_detector_is_proof(void **state)
{
	crash_in_fatal(&crash, 2, crash.assign, crash.write_returns, crash.map);
	assert_other(2, CONFIDENCE_PROVEN, "second_detector");
}

/** The detector's frames lost the map; its caller has one at hand that fits, and that another goroutine writes in turn with it. */
static void nobody_is_surer_than_the_map(void **state)
{
	made_local(&crash.made, crash_in(&crash, 2, crash.assign, crash.write_returns, crash.map),
		   0, 0);
	// the first goroutine's slot for the map, above the return address in main.get's frame
	space_u64(&crash.made.space, crash.made.stacks[0].hi - 64 - 8 - 64 + 8, 0);
	space_u64(&crash.made.space, crash.made.stacks[0].hi - 64 - 8 - 64 + 24, crash.map);
	assert_null(crash_explain(&crash)->other);
	assert_candidate(0, 2, "in_write_op");
	assert_int_equal(crash.findings->map.address, crash.map);
	assert_int_equal(crash.findings->map.sure, CONFIDENCE_POSSIBLE);
}

/** It tells no time: it may be of a write from before anybody shared the map, or of who had the stack before. */
static void the_only_fresh_trace_is_no_proof(void **state)
{
	crash_has_written(&crash, 2, GO_STATUS_RUNNABLE, crash.map);
	assert_null(crash_explain(&crash)->other);
	assert_candidate(0, 2, "ghost_write");
	assert_string_equal(crash.findings->candidates[0].site.function, "main.put");
	assert_int_equal(crash.findings->candidates[0].operation, MAP_ASSIGN);
}

static void one_of_two_fresh_traces_is_not(void **state)
{
	crash_has_written(&crash, 2, GO_STATUS_RUNNABLE, crash.map);
	crash_has_written(&crash, 3, GO_STATUS_RUNNABLE, crash.map);
	assert_null(crash_explain(&crash)->other);
	assert_int_equal(crash.findings->candidate_count, 2);
	assert_candidate(0, 2, "ghost_write");
	assert_candidate(1, 3, "ghost_write");
	assert_int_equal(crash.findings->confidence, CONFIDENCE_POSSIBLE);
	assert_true(crash_has_gap(&crash, "the other goroutine, beyond doubt"));
}

static void a_write_of_an_unknown_map_casts_doubt_on_a_trace(void **state)
{
	size_t g = crash_in(&crash, 2, crash.assign, crash.write_returns, 0);

	// two maps stand in its frames: it may be either
	made_local(&crash.made, g, 0, crash.map);
	made_local(&crash.made, g, 2, crash.other_map);
	crash_has_written(&crash, 3, GO_STATUS_RUNNABLE, crash.map);
	assert_null(crash_explain(&crash)->other);
	assert_candidate(0, 2, "in_write_op_same_type");
	assert_candidate(1, 3, "ghost_write");
}

static void a_write_whose_frames_lack_the_map_is_of_another(void **state)
{
	crash_in(&crash, 2, crash.assign, crash.write_returns, 0);
	crash_has_written(&crash, 3, GO_STATUS_RUNNABLE, crash.map);
	assert_null(crash_explain(&crash)->other);
	assert_int_equal(crash.findings->candidate_count, 1);
	assert_candidate(0, 3, "ghost_write");
}

static void weaker_traces_follow_in_order(void **state)
{
	crash_has_written(&crash, 5, GO_STATUS_DEAD, crash.map);
	space_field(&crash.made.space, crash.made.stacks[1].g, GO_G_STACK_HI,
		    crash.made.stacks[1].hi, 8);
	crash_has_written(&crash, 4, GO_STATUS_WAITING, crash.map);
	crash_will_write(&crash, 3, GO_STATUS_RUNNABLE);
	crash_will_write(&crash, 2, GO_STATUS_WAITING);
	assert_null(crash_explain(&crash)->other);
	assert_int_equal(crash.findings->candidate_count, 4);
	// a trace of this very map outweighs a way to a write of such a map
	assert_candidate(0, 4, "ghost_write_parked");
	assert_candidate(1, 3, "reach_runnable");
	assert_candidate(2, 5, "ghost_write_ended");
	assert_candidate(3, 2, "reach_parked");
}

/** Goroutine 5 is past its write for good; it started the detector's goroutine at @a started_at. */
static void past_and_started_at(uint64_t started_at)
{
	size_t g = made_goroutine(&crash.made, 5, GO_STATUS_RUNNABLE, crash.work);

	made_push(&crash.made, g, crash.write + 0x70);
	made_local(&crash.made, g, 2, crash.map);
	space_field(&crash.made.space, crash.made.stacks[0].g, GO_G_PARENT_GOID, 5, 8);
	space_field(&crash.made.space, crash.made.stacks[0].g, GO_G_GOPC, started_at, 8);
}

static void a_write_before_the_detector_was_started_is_innocent(void **state)
{
	past_and_started_at(crash.write + 0x60);
	crash_explain(&crash);
	assert_null(crash.findings->other);
	assert_int_equal(crash.findings->innocent_count, 1);
	assert_int_equal(crash.findings->innocents[0].goroutine->id, 5);
	for (size_t i = 0; i < crash.findings->candidate_count; i++)
		assert_true(!crash.findings->candidates[i].goroutine ||
			    crash.findings->candidates[i].goroutine->id != 5);
}

static void a_write_after_it_is_not(void **state)
{
	past_and_started_at(crash.write + 0x10);
	crash_explain(&crash);
	assert_int_equal(crash.findings->innocent_count, 0);
	assert_candidate(0, 5, "reach_runnable");
}

static void who_cannot_get_at_the_map_is_no_suspect(void **state)
{
	size_t g = crash_will_write(&crash, 2, GO_STATUS_RUNNABLE);

	made_local(&crash.made, g, 2, crash.other_map);
	assert_nobody();
}

static void a_trace_of_another_map_is_none(void **state)
{
	crash_has_written(&crash, 2, GO_STATUS_RUNNABLE, crash.other_map);
	assert_nobody();
}

static void readers_are_innocent(void **state)
{
	crash_in(&crash, 2, crash.access, crash.read_returns, crash.map);
	assert_nobody();
	assert_int_equal(crash.findings->innocent_count, 1);
	assert_int_equal(crash.findings->innocents[0].goroutine->id, 2);
	assert_string_equal(crash.findings->innocents[0].site.function, "main.get");
	assert_string_equal(crash.findings->innocents[0].ruled_out,
			    "it was reading; the other party of a map fatal is always a writer");
}

static void writers_of_other_maps_are_innocent(void **state)
{
	char expected[64];

	crash_in(&crash, 2, crash.assign, crash.write_returns, crash.other_map);
	assert_nobody();
	assert_int_equal(crash.findings->innocent_count, 1);
	snprintf(expected, sizeof(expected), "its map is another one, at %#llx",
		 (unsigned long long)crash.other_map);
	assert_string_equal(crash.findings->innocents[0].ruled_out, expected);
}

static void the_runtime_itself_is_never_accused(void **state)
{
	size_t g = made_goroutine(&crash.made, 2, GO_STATUS_RUNNABLE, crash.sweep);

	made_push(&crash.made, g, crash.sweep + 0x40);
	made_ghost(&crash.made, g, 256, crash.write_returns, crash.map);
	assert_nobody();
}

static size_t at_work(uint64_t id)
{
	size_t g = made_goroutine(&crash.made, id, GO_STATUS_RUNNABLE, crash.work);

	made_push(&crash.made, g, crash.work + 0x10);
	made_local(&crash.made, g, 2, crash.map);
	return g;
}

/** Somebody else may have been, and be gone. */
static void a_writer_at_work_is_a_candidate(void **state)
{
	made_map_call(&crash.made, crash.work + 0x20, crash.assign, crash.type, crash.variable);
	at_work(2);
	assert_null(crash_explain(&crash)->other);
	assert_candidate(0, 2, "reach_runnable");
	assert_string_equal(crash.findings->candidates[0].site.function, "main.work");
}

/** The goroutine may be the right one; which of its lines it was is not known. */
static void a_writer_with_two_lines_is_a_candidate(void **state)
{
	made_map_call(&crash.made, crash.work + 0x20, crash.assign, crash.type, crash.variable);
	made_map_call(&crash.made, crash.work + 0x60, crash.assign, crash.type, crash.variable);
	at_work(2);
	assert_null(crash_explain(&crash)->other);
	assert_candidate(0, 2, "reach_runnable");
}

static void assert_line(size_t i, const char *function, const char *rule)
{
	const struct side *candidate = &crash.findings->candidates[i];

	assert_true(i < crash.findings->candidate_count);
	assert_null(candidate->goroutine);
	assert_int_equal(candidate->confidence, CONFIDENCE_POSSIBLE);
	assert_string_equal(candidate->site.function, function);
	assert_string_equal(candidate->rule, rule);
}

static void without_suspects_only_lines_are_named(void **state)
{
	assert_nobody();
	assert_int_equal(crash.findings->candidate_count, 1);
	assert_line(0, "main.put", "write_site_of_type");
	for (size_t i = 0; i < crash.findings->advice_count; i++)
		assert_null(strstr(crash.findings->advice[i].text, "the write at"));
}

/** Where the code names the variable, lines that write any map of the type are no news. */
static void the_line_that_writes_the_variable_is_named(void **state)
{
	made_map_call(&crash.made, crash.work + 0x20, crash.assign, crash.type, crash.variable);
	assert_nobody();
	assert_int_equal(crash.findings->candidate_count, 1);
	assert_line(0, "main.work", "write_site");
	assert_int_equal(crash.findings->candidates[0].operation, MAP_ASSIGN);
	assert_non_null(strstr(crash.findings->sentence, "main.work"));
}

static void what_ran_before_main_is_no_candidate(void **state)
{
	made_map_call(&crash.made, crash.initializer + 0x20, crash.assign, crash.type,
		      crash.variable);
	assert_nobody();
	assert_int_equal(crash.findings->candidate_count, 1);
	assert_line(0, "main.put", "write_site_of_type");
}

/** Who waits near a write of some map of the type comes after the line that writes this one. */
static void a_line_goes_before_who_may_write_another_map(void **state)
{
	made_map_call(&crash.made, crash.work + 0x20, crash.assign, crash.type, crash.variable);
	crash_will_write(&crash, 2, GO_STATUS_WAITING);
	assert_null(crash_explain(&crash)->other);
	assert_line(0, "main.work", "write_site");
	assert_candidate(1, 2, "reach_parked");
}

static const struct advice *advised(const char *pattern)
{
	for (size_t i = 0; i < crash.findings->advice_count; i++)
		if (!strcmp(crash.findings->advice[i].pattern, pattern))
			return &crash.findings->advice[i];
	return NULL;
}

static void a_write_under_a_shared_lock_is_told(void **state)
{
	made_call(&crash.made, crash.work + 0x10, crash.shared_lock);
	made_map_call(&crash.made, crash.work + 0x20, crash.assign, crash.type, crash.variable);
	assert_nobody();
	assert_non_null(advised("P5"));
	assert_non_null(strstr(advised("P5")->text, "takes RLock alone"));
	assert_null(advised("lock"));
}

static void a_write_under_a_lock_is_not_taken_for_one(void **state)
{
	made_call(&crash.made, crash.work + 0x10, crash.lock);
	made_map_call(&crash.made, crash.work + 0x20, crash.assign, crash.type, crash.variable);
	assert_nobody();
	assert_null(advised("P5"));
	assert_non_null(advised("lock"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(a_write_in_progress_is_proof),
		TEST(a_second_detector_is_proof),
		TEST(nobody_is_surer_than_the_map),
		TEST(the_only_fresh_trace_is_no_proof),
		TEST(one_of_two_fresh_traces_is_not),
		TEST(a_write_of_an_unknown_map_casts_doubt_on_a_trace),
		TEST(a_write_whose_frames_lack_the_map_is_of_another),
		TEST(weaker_traces_follow_in_order),
		TEST(a_write_before_the_detector_was_started_is_innocent),
		TEST(a_write_after_it_is_not),
		TEST(who_cannot_get_at_the_map_is_no_suspect),
		TEST(a_trace_of_another_map_is_none),
		TEST(readers_are_innocent),
		TEST(writers_of_other_maps_are_innocent),
		TEST(the_runtime_itself_is_never_accused),
		TEST(a_writer_at_work_is_a_candidate),
		TEST(a_writer_with_two_lines_is_a_candidate),
		TEST(without_suspects_only_lines_are_named),
		TEST(the_line_that_writes_the_variable_is_named),
		TEST(what_ran_before_main_is_no_candidate),
		TEST(a_line_goes_before_who_may_write_another_map),
		TEST(a_write_under_a_shared_lock_is_told),
		TEST(a_write_under_a_lock_is_not_taken_for_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
