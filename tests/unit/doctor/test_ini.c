// SPDX-License-Identifier: Apache-2.0
// systemd's syntax, as systemd.syntax(7) has it.
// clang-format off: cmocka needs these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "doctor/ini.h"

static struct ini ini;

static int setup(void **state)
{
	ini_init(&ini);
	return 0;
}

static int teardown(void **state)
{
	ini_done(&ini);
	return 0;
}

static void later_values_win(void **state)
{
	ini_add(&ini, "[Service]\nLimitCORE=0\n[Unit]\nLimitCORE=1\n");
	ini_add(&ini, "[Service]\n LimitCORE = infinity \n");
	assert_string_equal(ini_value(&ini, "Service", "LimitCORE"), "infinity");
	assert_string_equal(ini_value(&ini, "Unit", "LimitCORE"), "1");
}

static void empty_value_resets(void **state)
{
	ini_add(&ini, "[Service]\nLimitCORE=0\nLimitCORE=\n");
	assert_null(ini_value(&ini, "Service", "LimitCORE"));
	assert_null(ini_value(&ini, "Service", "Other"));
}

static void lines_continue(void **state)
{
	ini_add(&ini, "[Service]\nEnvironment=A=1 \\\n  B=2\n# C=3 \\\n");
	assert_string_equal(ini_value(&ini, "Service", "Environment"), "A=1    B=2");
}

static void noise_is_passed_over(void **state)
{
	ini_add(&ini, "no setting\n; x=1\n[Service\n=\n[]\n[Service]\nKey=a=b");
	assert_string_equal(ini_value(&ini, "Service", "Key"), "a=b");
	assert_null(ini_value(&ini, "", "; x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(later_values_win, setup, teardown),
		cmocka_unit_test_setup_teardown(empty_value_resets, setup, teardown),
		cmocka_unit_test_setup_teardown(lines_continue, setup, teardown),
		cmocka_unit_test_setup_teardown(noise_is_passed_over, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
