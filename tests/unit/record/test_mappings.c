// SPDX-License-Identifier: Apache-2.0
#include "record/mappings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static void own_mappings_are_read(void **state)
{
	scoped(mappings) struct mappings mappings = {0};
	bool found_code = false, found_stack = false;
	int on_stack;

	assert_null(mappings_read(getpid(), &mappings));
	for (size_t i = 0; i < mappings.count; i++) {
		const struct mapping *m = &mappings.items[i];
		uint64_t code = (uint64_t)own_mappings_are_read, stack = (uint64_t)&on_stack;

		found_code |= m->executable && code >= m->start && code < m->end &&
			      strstr(m->path, "test_record_mappings");
		found_stack |= stack >= m->start && stack < m->end && !m->shared;
	}
	assert_true(found_code && found_stack);
}

static void no_process_is_an_error(void **state)
{
	scoped(mappings) struct mappings mappings = {0};
	scoped(error) struct error *error = mappings_read(-1, &mappings);

	assert_non_null(error);
}

/** Text at 4 MiB, heap far above: the room is as high as 32 bits reach. */
static void room_is_high_but_within_reach(void **state)
{
	struct mapping items[] = {{4 * MIB, 8 * MIB, true, false, ""},
				  {64 * GIB, 65 * GIB, false, false, ""}};
	struct mappings mappings = {items, 2, NULL};
	uint64_t at = mappings_room_near(&mappings, 4 * MIB, 8 * MIB, MIB);

	assert_true(at > GIB && at + MIB <= 4 * MIB + 2 * GIB);
	assert_int_equal(at % 4096, 0);
}

static void room_below_is_taken_when_above_is_full(void **state)
{
	struct mapping items[] = {{4 * GIB, 4 * GIB + MIB, true, false, ""},
				  {4 * GIB + MIB, 7 * GIB, false, false, ""}};
	struct mappings mappings = {items, 2, NULL};
	uint64_t at = mappings_room_near(&mappings, 4 * GIB, 4 * GIB + MIB, MIB);

	assert_true(at >= 4 * GIB + MIB - 2 * GIB && at + MIB <= 4 * GIB);
}

static void no_room_is_said(void **state)
{
	struct mapping items[] = {{4096, 8 * GIB, true, false, ""}};
	struct mappings mappings = {items, 1, NULL};

	assert_int_equal(mappings_room_near(&mappings, MIB, 2 * MIB, MIB), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_mappings_are_read),
		cmocka_unit_test(no_process_is_an_error),
		cmocka_unit_test(room_is_high_but_within_reach),
		cmocka_unit_test(room_below_is_taken_when_above_is_full),
		cmocka_unit_test(no_room_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
