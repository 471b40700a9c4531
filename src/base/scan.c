// SPDX-License-Identifier: Apache-2.0
#include "base/scan.h"

#define HEX_DIGITS_MAX 16

bool scan_decimal(struct text *text, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < text->n && text->p[n] >= '0' && text->p[n] <= '9'; n++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text->p[n] - '0'), &value))
			return false;
	if (n == 0)
		return false;
	scan_skip(text, n);
	*ret = value;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool scan_hex(struct text *text, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;
	int digit;

	for (; n < text->n && (digit = hex_digit(text->p[n])) >= 0; n++) {
		if (n == HEX_DIGITS_MAX)
			return false;
		value = value << 4 | (uint64_t)digit;
	}
	if (n == 0)
		return false;
	scan_skip(text, n);
	*ret = value;
	return true;
}

bool scan_address(struct text *text, uint64_t *ret)
{
	struct text rest = *text;

	if (!scan_prefix(&rest, "0x") || !scan_hex(&rest, ret))
		return false;
	*text = rest;
	return true;
}

bool scan_until(struct text *text, const char *separator, struct text *ret)
{
	size_t n = strlen(separator);
	const char *at = text->n ? memmem(text->p, text->n, separator, n) : NULL;

	if (!at)
		return false;
	*ret = (struct text){text->p, (size_t)(at - text->p)};
	scan_skip(text, ret->n + n);
	return true;
}
