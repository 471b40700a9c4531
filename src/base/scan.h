// SPDX-License-Identifier: Apache-2.0
// Small steps through a piece of text: each moves past what it read, and not at all when it is not
// there.
#pragma once
#include "base/text.h"

#include <stdint.h>

static inline void scan_skip(struct text *text, size_t n)
{
	text->p += n;
	text->n -= n;
}

static inline bool scan_text(struct text *text, struct text wanted)
{
	if (text->n < wanted.n || memcmp(text->p, wanted.p, wanted.n) != 0)
		return false;
	scan_skip(text, wanted.n);
	return true;
}

static inline bool scan_prefix(struct text *text, const char *prefix)
{
	return scan_text(text, (struct text){prefix, __builtin_strlen(prefix)});
}

/** Drops @a suffix from the end. */
static inline bool scan_suffix(struct text *text, const char *suffix)
{
	size_t n = __builtin_strlen(suffix);

	if (text->n < n || memcmp(text->p + text->n - n, suffix, n) != 0)
		return false;
	text->n -= n;
	return true;
}

/** Decimal digits; fails on none and on more than 64 bits hold. */
bool scan_decimal(struct text *text, uint64_t *ret);
/** Hexadecimal digits of either case, without "0x"; fails on none and on more than 16. */
bool scan_hex(struct text *text, uint64_t *ret);
/** "0x" and hexadecimal digits. */
bool scan_address(struct text *text, uint64_t *ret);
/** What stands before the first @a separator, which is passed over as well. */
bool scan_until(struct text *text, const char *separator, struct text *ret);
