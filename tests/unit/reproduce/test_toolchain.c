// SPDX-License-Identifier: Apache-2.0
// Which of the releases that are here stands in for one that is not.
#include "cmocka_first.h"

#include "reproduce/toolchain.h"

static struct toolchain here[] = {{"/old", "1.9.7", 9, 7},
				  {"/a", "1.22.1", 22, 1},
				  {"/b", "1.22.12", 22, 12},
				  {"/c", "1.24.1", 24, 1},
				  {"/d", "1.26.8", 26, 8}};
static const struct toolchains all = {NULL, here, sizeof(here) / sizeof(*here)};

static void versions_have_minors(void **state)
{
	assert_int_equal(toolchain_minor("1.24.11"), 24);
	assert_int_equal(toolchain_minor("1.9"), 9);
	assert_int_equal(toolchain_minor("2.1"), 0);
	assert_int_equal(toolchain_minor("1."), 0);
	assert_int_equal(toolchain_minor("1.99999999999999999999"), 0);
	assert_int_equal(toolchain_minor(""), 0);
}

static void only_the_very_release_is_exact(void **state)
{
	assert_ptr_equal(toolchains_exact(&all, "1.22.12"), &here[2]);
	assert_null(toolchains_exact(&all, "1.22"));
}

static void the_nearest_has_the_same_maps(void **state)
{
	static const struct {
		const char *wanted, *found;
	} cases[] = {
		{"1.22.3", "1.22.1"}, {"1.22.11", "1.22.12"}, {"1.26.2", "1.26.8"},
		{"1.10.8", "1.9.7"},  {"1.23.9", "1.22.12"}, // 1.24 is as near, but its maps are others
		{"1.27.0", "1.26.8"}, {"", "1.26.8"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(toolchains_nearest(&all, cases[i].wanted)->version,
				    cases[i].found);
}

static void other_maps_are_better_than_none(void **state)
{
	const struct toolchains old = {NULL, here, 1}, none = {NULL, here, 0};

	assert_ptr_equal(toolchains_nearest(&old, "1.27.2"), &here[0]);
	assert_null(toolchains_nearest(&none, "1.27.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_have_minors),
		cmocka_unit_test(only_the_very_release_is_exact),
		cmocka_unit_test(the_nearest_has_the_same_maps),
		cmocka_unit_test(other_maps_are_better_than_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
