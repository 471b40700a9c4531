// SPDX-License-Identifier: Apache-2.0
#include "base/report_document.h"

#include <errno.h>

#define REPORT_BYTES_MAX (256u << 20)
#define READ_BYTES       16384

const char *report_text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_int_t report_number_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static struct error *no_report(const char *name, const char *why)
{
	return error_with_hint(error_new(ERROR_UNRECOGNISED, place_whole(name), "%s", why),
			       "make one: mapfault --json CORE BINARY -o report.json");
}

static struct error *no_json(const char *name, size_t size, const json_error_t *problem)
{
	if (size == 0)
		return no_report(name, "is empty");
	if (json_error_code(problem) == json_error_premature_end_of_input)
		return error_new(ERROR_TRUNCATED, place_whole(name),
				 "the report ends too early, in line %d", problem->line);
	return no_report(name, "is not JSON");
}

struct error *report_document_parse(const char *name, const void *bytes, size_t size, json_t **ret)
{
	json_error_t problem;
	json_t *report = json_loadb(bytes, size, 0, &problem);
	const char *why = NULL;

	if (!report)
		return no_json(name, size, &problem);
	if (strcmp(report_text_at(report, "schema"), REPORT_SCHEMA) != 0)
		why = "is JSON, but no report of schema " REPORT_SCHEMA;
	else if (!json_is_object(json_object_get(report, "verdict")))
		why = "is a report without a verdict";
	if (why) {
		json_decref(report);
		return no_report(name, why);
	}
	*ret = report;
	return NULL;
}

struct bytes_read {
	char *bytes;
	size_t size, capacity;
};

static void bytes_read_free_at(struct bytes_read *read) { free(read->bytes); }

static struct error *read_stream(FILE *in, const char *name, struct bytes_read *ret)
{
	for (;;) {
		size_t n;

		if (ret->capacity - ret->size < READ_BYTES) {
			size_t capacity = 2 * ret->capacity + READ_BYTES;
			char *bytes = realloc(ret->bytes, capacity);

			if (!bytes)
				return error_system(ENOMEM, place_whole(name), "cannot be read");
			ret->bytes = bytes;
			ret->capacity = capacity;
		}
		n = fread(ret->bytes + ret->size, 1, READ_BYTES, in);
		ret->size += n;
		if (ret->size > REPORT_BYTES_MAX)
			return error_new(ERROR_LIMIT, place_whole(name),
					 "is larger than any report");
		if (n == 0)
			break;
	}
	if (ferror(in))
		return error_system(errno, place_whole(name), "cannot be read");
	return NULL;
}

struct error *report_document_read(const char *path, json_t **ret)
{
	scoped(bytes_read) struct bytes_read read = {NULL, 0, 0};
	bool standard = strcmp(path, "-") == 0;
	const char *name = standard ? "standard input" : path;
	FILE *in = standard ? stdin : fopen(path, "re");
	struct error *error;

	if (!in && errno == ENOENT)
		return error_new(ERROR_NOT_FOUND, place_whole(path), "there is no such file");
	if (!in)
		return error_system(errno, place_whole(path), "cannot be opened");
	error = read_stream(in, name, &read);
	if (!standard)
		fclose(in);
	if (error)
		return error;
	return report_document_parse(name, read.bytes, read.size, ret);
}
