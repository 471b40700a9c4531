// SPDX-License-Identifier: Apache-2.0
// A piece of text that points into somebody else's bytes and need not end in NUL.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
	const char *p;
	size_t n;
};

/** For printf's "%.*s". */
#define TEXT_ARGUMENTS(t) (int)(t).n, (t).p

static inline struct text text_of(const char *string)
{
	return (struct text){string, string ? strlen(string) : 0};
}

static inline bool text_equal(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool text_is(struct text a, const char *string)
{
	return text_equal(a, text_of(string));
}

static inline bool text_starts(struct text a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.n >= n && memcmp(a.p, prefix, n) == 0;
}

/** Moves behind @a word when the text begins with it. */
static inline bool text_take(struct text *text, const char *word)
{
	size_t n = strlen(word);

	if (!text_starts(*text, word))
		return false;
	text->p += n;
	text->n -= n;
	return true;
}
