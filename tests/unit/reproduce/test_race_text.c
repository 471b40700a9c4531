// SPDX-License-Identifier: Apache-2.0
#include "cmocka_first.h"

#include "reproduce/race_text.h"

/* As Go 1.26 prints it. */
static const char race[] = "round 0\n"
			   "==================\n"
			   "WARNING: DATA RACE\n"
			   "Write at 0x00c00009ac60 by goroutine 6:\n"
			   "  runtime.mapassign_fast64()\n"
			   "      /go/src/internal/runtime/maps/runtime_fast64.go:196 +0x0\n"
			   "  main.(*store).put()\n"
			   "      /src/main.go:10 +0x44\n"
			   "  main.burst.func1()\n"
			   "      /src/main.go:50 +0x44\n"
			   "\n"
			   "Previous read at 0x00c00009ac60 by goroutine 7:\n"
			   "  runtime.mapaccess1_fast64()\n"
			   "      /go/src/internal/runtime/maps/runtime_fast64.go:17 +0x0\n"
			   "  main.get()\n"
			   "      C:/src/main.go:20 +0x44\n"
			   "\n"
			   "Goroutine 6 (running) created at:\n"
			   "  main.main()\n"
			   "      /src/main.go:70 +0x44\n"
			   "==================\n";

static void both_accesses_are_read(void **state)
{
	struct arena *arena = arena_new();
	struct race_pair pair;

	assert_int_equal(race_text_count(race), 1);
	assert_true(race_text_pair(arena, race, 0, "main", &pair));
	assert_string_equal(pair.sides[0].function, "main.(*store).put");
	assert_int_equal(pair.sides[0].line, 10);
	assert_string_equal(pair.sides[1].function, "main.get");
	assert_int_equal(pair.sides[1].line, 20);
	assert_false(race_text_pair(arena, race, 1, "main", &pair));
	assert_false(race_text_pair(arena, race, 0, "example.com/main", &pair));
	arena_free(arena);
}

/* The text of a race comes in pieces: none of them is read as a whole one, or read past its end. */
static void half_a_race_is_none(void **state)
{
	size_t whole = (size_t)(strstr(race, "C:/src") - race);
	struct arena *arena = arena_new();

	for (size_t n = 0; n < whole; n++) {
		char *part = arena_string(arena, (struct text){race, n});
		struct race_pair pair;

		assert_false(race_text_pair(arena, part, 0, "main", &pair));
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_accesses_are_read),
		cmocka_unit_test(half_a_race_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
