// SPDX-License-Identifier: Apache-2.0
#include "report/utf8.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Lead bytes by length: value bits of the lead, least code point that needs the length (RFC 3629).
 */
static const struct {
	uint8_t mask, lead, value;
	uint32_t least;
} forms[] = {
	{0x80, 0x00, 0x7f, 0},
	{0xe0, 0xc0, 0x1f, 0x80},
	{0xf0, 0xe0, 0x0f, 0x800},
	{0xf8, 0xf0, 0x07, 0x10000},
};

size_t utf8_decode(const char *p, size_t n, uint32_t *ret)
{
	for (size_t extra = 0; extra < G_N_ELEMENTS(forms) && extra < n; extra++) {
		uint32_t code;

		if (((uint8_t)p[0] & forms[extra].mask) != forms[extra].lead)
			continue;
		code = (uint8_t)p[0] & forms[extra].value;
		for (size_t i = 1; i <= extra; i++) {
			if (((uint8_t)p[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | ((uint8_t)p[i] & 0x3f);
		}
		if (code < forms[extra].least || code > 0x10ffff ||
		    (code >= 0xd800 && code <= 0xdfff))
			return 0;
		*ret = code;
		return extra + 1;
	}
	return 0;
}

bool utf8_is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
	       code == 0x061c || code == 0xfeff;
}

size_t utf8_columns(const char *text, size_t bytes)
{
	size_t columns = 0;

	for (size_t at = 0; at < bytes;) {
		uint32_t code = 0;
		size_t length = utf8_decode(text + at, bytes - at, &code);

		at += length ? length : 1;
		if (!length || !g_unichar_iszerowidth(code))
			columns += length && g_unichar_iswide(code) ? 2 : 1;
	}
	return columns;
}

void utf8_append_safe(GString *string, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	for (size_t at = 0; at < n;) {
		uint32_t code = 0;
		size_t length = utf8_decode(text + at, n - at, &code);

		if (!length)
			g_string_append(string, REPLACEMENT);
		else if (!utf8_is_unsafe(code))
			g_string_append_len(string, text + at, (gssize)length);
		else
			g_string_append_printf(string, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
		at += length ? length : 1;
	}
}

char *utf8_safe(const char *text)
{
	GString *string = g_string_new(NULL);

	utf8_append_safe(string, text);
	return g_string_free(string, FALSE);
}
