// SPDX-License-Identifier: Apache-2.0
// Sizes as systemd, Docker, Kubernetes and /proc write them.
// clang-format off: cmocka needs these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "doctor/examination.h"

static void assert_size(const char *text, uint64_t bytes)
{
	uint64_t size = 0;

	assert_true(size_parse(text, &size));
	assert_int_equal(size, bytes);
}

static void sizes(void **state)
{
	assert_size("0", 0);
	assert_size("4096", 4096);
	assert_size("2G", 2147483648u);
	assert_size("767M", 804257792u);
	assert_size("512Mi", 536870912u);
	assert_size("1KiB", 1024);
	assert_size("infinity", UINT64_MAX);
	assert_size("unlimited", UINT64_MAX);
}

static void refused(void **state)
{
	static const char *const texts[] = {"", "x", "-1", "2X", "2GG", "17179869184G", " 1"};
	uint64_t size = 7;

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		assert_false(size_parse(texts[i], &size));
	assert_int_equal(size, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
