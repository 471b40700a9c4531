// SPDX-License-Identifier: Apache-2.0
// Screens, against golden files that a person can read: run with GOLDEN_WRITE=1 to write them anew,
// then read the difference.
#include "build_findings.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char *rendered(struct findings *findings, unsigned width, bool color)
{
	struct report_input input = build_input(findings);
	struct report_style style = {
		.color = color, .width = width, .source_root = GOLDEN_DIR "/source"};
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	report_text(&input, &style, out);
	fclose(out);
	build_free(findings);
	return text;
}

static void check_golden(const char *name, char *text)
{
	g_autofree char *path = g_build_filename(GOLDEN_DIR, name, NULL);
	g_autofree char *golden = NULL;

	if (getenv("GOLDEN_WRITE"))
		assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_true(g_file_get_contents(path, &golden, NULL, NULL));
	assert_string_equal(text, golden);
	free(text);
}

static void test_proven(void **state)
{
	check_golden("proven.txt", rendered(build_proven(), 100, false));
}
static void test_likely(void **state)
{
	check_golden("likely.txt", rendered(build_likely(), 100, false));
}
static void test_candidates(void **state)
{
	check_golden("candidates.txt", rendered(build_candidates(), 100, false));
}
static void test_panic(void **state)
{
	check_golden("panic.txt", rendered(build_panic(), 100, false));
}
static void test_gaps(void **state)
{
	check_golden("gaps.txt", rendered(build_gaps(), 100, false));
}
static void test_narrow(void **state)
{
	check_golden("narrow.txt", rendered(build_likely(), 40, false));
}
static void test_color(void **state)
{
	check_golden("color.txt", rendered(build_likely(), 80, true));
}
static void test_hostile(void **state)
{
	check_golden("hostile.txt", rendered(build_hostile(), 80, false));
}

/* Who had left the write by the time of the dump was not called there by those on its stack. */
static void test_elsewhere(void **state)
{
	struct findings *findings = build_likely();
	g_auto(GStrv) halves = NULL;
	char *text;

	findings->other->site.line++;
	text = rendered(findings, 100, false);
	halves = g_strsplit(text, "stood by then in config.(*Store).", 2);
	free(text);
	assert_int_equal(g_strv_length(halves), 2);
	// the detector stands where it noticed
	assert_non_null(strstr(halves[0], "called by api.(*Handler).ServeHTTP"));
	assert_null(strstr(halves[1], "called by"));
}

static void check_layout(const char *text, unsigned width)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		size_t n = strlen(*line);

		assert_true(g_utf8_validate(*line, -1, NULL));
		assert_true((unsigned)g_utf8_strlen(*line, -1) <= width);
		assert_false(n > 0 && (*line)[n - 1] == ' ');
		for (size_t i = 0; i < n; i++)
			assert_true((unsigned char)(*line)[i] >= ' ' && (*line)[i] != 0x7f);
	}
}

/* At every width: within it, no spaces at line ends, nothing a terminal would obey. */
static void test_every_width(void **state)
{
	struct findings *(*const builders[])(void) = {build_proven, build_likely, build_candidates,
						      build_panic,  build_gaps,   build_hostile};

	for (unsigned width = 40; width <= 130; width++) {
		for (size_t i = 0; i < G_N_ELEMENTS(builders); i++) {
			char *text = rendered(builders[i](), width, false);

			check_layout(text, width);
			free(text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proven),     cmocka_unit_test(test_likely),
		cmocka_unit_test(test_candidates), cmocka_unit_test(test_panic),
		cmocka_unit_test(test_gaps),       cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_color),      cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_elsewhere),  cmocka_unit_test(test_every_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
