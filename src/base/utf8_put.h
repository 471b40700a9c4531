// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

/** Writes a character as UTF-8, at most 4 bytes; what is no character becomes U+FFFD. */
static inline size_t utf8_put(char *to, uint64_t rune)
{
	if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
		rune = 0xfffd;
	if (rune < 0x80) {
		to[0] = (char)rune;
		return 1;
	}
	if (rune < 0x800) {
		to[0] = (char)(0xc0 | rune >> 6);
		to[1] = (char)(0x80 | (rune & 0x3f));
		return 2;
	}
	if (rune < 0x10000) {
		to[0] = (char)(0xe0 | rune >> 12);
		to[1] = (char)(0x80 | (rune >> 6 & 0x3f));
		to[2] = (char)(0x80 | (rune & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | rune >> 18);
	to[1] = (char)(0x80 | (rune >> 12 & 0x3f));
	to[2] = (char)(0x80 | (rune >> 6 & 0x3f));
	to[3] = (char)(0x80 | (rune & 0x3f));
	return 4;
}
