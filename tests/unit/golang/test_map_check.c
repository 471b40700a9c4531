// SPDX-License-Identifier: Apache-2.0
// The runtime checks by line, as read by eye in the sources, and the messages that they print.
// clang-format off: cmocka needs these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "golang/map_function.h"

static enum map_check check(int minor, const char *function, int32_t line)
{
	return go_map_check_at((struct go_version){minor}, function, line);
}

static void classic_lines(void **state)
{
	assert_int_equal(check(9, "runtime.mapaccess1", 355), MAP_CHECK_ENTRY);
	assert_int_equal(check(9, "runtime.mapassign", 535), MAP_CHECK_ENTRY);
	assert_int_equal(check(9, "runtime.mapassign", 626), MAP_CHECK_EXIT);
	assert_int_equal(check(18, "runtime.mapiternext", 871), MAP_CHECK_ENTRY);
	assert_int_equal(check(22, "runtime.mapassign_fast64", 102), MAP_CHECK_ENTRY);
	assert_int_equal(check(22, "runtime.mapassign_fast64", 177), MAP_CHECK_EXIT);
	assert_int_equal(check(22, "runtime.mapclear", 1048), MAP_CHECK_EXIT);
	assert_int_equal(check(21, "runtime.mapclone2", 1590), MAP_CHECK_ENTRY);
	assert_int_equal(check(21, "runtime.copyKeys", 1659), MAP_CHECK_ENTRY);
	assert_int_equal(check(21, "runtime.copyKeys", 1666), MAP_CHECK_EXIT); /* len >= cap */
}

static void swiss_lines(void **state)
{
	assert_int_equal(check(24, "runtime.mapassign_fast64", 205), MAP_CHECK_ENTRY);
	assert_int_equal(check(24, "runtime.mapassign_fast64", 224), MAP_CHECK_EXIT);
	assert_int_equal(check(24, "runtime.mapassign_fast64", 317), MAP_CHECK_EXIT);
	assert_int_equal(check(26, "internal/runtime/maps.(*Map).Delete", 656), MAP_CHECK_ENTRY);
	assert_int_equal(check(26, "internal/runtime/maps.(*Map).Delete", 682), MAP_CHECK_EXIT);
	assert_int_equal(check(26, "internal/runtime/maps.(*Iter).Next", 819), MAP_CHECK_ENTRY);
	assert_int_equal(check(25, "internal/runtime/maps.(*Map).Clone", 783), MAP_CHECK_ENTRY);
	assert_int_equal(check(27, "internal/runtime/maps.(*Map).Delete", 703), MAP_CHECK_EXIT);
}

static void no_check(void **state)
{
	assert_int_equal(check(22, "runtime.mapassign_fast64", 103), MAP_CHECK_NONE);
	assert_int_equal(check(22, "runtime.mapaccess1_fast64", 102), MAP_CHECK_NONE);
	assert_int_equal(check(23, "runtime.mapassign_fast64", 102), MAP_CHECK_NONE);
	assert_int_equal(check(GO_MINOR_NEWEST + 1, "runtime.mapassign", 160), MAP_CHECK_NONE);
}

static enum map_fatal find(const char *text) { return go_map_fatal_find(text_of(text)); }

static void messages_found(void **state)
{
	assert_int_equal(find("fatal error: concurrent map writes\n"), MAP_FATAL_WRITES);
	assert_int_equal(find("concurrent map writes"), MAP_FATAL_WRITES);
	assert_int_equal(find("x\n\tfatal error: concurrent map read and map write\n\ngoroutine 7"),
			 MAP_FATAL_READ_AND_WRITE);
	assert_int_equal(find("fatal error: concurrent map iteration and map write"),
			 MAP_FATAL_ITERATION_AND_WRITE);
	assert_int_equal(find("fatal error: concurrent map clone and map write"),
			 MAP_FATAL_CLONE_AND_WRITE);
	assert_int_equal(find("log: beware of concurrent map writes\n"
			      "fatal error: concurrent map read and map write\n"),
			 MAP_FATAL_READ_AND_WRITE);
}

static void messages_not_found(void **state)
{
	assert_int_equal(find(""), MAP_FATAL_NONE);
	assert_int_equal(go_map_fatal_find((struct text){NULL, 0}), MAP_FATAL_NONE);
	assert_int_equal(find("fatal error: all goroutines are asleep - deadlock!"),
			 MAP_FATAL_NONE);
	assert_int_equal(find("concurrent map writesX"), MAP_FATAL_NONE);
	assert_int_equal(find("concurrent map wri"), MAP_FATAL_NONE);
	assert_int_equal(go_map_fatal_find((struct text){"concurrent map writes", 20}),
			 MAP_FATAL_NONE);
}

static void words(void **state)
{
	assert_string_equal(go_map_fatal_message(MAP_FATAL_READ_AND_WRITE),
			    "concurrent map read and map write");
	assert_string_equal(go_map_fatal_kind(MAP_FATAL_READ_AND_WRITE),
			    "concurrent_map_read_and_write");
	assert_string_equal(go_map_fatal_kind(MAP_FATAL_NONE), "not_a_map_fatal");
	for (int fatal = MAP_FATAL_WRITES; fatal <= MAP_FATAL_CLONE_AND_WRITE; fatal++)
		assert_int_equal(find(go_map_fatal_message((enum map_fatal)fatal)), fatal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classic_lines),      cmocka_unit_test(swiss_lines),
		cmocka_unit_test(no_check),           cmocka_unit_test(messages_found),
		cmocka_unit_test(messages_not_found), cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
