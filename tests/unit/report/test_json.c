// SPDX-License-Identifier: Apache-2.0
// The report's structure, read back with a JSON library; and explain, which reads it the same way.
// With an argument, writes the reports there, for the check against the schema.
#include "build_findings.h"
#include "report/explain.h"

#include <glib.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct {
	const char *name;
	struct findings *(*build)(void);
} builders[] = {
	{"proven", build_proven}, {"likely", build_likely}, {"candidates", build_candidates},
	{"panic", build_panic},   {"gaps", build_gaps},     {"hostile", build_hostile},
};

static char *written(struct findings *findings, size_t *ret_size)
{
	struct report_input input = build_input(findings);
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	report_json(&input, out);
	fclose(out);
	build_free(findings);
	return text;
}

static json_t *report_of(struct findings *findings)
{
	size_t size = 0;
	char *text = written(findings, &size);
	json_error_t error;
	json_t *report = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);

	if (!report)
		fail_msg("%s", error.text);
	free(text);
	return report;
}

static const char *text_at(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void test_two_sides(void **state)
{
	json_t *report = report_of(build_proven());
	json_t *sides = json_object_get(report, "sides");
	json_t *reader = json_array_get(sides, 0), *writer = json_array_get(sides, 1);
	json_t *site = json_object_get(writer, "site");

	assert_string_equal(text_at(report, "schema"), "mapfault.report/1");
	assert_int_equal(json_array_size(sides), 2);
	assert_string_equal(text_at(reader, "role"), "detector");
	assert_string_equal(text_at(reader, "check"), "entry");
	assert_true(json_is_null(json_object_get(reader, "rule")));
	assert_string_equal(text_at(writer, "rule"), "in_write_op");
	assert_string_equal(text_at(site, "file"), "/src/shop/config/store.go");
	assert_int_equal(json_integer_value(json_object_get(site, "line")), 88);
	assert_string_equal(text_at(site, "pc"), "0x4a2f40");
	assert_string_equal(text_at(json_object_get(report, "map"), "address"), "0xc0003ac1b0");
	json_decref(report);
}

static void test_labels_keep_the_first(void **state)
{
	json_t *report = report_of(build_proven());
	json_t *reader = json_array_get(json_object_get(report, "sides"), 0);
	json_t *labels = json_object_get(json_object_get(reader, "goroutine"), "labels");

	assert_int_equal(json_object_size(labels), 1);
	assert_string_equal(text_at(labels, "tenant"), "blue");
	json_decref(report);
}

static void test_candidates_are_no_side(void **state)
{
	json_t *report = report_of(build_candidates());

	assert_int_equal(json_array_size(json_object_get(report, "sides")), 1);
	assert_int_equal(json_array_size(json_object_get(report, "candidates")), 2);
	assert_int_equal(json_array_size(json_object_get(report, "gaps")), 1);
	json_decref(report);
}

static void test_no_map(void **state)
{
	json_t *report = report_of(build_panic());

	assert_true(json_is_null(json_object_get(report, "map")));
	assert_int_equal(json_array_size(json_object_get(report, "sides")), 0);
	assert_string_equal(text_at(json_object_get(report, "verdict"), "kind"), "not_a_map_fatal");
	json_decref(report);
}

static char *explained(const char *bytes, size_t size)
{
	const struct report_style style = {.width = 80};
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	struct error *error = report_explain_bytes("report.json", bytes, size, &style, out);

	fclose(out);
	assert_null(error);
	return text;
}

static void test_explain(void **state)
{
	size_t size = 0;
	char *report = written(build_likely(), &size);
	char *text = explained(report, size);

	assert_non_null(strstr(text, "Why this is the other side"));
	assert_non_null(strstr(text, "rule ghost_write"));
	assert_non_null(strstr(text, "[core, address 0xc000123f80]"));
	assert_non_null(strstr(text, "found by: argument slot"));
	assert_non_null(strstr(text, "cleared: parked in a channel receive"));
	assert_non_null(strstr(text, "the file is cut off"));
	free(report);
	free(text);
}

/* Nothing that the evidence or a forged report says reaches the terminal as a command. */
static void test_explain_is_safe(void **state)
{
	size_t size = 0;
	char *report = written(build_hostile(), &size);
	char *text = explained(report, size);

	for (const char *c = text; *c; c++)
		assert_true((unsigned char)*c >= ' ' || *c == '\n');
	free(report);
	free(text);
}

static void test_explain_refuses(void **state)
{
	static const char *const others[] = {"", "{", "[]", "{\"schema\":\"x\"}", "{\"schema\":1}"};
	const struct report_style style = {.width = 80};

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		scoped(error) struct error *error =
			report_explain_bytes("x", others[i], strlen(others[i]), &style, stdout);

		assert_non_null(error);
	}
}

static int write_all(const char *directory)
{
	for (size_t i = 0; i < G_N_ELEMENTS(builders); i++) {
		size_t size = 0;
		g_autofree char *path = g_strdup_printf("%s/%s.json", directory, builders[i].name);
		char *text = written(builders[i].build(), &size);
		bool ok = g_file_set_contents(path, text, (gssize)size, NULL);

		free(text);
		if (!ok)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_sides),
		cmocka_unit_test(test_labels_keep_the_first),
		cmocka_unit_test(test_candidates_are_no_side),
		cmocka_unit_test(test_no_map),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_explain_is_safe),
		cmocka_unit_test(test_explain_refuses),
	};

	if (argc == 2)
		return write_all(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
