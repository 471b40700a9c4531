// SPDX-License-Identifier: Apache-2.0
#include "../base/cmocka_first.h"

#include "evidence/text/json_line.h"
#include "evidence/text/log_prefix.h"

#include <glib.h>

typedef bool take(struct text line, struct log_line *ret);

/* Lines as the systems write them; NULL where the line is of another kind. */
static const struct {
	take *take;
	const char *line, *text, *source;
} cases[] = {
	{log_cri_take, "2026-01-02T15:04:05.123456789Z stderr F \tmain.go:1", "\tmain.go:1", ""},
	{log_cri_take, "2026-01-02T15:04:05.123456789+01:00 stdout F ", "", ""},
	{log_cri_take, "2026-01-02T15:04:05Z stderr X text", NULL, NULL},
	{log_cri_take, "2026-01-02T15:04:05Z goroutine 1 [running]:", NULL, NULL},
	{log_time_take,
	 "2026-01-02T15:04:05.123Z goroutine 1 [running]:", "goroutine 1 [running]:", ""},
	{log_time_take, "2026/01/02 15:04:05 \tmain.go:1", "\tmain.go:1", ""},
	{log_time_take, "[2026-01-02 15:04:05,123] panic: x", "panic: x", ""},
	{log_time_take, "Jan  2 15:04:05 x", "x", ""},
	{log_time_take, "15:04:05.001 x", "x", ""},
	{log_time_take, "1767366245.123456 x", "x", ""},
	{log_time_take, "2026-01-02", NULL, NULL},
	{log_syslog_take, "Jan  2 15:04:05 host app[12]: \tmain.go:1", "\tmain.go:1", "app[12]"},
	{log_syslog_take, "2026-01-02T15:04:05+0000 host app[12]: x", "x", "app[12]"},
	{log_syslog_take, "<34>Jan  2 15:04:05 host app: x", "x", "app"},
	{log_syslog_take, "<34>1 2026-01-02T15:04:05.003Z host app 12 ID [a b=\"c\"] x", "x",
	 "app 12"},
	{log_syslog_take, "<34>1 2026-01-02T15:04:05.003Z host app 12 - - x", "x", "app 12"},
	{log_syslog_take, "2026-01-02T15:04:05Z goroutine 1 [running]:", NULL, NULL},
	{log_name_take, "[pod/a-1/app] x", "x", "app"},
	{log_name_take, "app-1  | \tmain.go:1", "\tmain.go:1", "app-1"},
	{log_name_take, "[signal SIGSEGV]", NULL, NULL},
	{log_export_take, "MESSAGE=x", "x", ""},
	{log_indent_take, "  > goroutine 1 [running]:", "goroutine 1 [running]:", ""},
	{log_indent_take, "goroutine 1 [running]:", NULL, NULL},
};

static char *copy(struct text text) { return g_strndup(text.p, text.n); }

static void prefixes_come_off(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct log_line line = {0};
		bool taken = cases[i].take(text_of(cases[i].line), &line);
		g_autofree char *text = NULL, *source = NULL;

		if (taken != (cases[i].text != NULL))
			fail_msg("%s", cases[i].line);
		if (!taken)
			continue;
		text = copy(line.text);
		source = copy(line.source);
		assert_string_equal(text, cases[i].text);
		if (*cases[i].source)
			assert_true(g_str_has_suffix(source, cases[i].source));
	}
}

static void a_part_of_a_line_is_marked(void **state)
{
	struct log_line line = {0};

	assert_true(log_cri_take(text_of("2026-01-02T15:04:05Z stderr P half"), &line));
	assert_true(line.partial);
}

static void unknown_prefixes_match_but_for_their_digits(void **state)
{
	struct text shape = text_of("E01 <7> ");
	struct text rest = log_shape_take(text_of("E9999 <123> main.f()"), shape);

	assert_true(text_is(rest, "main.f()"));
	assert_null(log_shape_take(text_of("W01 <7> main.f()"), shape).p);
	assert_null(log_shape_take(text_of("E01"), shape).p);
}

static void characters_are_given_back(void **state)
{
	static const char line[] = "\033[31m#011main.go\033[0m\0:1 #0 #999";
	char to[sizeof(line)];
	size_t n = log_scrub((struct text){line, sizeof(line) - 1}, to);

	assert_true(text_is((struct text){to, n}, "\tmain.go:1 #0 #999"));
	assert_int_equal(log_scrub(text_of("plain"), to), 5);
}

static void member_add(struct text key, enum json_value kind, struct text raw, void *context)
{
	g_autofree char *value = g_malloc0(raw.n + 1), *name = copy(key);

	json_line_decode(kind, raw, value);
	g_string_append_printf(context, "%s=%s;", name, value);
}

static void records_give_their_strings(void **state)
{
	static const char line[] =
		"{\"a\":\"x\\n\\ty\", \"n\":1,\"o\":{\"b\":\"\\u00e9\\ud83d\\ude00\"},"
		"\"l\":[\"z\"],\"m\":[104, 105],\"cut\":\"end";
	g_autoptr(GString) all = g_string_new(NULL);

	assert_true(json_line_strings(text_of(line), member_add, all));
	assert_string_equal(all->str, "a=x\n\ty;b=\xc3\xa9\xf0\x9f\x98\x80;m=hi;cut=end;");
	assert_false(json_line_strings(text_of("[1]"), member_add, all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_come_off),
		cmocka_unit_test(a_part_of_a_line_is_marked),
		cmocka_unit_test(unknown_prefixes_match_but_for_their_digits),
		cmocka_unit_test(characters_are_given_back),
		cmocka_unit_test(records_give_their_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
