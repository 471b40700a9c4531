// SPDX-License-Identifier: Apache-2.0
// What each release printed and dumped at each level, as observed on crashing programs.
// clang-format off: cmocka needs these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "golang/traceback.h"

static enum go_traceback level_of(const char *text)
{
	enum go_traceback level;

	assert_true(go_traceback_parse(text_of(text), &level));
	return level;
}

static void words_and_numbers(void **state)
{
	enum go_traceback level = GO_TRACEBACK_CRASH;

	assert_int_equal(level_of(""), GO_TRACEBACK_SINGLE);
	assert_int_equal(level_of("0"), GO_TRACEBACK_NONE);
	assert_int_equal(level_of("1"), GO_TRACEBACK_ALL);
	assert_int_equal(level_of("2"), GO_TRACEBACK_SYSTEM);
	assert_int_equal(level_of("crash"), GO_TRACEBACK_CRASH);
	assert_false(go_traceback_parse(text_of("Crash"), &level));
	assert_int_equal(level, GO_TRACEBACK_NONE);
}

static void assert_effect(int minor, enum go_traceback level, bool stacks, bool others, bool frames)
{
	struct go_traceback_effect effect =
		go_traceback_effect(level, (struct go_version){.minor = minor});

	assert_int_equal(effect.stacks, stacks);
	assert_int_equal(effect.others, others);
	assert_int_equal(effect.runtime_frames, frames);
	assert_int_equal(effect.core, level == GO_TRACEBACK_CRASH);
}

static void effects(void **state)
{
	assert_effect(18, GO_TRACEBACK_NONE, true, true, true);
	assert_effect(22, GO_TRACEBACK_NONE, false, false, false);
	assert_effect(22, GO_TRACEBACK_SINGLE, true, true, false);
	assert_effect(26, GO_TRACEBACK_SINGLE, true, false, false);
	assert_effect(26, GO_TRACEBACK_ALL, true, true, false);
	assert_effect(26, GO_TRACEBACK_CRASH, true, true, true);
	assert_effect(0, GO_TRACEBACK_SINGLE, true, false, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_numbers),
		cmocka_unit_test(effects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
