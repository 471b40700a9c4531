// SPDX-License-Identifier: Apache-2.0
#include "report/json_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct sink {
	char *text;
	size_t n;
	FILE *out;
	struct json_writer json;
};

static struct json_writer *start(struct sink *sink)
{
	sink->out = open_memstream(&sink->text, &sink->n);
	json_writer_init(&sink->json, sink->out);
	return &sink->json;
}

static void check(struct sink *sink, const char *expected)
{
	json_writer_done(&sink->json);
	fclose(sink->out);
	assert_string_equal(sink->text, expected);
	free(sink->text);
}

static void test_shape(void **state)
{
	struct sink sink;
	struct json_writer *json = start(&sink);

	json_put_object(json, NULL);
	json_put_string(json, "a", "x");
	json_put_array(json, "empty");
	json_end_array(json);
	json_put_array(json, "list");
	json_put_line(json, NULL);
	json_put_boolean(json, "t", true);
	json_put_line(json, "inner");
	json_put_null(json, "n");
	json_end_object(json);
	json_end_object(json);
	json_put_integer(json, NULL, INT64_MIN);
	json_put_unsigned(json, NULL, UINT64_MAX);
	json_put_address(json, NULL, 0x4a2b31);
	json_end_array(json);
	json_put_known(json, "unknown", "");
	json_end_object(json);
	check(&sink, "{\n"
		     "  \"a\": \"x\",\n"
		     "  \"empty\": [],\n"
		     "  \"list\": [\n"
		     "    {\"t\": true, \"inner\": {\"n\": null}},\n"
		     "    -9223372036854775808,\n"
		     "    18446744073709551615,\n"
		     "    \"0x4a2b31\"\n"
		     "  ],\n"
		     "  \"unknown\": null\n"
		     "}\n");
}

static void check_string(const char *value, const char *expected)
{
	struct sink sink;
	struct json_writer *json = start(&sink);

	json_put_string(json, NULL, value);
	check(&sink, expected);
}

static void test_strings(void **state)
{
	check_string("a\"b\\c/", "\"a\\\"b\\\\c/\"\n");
	check_string("\b\t\n\f\r\x01\x1b\x7f", "\"\\b\\t\\n\\f\\r\\u0001\\u001b\\u007f\"\n");
	check_string("\xc2\x9b\xe2\x80\xae", "\"\\u009b\\u202e\"\n");
	check_string("世\xff\xf0\x9f\x98\x80", "\"世\xef\xbf\xbd😀\"\n");
	check_string(NULL, "null\n");
}

static void test_longer_than_the_buffer(void **state)
{
	size_t n = 3 * JSON_BUFFER_BYTES;
	char *value = malloc(n + 1), *expected = malloc(n + 4);

	memset(value, 'x', n);
	value[n] = '\0';
	snprintf(expected, n + 4, "\"%s\"\n", value);
	check_string(value, expected);
	free(value);
	free(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_longer_than_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
