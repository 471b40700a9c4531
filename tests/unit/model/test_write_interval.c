// SPDX-License-Identifier: Apache-2.0
#include "../base/cmocka_first.h"

#include "model/process/write_interval.h"

#include <glib.h>

static const struct watch_event events[] = {
	{.kind = WATCH_CLEAR, .goroutine = 9, .at_ns = 5}, // began before the watch did
	{.kind = WATCH_SET, .goroutine = 7, .at_ns = 10},
	{.kind = WATCH_SET, .goroutine = 8, .at_ns = 20},
	{.kind = WATCH_CLEAR, .goroutine = 7, .at_ns = 30},
	{.kind = WATCH_SET, .goroutine = 7, .at_ns = 40},
	{.kind = WATCH_GIVE_UP, .goroutine = 7, .at_ns = 50},
};

static void each_begin_is_a_write_until_its_own_end(void **state)
{
	const struct watch_overlap overlaps[] = {{1, 2}};
	const struct watch_log log = {.events = events,
				      .event_count = G_N_ELEMENTS(events),
				      .overlaps = overlaps,
				      .overlap_count = 1,
				      .ns = 60};
	size_t count;
	g_autofree struct write_interval *all = write_intervals(&log, &count);

	assert_int_equal(count, 3);
	assert_int_equal(all[0].goroutine, 7);
	assert_int_equal(all[0].from_ns, 10);
	assert_int_equal(all[0].to_ns, 30);
	assert_true(all[0].ended && all[0].overlaps);
	assert_int_equal(all[1].goroutine, 8);
	assert_int_equal(all[1].to_ns, 60); // still under way
	assert_true(!all[1].ended && all[1].overlaps);
	assert_int_equal(all[2].from_ns, 40);
	assert_true(!all[2].ended && !all[2].overlaps);
}

static void nothing_seen_is_nothing(void **state)
{
	const struct watch_log log = {.ns = 1};
	size_t count = 1;
	g_autofree struct write_interval *all = write_intervals(&log, &count);

	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_begin_is_a_write_until_its_own_end),
		cmocka_unit_test(nothing_seen_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
