// SPDX-License-Identifier: Apache-2.0
// What a run came to, next to the report: the same, or what differs.
#include "cmocka_first.h"

#include "reproduce/outcome.h"

#define as_reported(test) cmocka_unit_test_setup_teardown(test, begin, end)

static const struct program_site sites[2] = {{"main.get", false, "main.go", 10, 10},
					     {"main.run.func", true, "main.go", 20, 21}};

struct compared {
	struct arena *arena;
	struct verdict verdict;
	struct outcome outcome;
};

/* A run in which all is as reported. */
static int begin(void **state)
{
	static struct compared compared;
	struct trial *trial = &compared.outcome.trial;

	compared = (struct compared){.arena = arena_new()};
	compared.verdict = (struct verdict){.kind = "concurrent_map_read_and_write"};
	compared.verdict.sides[0].operation = REPRODUCE_READ;
	compared.verdict.sides[1].operation = REPRODUCE_ASSIGN;
	compared.outcome.differences.arena = compared.arena;
	*trial = trial_none();
	trial->crashed = trial->diagnosed = trial->race_built = trial->race_names_both = true;
	trial->kind = "concurrent_map_read_and_write";
	trial->sides[0] = (struct trial_side){"read", "main.get", 10};
	trial->sides[1] = (struct trial_side){"assign", "main.run.func2", 21};
	*state = &compared;
	return 0;
}

static int end(void **state)
{
	struct compared *compared = *state;

	arena_free(compared->arena);
	return 0;
}

static void compare(struct compared *compared)
{
	outcome_compare(&compared->verdict, sites, &compared->outcome);
}

static void differs_in(struct compared *compared, const char *words)
{
	compare(compared);
	assert_int_equal(compared->outcome.status, OUTCOME_DIFFERS);
	assert_int_equal(compared->outcome.differences.count, 1);
	assert_non_null(strstr(compared->outcome.differences.lines[0], words));
}

static void the_same_is_confirmed(void **state)
{
	struct compared *compared = *state;

	compare(compared);
	assert_int_equal(compared->outcome.status, OUTCOME_CONFIRMED);
	assert_int_equal(compared->outcome.differences.count, 0);
}

/* Of two writers either may be the one that notices. */
static void sides_may_be_exchanged(void **state)
{
	struct compared *compared = *state;
	struct trial_side *sides = compared->outcome.trial.sides;

	compared->verdict.kind = compared->outcome.trial.kind = "concurrent_map_writes";
	compared->verdict.sides[0].operation = REPRODUCE_DELETE;
	sides[0] = (struct trial_side){"assign", "main.run.func1", 20};
	sides[1] = (struct trial_side){"delete", "main.get", 10};
	compare(compared);
	assert_int_equal(compared->outcome.status, OUTCOME_CONFIRMED);
}

static void without_a_crash_nothing_is_reproduced(void **state)
{
	struct compared *compared = *state;

	compared->outcome.trial.crashed = false;
	compare(compared);
	assert_int_equal(compared->outcome.status, OUTCOME_NOT_REPRODUCED);
}

static void another_kind_differs(void **state)
{
	struct compared *compared = *state;

	compared->outcome.trial.kind = "concurrent_map_writes";
	differs_in(compared, "it died of concurrent map writes instead of concurrent map read and "
			     "map write");
}

static void another_operation_differs(void **state)
{
	struct compared *compared = *state;

	compared->outcome.trial.sides[1].operation = "delete";
	differs_in(compared, "the other side: delete instead of assign");
}

static void another_line_differs(void **state)
{
	struct compared *compared = *state;

	compared->outcome.trial.sides[0].line = 11;
	differs_in(compared, "the detector is main.get line 11");
}

/* Another closure of that function may stand there, another function may not. */
static void another_function_differs(void **state)
{
	struct compared *compared = *state;

	compared->outcome.trial.sides[1].function = "main.runs";
	differs_in(compared, "the other side is main.runs line 21");
}

static void a_race_elsewhere_differs(void **state)
{
	struct compared *compared = *state;

	compared->outcome.trial.race_names_both = false;
	differs_in(compared, "the race detector does not name the two sites");
}

static void the_race_detector_does_not_see_clones(void **state)
{
	struct compared *compared = *state;

	compared->verdict.kind = compared->outcome.trial.kind = "concurrent_map_clone_and_write";
	compared->verdict.sides[0].operation = REPRODUCE_CLONE;
	compared->outcome.trial.sides[0].operation = "clone";
	compared->outcome.trial.race_names_both = false;
	compare(compared);
	assert_int_equal(compared->outcome.status, OUTCOME_CONFIRMED);
}

static void a_crash_that_nobody_explains_differs(void **state)
{
	struct compared *compared = *state;
	struct trial *trial = &compared->outcome.trial;

	trial->diagnosed = trial->race_built = trial->race_names_both = false;
	trial->sides[0].function = trial->sides[1].function = "";
	differs_in(compared, "nobody could say which sites collided");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		as_reported(the_same_is_confirmed),
		as_reported(sides_may_be_exchanged),
		as_reported(without_a_crash_nothing_is_reproduced),
		as_reported(another_kind_differs),
		as_reported(another_operation_differs),
		as_reported(another_line_differs),
		as_reported(another_function_differs),
		as_reported(a_race_elsewhere_differs),
		as_reported(the_race_detector_does_not_see_clones),
		as_reported(a_crash_that_nobody_explains_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
