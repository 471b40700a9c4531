// SPDX-License-Identifier: Apache-2.0
// Whom the flight recorder's record names, how sure, and when it names nobody. Goroutine 1's check has failed, at place
// 10 of the map's order unless the test says otherwise.
#include "findings/derive.h"
#include "crash.h"

#include "../evidence/flight_build.h"
#include "model/process/recording.h"

#define PLACE   10u
#define OUTSIDE (~(uint64_t)FLIGHT_INSIDE)
#define NOBODY  "the other goroutine, by the flight recorder"

struct births {
	struct built built;
	struct flight_birth table[2][1u << FLIGHT_BIRTH_BITS];
};

static struct crash crash;
static struct built *built;
static struct flight *flight;

static int make(void **state)
{
	crash_init(&crash);
	crash_detector(&crash);
	built = flight_build(crash.made.text);
	built->detections[0] = (struct flight_detection){
		.complete = 1,
		.goroutine = 1,
		.map = crash.map,
		.order = (uint64_t)PLACE << 32 | 2,
		.site = 2,
	};
	flight = NULL;
	return 0;
}

static int drop(void **state)
{
	crash_done(&crash);
	flight_close(flight);
	return 0;
}

static void inside(size_t i, uint32_t goroutine, uint32_t place)
{
	built->slots[i] = flight_build_slot(goroutine, crash.map, place, crash.write_returns,
					    crash.work + 0x40);
}

static void has_left(size_t i, uint32_t goroutine, uint32_t left)
{
	inside(i, goroutine, left);
	built->slots[i].who &= OUTSIDE;
	built->slots[i].left = left;
}

static void fails_at(uint32_t place) { built->detections[0].order = (uint64_t)place << 32 | 2; }

static const struct findings *explain_file(const void *bytes, size_t size)
{
	scoped(error) struct error *error = flight_read(bytes, size, place_whole("built"), &flight);

	assert_null(error);
	made_read(&crash.made);
	recording_read(&crash.made.space.program, flight);
	crash.findings = findings_derive(&crash.made.space.program);
	assert_int_equal(crash.findings->death, DEATH_MAP_FATAL);
	return crash.findings;
}

static const struct findings *explain(void) { return explain_file(built, sizeof(*built)); }

static void assert_named(uint64_t id, enum confidence confidence)
{
	const struct side *other = explain()->other;

	assert_non_null(other);
	assert_int_equal(other->goroutine->id, id);
	assert_int_equal(other->confidence, confidence);
	assert_int_equal(crash.findings->confidence, confidence);
	assert_string_equal(other->rule, "flight_record");
	assert_string_equal(other->site.function, "main.put");
	assert_int_equal(other->operation, MAP_ASSIGN);
	assert_true(other->witnesses.count > 0);
	assert_false(crash_has_gap(&crash, NOBODY));
}

static void assert_nobody(const char *why)
{
	const struct gap_list *gaps = &crash.made.space.program.gaps;

	explain();
	assert_null(crash.findings->other);
	for (size_t i = 0; i < gaps->count; i++)
		if (!strcmp(gaps->items[i].what, NOBODY) && strstr(gaps->items[i].why, why))
			return;
	fail_msg("no gap says \"%s\"", why);
}

static void who_was_inside_is_proven(void **state)
{
	inside(0, 2, PLACE);
	assert_named(2, CONFIDENCE_PROVEN);
	assert_int_equal(crash.findings->map.address, crash.map);
	assert_int_equal(crash.findings->map.sure, CONFIDENCE_PROVEN);
	assert_int_equal(crash.findings->candidate_count, 0);
}

static void who_left_since_it_began_is_proven(void **state)
{
	has_left(0, 2, PLACE);
	assert_named(2, CONFIDENCE_PROVEN);
}

static void who_left_before_is_not_named(void **state)
{
	has_left(0, 2, PLACE - 1);
	assert_nobody("nobody is on record inside a write of this map");
}

/** It had set the flag and found it cleared: the look at the place may have come before its own store was seen. */
static void a_writer_that_noticed_counts_the_place_before_its_own(void **state)
{
	inside(0, 1, PLACE);
	has_left(1, 2, PLACE - 1);
	assert_named(2, CONFIDENCE_PROVEN);
}

static void but_not_two_before(void **state)
{
	inside(0, 1, PLACE);
	has_left(1, 2, PLACE - 2);
	assert_nobody("nobody is on record inside a write of this map");
}

/** Goroutine 2 wrote before goroutine 1 took the map over; who took it over from that is not on record any more. */
static void who_was_there_before_is_not_named_for_one_whose_record_is_gone(void **state)
{
	inside(0, 1, PLACE - 1);
	has_left(1, 2, PLACE - 2);
	assert_nobody("another goroutine took the map over during the failed operation");
}

static void but_who_took_it_over_is(void **state)
{
	inside(0, 1, PLACE - 1);
	has_left(1, 2, PLACE - 2);
	has_left(2, 3, PLACE);
	assert_named(3, CONFIDENCE_PROVEN);
	assert_int_equal(crash.findings->candidate_count, 0); // 2 may have left long before
}

/** What stood at the map's address before was another map. */
static void a_write_of_an_earlier_map_is_none_of_this_one(void **state)
{
	inside(0, 1, PLACE);
	has_left(1, 2, PLACE - 1);
	flight_build_era(built, crash.map, PLACE);
	assert_nobody("no other goroutine's write of this map is on record");
	assert_int_equal(crash.findings->map.writer_count, 1);
	assert_int_equal(crash.findings->map.writers[0].goroutine->id, 1);
}

static void nor_is_one_of_a_map_on_its_writers_stack(void **state)
{
	inside(0, 2, PLACE);
	built->slots[0].who |= FLIGHT_ON_STACK;
	assert_nobody("no other goroutine's write of this map is on record");
}

static void the_order_wraps(void **state)
{
	fails_at(UINT32_MAX);
	has_left(0, 2, 1);
	has_left(1, 3, UINT32_MAX - 1);
	assert_named(2, CONFIDENCE_PROVEN);
	assert_int_equal(crash.findings->candidate_count, 0);
}

static void a_place_before_the_wrap_is_earlier(void **state)
{
	fails_at(0);
	has_left(0, 2, UINT32_MAX);
	assert_nobody("nobody is on record inside a write of this map");
}

static void inside_comes_before_left_and_others_are_candidates(void **state)
{
	has_left(0, 2, PLACE + 2);
	inside(1, 3, PLACE);
	has_left(2, 4, PLACE - 1);
	assert_named(3, CONFIDENCE_PROVEN);
	assert_int_equal(crash.findings->candidate_count, 1);
	assert_int_equal(crash.findings->candidates[0].goroutine->id, 2);
	assert_int_equal(crash.findings->candidates[0].confidence, CONFIDENCE_POSSIBLE);
	assert_int_equal(crash.findings->candidates[0].role, SIDE_CANDIDATE);
}

static void the_later_of_two_inside(void **state)
{
	inside(0, 2, PLACE + 1);
	inside(1, 3, PLACE);
	assert_named(2, CONFIDENCE_PROVEN);
	assert_int_equal(crash.findings->candidates[0].goroutine->id, 3);
}

static void two_that_left_at_once_leave_it_open(void **state)
{
	has_left(0, 2, PLACE + 1);
	has_left(1, 3, PLACE + 1);
	assert_nobody("two goroutines left their writes of this map at the same time");
}

static void where_a_write_may_be_unseen_it_is_likely_only(void **state)
{
	built->header.complete = 0;
	inside(0, 2, PLACE);
	assert_named(2, CONFIDENCE_LIKELY);
}

static void where_one_may_have_been_under_way_it_is_likely_only(void **state)
{
	built->header.begun_in_operation = 1;
	has_left(0, 2, PLACE);
	assert_named(2, CONFIDENCE_LIKELY);
}

static void another_maps_writer_is_not_named(void **state)
{
	built->slots[0] = flight_build_slot(2, crash.other_map, PLACE, crash.write_returns,
					    crash.work + 0x40);
	assert_nobody("no other goroutine's write of this map is on record");
}

static void its_own_write_is_not_the_other_side(void **state)
{
	inside(0, 1, PLACE);
	assert_nobody("no other goroutine's write of this map is on record");
}

static void a_check_that_is_not_on_record_names_nobody(void **state)
{
	built->detections[0].goroutine = 9;
	inside(0, 2, PLACE);
	assert_nobody("the check that failed is not on record");
}

static void nor_one_whose_map_is_not_known(void **state)
{
	built->detections[0].map = 0;
	inside(0, 2, PLACE);
	assert_nobody("the code did not tell which map the failed check was of");
}

/** Goroutine 1's check was the second to fail; the one at which recording stopped was @a goroutine's, of @a map. */
static void stopped_before_by(uint32_t goroutine, uint64_t map)
{
	struct flight_detection *first = &built->detections[0];

	built->detections[1] = *first;
	first->goroutine = goroutine;
	first->map = map;
	first->sp = 0x1000;
	first->stack_bytes = sizeof(first->stack);
	memcpy(first->stack + built->sites[2].return_offset, &crash.write_returns,
	       sizeof(crash.write_returns));
}

static void what_was_before_recording_stopped_does_not_explain_a_later_check(void **state)
{
	stopped_before_by(9, crash.other_map);
	inside(0, 2, PLACE);
	has_left(1, 3, PLACE);
	assert_nobody("recording had stopped at another goroutine's check before this one failed");
}

static void nor_where_the_first_check_was_not_kept_whole(void **state)
{
	stopped_before_by(9, crash.map);
	built->detections[0].complete = 0;
	inside(0, 2, PLACE);
	assert_nobody("recording had stopped at another goroutine's check before this one failed");
}

static void of_two_that_gave_up_on_one_map_each_is_the_others_other_side(void **state)
{
	stopped_before_by(9, crash.map);
	inside(0, 2, PLACE);
	assert_named(9, CONFIDENCE_PROVEN);
}

static void but_not_when_that_one_read(void **state)
{
	stopped_before_by(9, crash.map);
	built->sites[0] = built->sites[2];
	built->sites[0].operation = MAP_READ;
	built->detections[0].site = 0;
	assert_nobody("recording had stopped at another goroutine's check before this one failed");
}

static void reads_are_told_and_accuse_nobody(void **state)
{
	const struct conflict_map *map;

	has_left(0, 2, PLACE - 2);
	for (uint32_t i = 0; i < 3; i++) {
		inside(i + 1, 4 + i, PLACE - 2 + i);
		built->reads[i] = built->slots[i + 1];
		built->reads[i].who &= OUTSIDE;
		built->slots[i + 1] = (struct flight_slot){0};
	}
	assert_nobody("nobody is on record inside a write of this map");
	map = &crash.findings->map;
	assert_int_equal(map->reader_count, 3);
	assert_int_equal(map->readers[0].goroutine->id, 6);
	assert_int_equal(map->readers[0].turns, 0);
	assert_int_equal(map->readers[2].goroutine->id, 4);
	assert_int_equal(map->readers[2].turns, 2);
	assert_string_equal(map->readers[0].site.function, "main.put");
	assert_int_equal(map->writer_count, 1);
	assert_int_equal(map->writers[0].goroutine->id, 2);
	assert_int_equal(crash.findings->candidate_count, 0);
}

static struct flight_birth birth_of(uint64_t map, uint32_t goroutine, uint64_t caller)
{
	return (struct flight_birth){.map = (uint32_t)(map >> FLIGHT_MAP_SHIFT),
				     .goroutine = goroutine,
				     .caller = (uint32_t)caller};
}

static void who_made_it_and_who_grew_it(void **state)
{
	size_t index = crash.map >> FLIGHT_BIRTH_SHIFT & ((1u << FLIGHT_BIRTH_BITS) - 1);
	g_autofree struct births *births = g_new0(struct births, 1);

	built->header.total_bytes = sizeof(*births);
	built->header.births_offset = offsetof(struct births, table);
	built->header.birth_count = 1u << FLIGHT_BIRTH_BITS;
	births->built = *built;
	births->table[0][index] = birth_of(crash.map, 5, crash.write_returns);
	births->table[1][index] = birth_of(crash.other_map, 6, crash.write_returns);
	explain_file(births, sizeof(*births));
	assert_int_equal(crash.findings->map.made_by->id, 5);
	assert_int_equal(crash.findings->map.made_at_count, 1);
	assert_string_equal(crash.findings->map.made_at->function, "main.put");
	assert_null(crash.findings->map.grown_by); // the place has another map by now
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		CASE(who_was_inside_is_proven),
		CASE(who_left_since_it_began_is_proven),
		CASE(who_left_before_is_not_named),
		CASE(a_writer_that_noticed_counts_the_place_before_its_own),
		CASE(but_not_two_before),
		CASE(who_was_there_before_is_not_named_for_one_whose_record_is_gone),
		CASE(but_who_took_it_over_is),
		CASE(a_write_of_an_earlier_map_is_none_of_this_one),
		CASE(nor_is_one_of_a_map_on_its_writers_stack),
		CASE(the_order_wraps),
		CASE(a_place_before_the_wrap_is_earlier),
		CASE(inside_comes_before_left_and_others_are_candidates),
		CASE(the_later_of_two_inside),
		CASE(two_that_left_at_once_leave_it_open),
		CASE(where_a_write_may_be_unseen_it_is_likely_only),
		CASE(where_one_may_have_been_under_way_it_is_likely_only),
		CASE(another_maps_writer_is_not_named),
		CASE(its_own_write_is_not_the_other_side),
		CASE(a_check_that_is_not_on_record_names_nobody),
		CASE(nor_one_whose_map_is_not_known),
		CASE(what_was_before_recording_stopped_does_not_explain_a_later_check),
		CASE(nor_where_the_first_check_was_not_kept_whole),
		CASE(of_two_that_gave_up_on_one_map_each_is_the_others_other_side),
		CASE(but_not_when_that_one_read),
		CASE(reads_are_told_and_accuse_nobody),
		CASE(who_made_it_and_who_grew_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
