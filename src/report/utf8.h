// SPDX-License-Identifier: Apache-2.0
// Names from the evidence may hold any bytes. This tells well-formed text from the rest, and text
// that a terminal only shows from text that it would obey.
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The code point at @a p, of at most @a n bytes; returns its length, 0 when the bytes are not
 * UTF-8.
 */
size_t utf8_decode(const char *p, size_t n, uint32_t *ret);
/**
 * True for what a terminal or a reader's eye could be misled by: C0 and C1 controls, DEL, the line
 * and paragraph separators, and the marks that reverse the order of text.
 */
bool utf8_is_unsafe(uint32_t code);
/** Columns that @a text takes on a terminal; @a text must be safe (utf8_append_safe()). */
size_t utf8_columns(const char *text, size_t bytes);
/** Appends @a text with unsafe code points as "\x1b" or "\u202e" and malformed bytes as U+FFFD. */
void utf8_append_safe(GString *string, const char *text);
/** The same as a new string; free with g_free(). NULL gives "". */
char *utf8_safe(const char *text);
