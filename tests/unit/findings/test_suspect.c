// SPDX-License-Identifier: Apache-2.0
// The order of suspects, and who counts as running.
#include "findings/suspect.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_before(struct suspect a, struct suspect b)
{
	assert_true(suspect_compare(&a, &b) < 0);
	assert_true(suspect_compare(&b, &a) > 0);
}

static void the_tier_counts_before_all(void **state)
{
	for (int tier = TIER_NONE; tier < TIER_IN_WRITE; tier++)
		assert_before((struct suspect){.tier = (enum tier)(tier + 1), .goroutine = 9},
			      (struct suspect){.tier = (enum tier)tier, .ghost_count = 3});
}

static void what_is_weighed_is_of_one_class(void **state)
{
	assert_before((struct suspect){.tier = TIER_REACH_PARKED, .weighed = true, .weight = 9},
		      (struct suspect){.tier = TIER_REACH_RUNNABLE, .weighed = true, .weight = 8});
	assert_before((struct suspect){.tier = TIER_GHOST_RUNNABLE},
		      (struct suspect){.tier = TIER_REACH_RUNNABLE, .weighed = true, .weight = 99});
	assert_before((struct suspect){.tier = TIER_REACH_ENDED, .weighed = true, .weight = -99},
		      (struct suspect){.tier = TIER_NONE, .weighed = true, .weight = 99});
}

static void then_how_surely_it_is_this_map(void **state)
{
	static const struct write_site field = {.match = SITE_SAME_FIELD},
				       map = {.match = SITE_SAME_MAP};

	assert_before((struct suspect){.path = {&map, 3, false}, .depth = 5, .goroutine = 1},
		      (struct suspect){.path = {&field, 0, true}, .goroutine = 0});
	// equal matches: who can still come to the write, then the nearer
	assert_before((struct suspect){.path = {&map, 3, true}, .goroutine = 1},
		      (struct suspect){.path = {&map, 0, false}, .goroutine = 0});
	assert_before((struct suspect){.path = {&map, 1, true}, .depth = 1, .goroutine = 1},
		      (struct suspect){.path = {&map, 0, true}, .depth = 3, .goroutine = 0});
}

static void then_traces_then_age(void **state)
{
	assert_before((struct suspect){.ghost_count = 1, .goroutine = 5},
		      (struct suspect){.goroutine = 4});
	assert_before((struct suspect){.goroutine = 4}, (struct suspect){.goroutine = 5});
}

static void runs(uint32_t status, const char *reason, bool expected)
{
	struct goroutine goroutine = {.status = status, .wait_reason = reason};

	assert_int_equal(suspect_is_runnable(&goroutine), expected);
}

static void who_waits_for_the_collector_was_at_work(void **state)
{
	runs(GO_STATUS_RUNNING, "", true);
	runs(GO_STATUS_RUNNABLE, "", true);
	runs(GO_STATUS_PREEMPTED, "", true);
	runs(GO_STATUS_COPYSTACK, "", true);
	runs(GO_STATUS_WAITING, "GC assist wait", true);
	runs(GO_STATUS_WAITING, "chan receive", false);
	runs(GO_STATUS_WAITING, "", false);
	runs(GO_STATUS_SYSCALL, "", false);
	runs(GO_STATUS_DEAD, "", false);
}

static void every_tier_has_a_name(void **state)
{
	for (int tier = TIER_NONE; tier <= TIER_IN_WRITE; tier++)
		assert_true(*tier_rule((enum tier)tier));
	assert_string_equal(tier_rule(TIER_GHOST_RUNNABLE), "ghost_write");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tier_counts_before_all),
		cmocka_unit_test(what_is_weighed_is_of_one_class),
		cmocka_unit_test(then_how_surely_it_is_this_map),
		cmocka_unit_test(then_traces_then_age),
		cmocka_unit_test(who_waits_for_the_collector_was_at_work),
		cmocka_unit_test(every_tier_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
