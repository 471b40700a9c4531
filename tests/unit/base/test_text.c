// SPDX-License-Identifier: Apache-2.0
#include "cmocka_first.h"

#include "base/text.h"

static void texts_need_no_end(void **state)
{
	struct text text = {"mapassign_fast64", 9};

	assert_true(text_is(text, "mapassign"));
	assert_false(text_is(text, "mapassign_"));
	assert_false(text_is(text, "mapassig"));
	assert_true(text_starts(text, "map"));
	assert_true(text_starts(text, ""));
	assert_false(text_starts(text, "mapassign_"));
}

static void nothing_equals_nothing(void **state)
{
	assert_true(text_equal(text_of(NULL), text_of("")));
	assert_true(text_is((struct text){NULL, 0}, ""));
	assert_false(text_starts((struct text){NULL, 0}, "x"));
	assert_true(text_equal((struct text){"a\0b", 3}, (struct text){"a\0b", 3}));
	assert_false(text_equal((struct text){"a\0b", 3}, (struct text){"a\0c", 3}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_need_no_end),
		cmocka_unit_test(nothing_equals_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
