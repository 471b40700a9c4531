// SPDX-License-Identifier: Apache-2.0
#include "cmocka_first.h"

#include "base/arena.h"
#include "base/error.h"

static void memory_is_zeroed_and_aligned(void **state)
{
	scoped(arena) struct arena *arena = arena_new();

	for (size_t size = 0; size < 300000; size = size * 2 + 1) {
		uint8_t *bytes = arena_take(arena, size);

		assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(bytes[i], 0);
		if (size)
			memset(bytes, 0xff, size);
	}
}

static void objects_do_not_move(void **state)
{
	scoped(arena) struct arena *arena = arena_new();
	size_t *first = arena_take(arena, sizeof(*first));

	*first = 7;
	for (size_t i = 0; i < 10000; i++)
		memset(arena_array(arena, i % 64, 8), 0xff, i % 64 * 8);
	assert_int_equal(*first, 7);
}

static void copies_and_strings(void **state)
{
	scoped(arena) struct arena *arena = arena_new();

	assert_memory_equal(arena_copy(arena, "abc", 3), "abc", 3);
	assert_non_null(arena_copy(arena, NULL, 0));
	assert_string_equal(arena_string(arena, (struct text){"goroutine", 2}), "go");
	assert_string_equal(arena_string(arena, (struct text){NULL, 0}), "");
	assert_string_equal(arena_format(arena, "%s:%d", "main.go", 12), "main.go:12");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(objects_do_not_move),
		cmocka_unit_test(copies_and_strings),
	};

	arena_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
