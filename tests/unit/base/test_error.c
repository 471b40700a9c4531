// SPDX-License-Identifier: Apache-2.0
#include "cmocka_first.h"

#include "base/error.h"

#include <errno.h>

static void text_says_where_and_why(void **state)
{
	scoped(error) struct error *with =
		error_new(ERROR_MALFORMED, (struct place){"core", 0x40}, "bad %s", "note");
	scoped(error) struct error *whole = error_new(ERROR_LIMIT, place_whole("core"), "too big");
	scoped(error) struct error *nowhere = error_new(ERROR_USAGE, place_whole(""), "no file");

	assert_string_equal(error_text(with), "core, offset 0x40: bad note");
	assert_string_equal(error_text(whole), "core: too big");
	assert_string_equal(error_text(nowhere), "no file");
}

static void a_system_error_ends_in_its_reason(void **state)
{
	scoped(error) struct error *error = error_system(ENOSPC, place_whole("x"), "cannot write");

	assert_int_equal(error_code(error), ERROR_SYSTEM);
	assert_string_equal(error_text(error), "x: cannot write: No space left on device");
}

static void every_code_has_a_name_a_status_and_a_hint(void **state)
{
	for (int code = ERROR_USAGE; code <= ERROR_SYSTEM; code++) {
		scoped(error) struct error *error =
			error_new((enum error_code)code, place_whole(""), "x");

		assert_true(*error_name((enum error_code)code));
		assert_true(*error_hint(error));
		assert_int_equal(error_exit_status((enum error_code)code),
				 code == ERROR_USAGE ? 2 : 3);
	}
}

static void a_hint_of_its_own_wins(void **state)
{
	scoped(error) struct error *error =
		error_with_hint(error_new(ERROR_NOT_FOUND, place_whole("x"), "no"), "try %d", 7);

	assert_string_equal(error_hint(error), "try 7");
}

static void a_long_text_is_cut_not_overrun(void **state)
{
	char name[2000];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	scoped(error) struct error *error = error_system(EIO, place_whole(name), "%s", name);
	assert_true(strlen(error_text(error)) < sizeof(name));
	scoped(error) struct error *hinted =
		error_with_hint(error_new(ERROR_USAGE, place_whole(""), "x"), "%s", name);
	assert_true(strlen(error_hint(hinted)) < sizeof(name));
}

static struct error *fails(int *steps)
{
	TRY((++*steps, NULL));
	TRY((++*steps, error_new(ERROR_LIMIT, place_whole(""), "here")));
	++*steps;
	return NULL;
}

static void try_passes_the_first_failure_on(void **state)
{
	int steps = 0;
	scoped(error) struct error *error = fails(&steps);

	assert_int_equal(error_code(error), ERROR_LIMIT);
	assert_int_equal(steps, 2);
	error_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_says_where_and_why),
		cmocka_unit_test(a_system_error_ends_in_its_reason),
		cmocka_unit_test(every_code_has_a_name_a_status_and_a_hint),
		cmocka_unit_test(a_hint_of_its_own_wins),
		cmocka_unit_test(a_long_text_is_cut_not_overrun),
		cmocka_unit_test(try_passes_the_first_failure_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
