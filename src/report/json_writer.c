// SPDX-License-Identifier: Apache-2.0
#include "report/json_writer.h"

#include "report/utf8.h"

static void flush(struct json_writer *json)
{
	fwrite(json->buffer, 1, json->used, json->out);
	json->used = 0;
}

static void put(struct json_writer *json, const char *bytes, size_t n)
{
	if (n > JSON_BUFFER_BYTES - json->used) {
		flush(json);
		if (n > JSON_BUFFER_BYTES) {
			fwrite(bytes, 1, n, json->out);
			return;
		}
	}
	memcpy(json->buffer + json->used, bytes, n);
	json->used += n;
}

static void put_char(struct json_writer *json, char c) { put(json, &c, 1); }

static void put_unsigned(struct json_writer *json, uint64_t value, unsigned base)
{
	char digits[20];
	size_t n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	put(json, digits + n, sizeof(digits) - n);
}

static void put_escaped(struct json_writer *json, uint32_t code)
{
	static const char short_forms[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
	char escape[8];

	if (code == '"' || code == '\\') {
		put(json, (const char[]){'\\', (char)code}, 2);
	} else if (code < 0x20 && short_forms[code]) {
		put(json, (const char[]){'\\', short_forms[code]}, 2);
	} else {
		snprintf(escape, sizeof(escape), "\\u%04x", code & 0xffff);
		put(json, escape, 6);
	}
}

/* Length of the run that can be copied as it is. */
static size_t plain_run(const char *p, size_t n)
{
	size_t run = 0;

	while (run < n && (uint8_t)p[run] >= 0x20 && (uint8_t)p[run] < 0x7f && p[run] != '"' &&
	       p[run] != '\\')
		run++;
	return run;
}

static size_t put_special(struct json_writer *json, const char *p, size_t n)
{
	uint32_t code = 0;
	size_t length = utf8_decode(p, n, &code);

	if (!length)
		put(json, "\xef\xbf\xbd", 3);
	else if (code == '"' || code == '\\' || utf8_is_unsafe(code))
		put_escaped(json, code);
	else
		put(json, p, length);
	return length ? length : 1;
}

static void put_string(struct json_writer *json, const char *value)
{
	size_t n = strlen(value);

	put_char(json, '"');
	for (size_t at = 0; at < n;) {
		size_t run = plain_run(value + at, n - at);

		put(json, value + at, run);
		at += run;
		if (at < n)
			at += put_special(json, value + at, n - at);
	}
	put_char(json, '"');
}

static void put_indent(struct json_writer *json)
{
	static const char spaces[] = "\n                                        ";
	size_t n = 1 + 2 * (size_t)json->depth;

	put(json, spaces, n < sizeof(spaces) - 1 ? n : sizeof(spaces) - 1);
}

/* Comma, line and key: what stands before any value. */
static void put_lead(struct json_writer *json, const char *key)
{
	if (!json->first)
		put_char(json, ',');
	if (json->line_depth && json->depth >= json->line_depth) {
		if (!json->first)
			put_char(json, ' ');
	} else if (json->depth) {
		put_indent(json);
	}
	json->first = false;
	if (key) {
		put_string(json, key);
		put(json, ": ", 2);
	}
}

void json_writer_init(struct json_writer *json, FILE *out)
{
	json->out = out;
	json->depth = json->line_depth = 0;
	json->first = true;
	json->used = 0;
}

void json_writer_done(struct json_writer *json)
{
	put_char(json, '\n');
	flush(json);
}

static void open_value(struct json_writer *json, const char *key, char bracket)
{
	put_lead(json, key);
	put_char(json, bracket);
	json->depth++;
	json->first = true;
}

static void close_value(struct json_writer *json, char bracket)
{
	bool on_line = json->line_depth && json->depth >= json->line_depth;

	json->depth--;
	if (!on_line && !json->first)
		put_indent(json);
	else if (json->depth < json->line_depth)
		json->line_depth = 0;
	put_char(json, bracket);
	json->first = false;
}

void json_put_object(struct json_writer *json, const char *key) { open_value(json, key, '{'); }
void json_put_array(struct json_writer *json, const char *key) { open_value(json, key, '['); }
void json_end_object(struct json_writer *json) { close_value(json, '}'); }
void json_end_array(struct json_writer *json) { close_value(json, ']'); }

void json_put_line(struct json_writer *json, const char *key)
{
	open_value(json, key, '{');
	if (!json->line_depth)
		json->line_depth = json->depth;
}

void json_put_string(struct json_writer *json, const char *key, const char *value)
{
	put_lead(json, key);
	if (value)
		put_string(json, value);
	else
		put(json, "null", 4);
}

void json_put_known(struct json_writer *json, const char *key, const char *value)
{
	json_put_string(json, key, value && *value ? value : NULL);
}

void json_put_integer(struct json_writer *json, const char *key, int64_t value)
{
	put_lead(json, key);
	if (value < 0)
		put_char(json, '-');
	put_unsigned(json, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

void json_put_unsigned(struct json_writer *json, const char *key, uint64_t value)
{
	put_lead(json, key);
	put_unsigned(json, value, 10);
}

void json_put_boolean(struct json_writer *json, const char *key, bool value)
{
	put_lead(json, key);
	put(json, value ? "true" : "false", value ? 4 : 5);
}

void json_put_null(struct json_writer *json, const char *key) { json_put_string(json, key, NULL); }

void json_put_address(struct json_writer *json, const char *key, uint64_t value)
{
	put_lead(json, key);
	put(json, "\"0x", 3);
	put_unsigned(json, value, 16);
	put_char(json, '"');
}
