// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/json_line.h"

#include "base/scan.h"
#include "base/utf8_put.h"

static void blanks_skip(struct text *text)
{
	while (text->n && (text->p[0] == ' ' || text->p[0] == '\t'))
		scan_skip(text, 1);
}

/** What stands between quotes; the first one was passed. Ends with the line when it was cut. */
static struct text string_take(struct text *text)
{
	struct text raw = {text->p, 0};

	while (raw.n < text->n && text->p[raw.n] != '"')
		raw.n += text->p[raw.n] == '\\' && raw.n + 1 < text->n ? 2 : 1;
	scan_skip(text, raw.n < text->n ? raw.n + 1 : raw.n);
	return raw;
}

/** Numbers up to the bracket; false when there is anything else. */
static bool bytes_array_take(struct text *text, struct text *ret)
{
	size_t n = 0;

	while (n < text->n &&
	       ((text->p[n] >= '0' && text->p[n] <= '9') || text->p[n] == ',' || text->p[n] == ' '))
		n++;
	if (n == 0 || n == text->n || text->p[n] != ']')
		return false;
	*ret = (struct text){text->p, n};
	scan_skip(text, n + 1);
	return true;
}

static void value_take(struct text *text, struct text key, json_line_visit *visit, void *context)
{
	struct text raw;

	blanks_skip(text);
	if (scan_prefix(text, "\""))
		visit(key, JSON_STRING, string_take(text), context);
	else if (scan_prefix(text, "[") && bytes_array_take(text, &raw))
		visit(key, JSON_BYTES, raw, context);
}

bool json_line_strings(struct text line, json_line_visit *visit, void *context)
{
	struct text key;

	blanks_skip(&line);
	if (!scan_prefix(&line, "{"))
		return false;
	while (line.n) {
		if (!scan_prefix(&line, "\"")) {
			scan_skip(&line, 1); // brackets, commas and values that are no strings
			continue;
		}
		key = string_take(&line);
		blanks_skip(&line);
		if (scan_prefix(&line, ":"))
			value_take(&line, key, visit, context);
	}
	return true;
}

/* Four hexadecimal digits, and a second escape where the two are a surrogate pair. */
static bool unicode_take(struct text *raw, uint64_t *ret)
{
	struct text digits = {raw->p, 4}, low;
	uint64_t second;

	if (raw->n < 4 || !scan_hex(&digits, ret) || digits.n)
		return false;
	scan_skip(raw, 4);
	low = *raw;
	if (*ret < 0xd800 || *ret > 0xdbff || !scan_prefix(&low, "\\u") || low.n < 4)
		return true;
	digits = (struct text){low.p, 4};
	if (!scan_hex(&digits, &second) || digits.n || second < 0xdc00 || second > 0xdfff)
		return true;
	scan_skip(raw, 6);
	*ret = 0x10000 + ((*ret - 0xd800) << 10) + (second - 0xdc00);
	return true;
}

static size_t escape_decode(struct text *raw, char *ret)
{
	static const char letters[] = "nrtbf", plain[] = "\n\r\t\b\f";
	const char *found;
	uint64_t rune;
	char c = raw->p[0];

	scan_skip(raw, 1);
	if (c == 'u' && unicode_take(raw, &rune))
		return utf8_put(ret, rune);
	found = c ? strchr(letters, c) : NULL;
	*ret = found ? plain[found - letters] : c;
	return 1;
}

static size_t bytes_decode(struct text raw, char *ret)
{
	uint64_t value;
	size_t n = 0;

	while (raw.n) {
		if (scan_decimal(&raw, &value))
			ret[n++] = (char)value;
		else
			scan_skip(&raw, 1);
	}
	return n;
}

size_t json_line_decode(enum json_value kind, struct text raw, char *ret)
{
	size_t n = 0;

	if (kind == JSON_BYTES)
		return bytes_decode(raw, ret);
	while (raw.n) {
		if (raw.n > 1 && scan_prefix(&raw, "\\")) {
			n += escape_decode(&raw, ret + n);
		} else {
			ret[n++] = raw.p[0];
			scan_skip(&raw, 1);
		}
	}
	return n;
}
