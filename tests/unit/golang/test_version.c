// SPDX-License-Identifier: Apache-2.0
// How Go spells its releases.
// clang-format off: cmocka needs these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "golang/version.h"

static struct go_version parse(const char *text)
{
	struct go_version version = {0};

	assert_true(go_version_parse(text_of(text), &version));
	return version;
}

static void assert_version(const char *text, int minor, int patch, bool exact)
{
	struct go_version version = parse(text);

	assert_int_equal(version.minor, minor);
	assert_int_equal(version.patch, patch);
	assert_int_equal(version.exact, exact);
}

static void releases(void **state)
{
	assert_version("go1.22.12", 22, 12, true);
	assert_version("go1.9.7", 9, 7, true);
	assert_version("go1.10", 10, 0, true);
	assert_version("go1.28.0", 28, 0, true);
}

static void other_builds(void **state)
{
	assert_version("go1.23rc1", 23, 0, false);
	assert_version("go1.14beta1", 14, 0, false);
	assert_version("go1.26.0 X:nodwarf5", 26, 0, false);
	assert_version("go1.22.12-custom", 22, 12, false);
	assert_version("go1.24.4 (Red Hat 1.24.4-1.el9)", 24, 4, false);
	assert_version("devel go1.28-2c1b3a4d5e Mon Nov 2 10:00:00 2026 +0000", 28, 0, false);
}

static void refused(void **state)
{
	static const char *const texts[] = {
		"",
		"go",
		"go1",
		"go1.",
		"go2.1.0",
		"go1.x",
		"1.22.12",
		"go1.22.",
		"go1.22.x",
		"go1.0.1",
		"devel",
		"devel +abc123",
		"go1.99999999999",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct go_version version = {.minor = -7};

		assert_false(go_version_parse(text_of(texts[i]), &version));
		assert_int_equal(version.minor, -7);
	}
	assert_false(go_version_parse((struct text){NULL, 0}, &(struct go_version){0}));
}

static void text_without_end(void **state)
{
	struct go_version version;

	assert_true(go_version_parse((struct text){"go1.22.129", 9}, &version));
	assert_int_equal(version.patch, 12);
}

static void arch_names(void **state)
{
	assert_string_equal(go_arch_name(GO_ARCH_AMD64), "amd64");
	assert_string_equal(go_arch_name(GO_ARCH_ARM64), "arm64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(releases),   cmocka_unit_test(other_builds),
		cmocka_unit_test(refused),    cmocka_unit_test(text_without_end),
		cmocka_unit_test(arch_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
