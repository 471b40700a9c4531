// SPDX-License-Identifier: Apache-2.0
// A terminal as a sheet of paper: knows columns, wraps at the width with a hanging indent, colours
// when asked, leaves no spaces at line ends. All text that it is given is made safe first.
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#define SCREEN_WIDTH_MIN 40u

enum screen_tone { TONE_PLAIN, TONE_BOLD, TONE_DIM, TONE_RED, TONE_GREEN, TONE_YELLOW };

struct screen {
	FILE *out;
	unsigned width;
	bool color;
	unsigned indent;       /**< columns before a line that wrapping begins */
	unsigned column;       /**< where the next character goes, pending spaces not counted */
	unsigned pending;      /**< spaces owed before it; dropped at the end of a line */
	enum screen_tone tone; /**< in force on the terminal */
};

/** @a width below SCREEN_WIDTH_MIN is taken as that. */
void screen_init(struct screen *screen, FILE *out, unsigned width, bool color);
/** Ends the line. */
void screen_newline(struct screen *screen);
/** Spaces, if anything follows on this line. */
void screen_space(struct screen *screen, unsigned columns);
/** Spaces up to @a column; a new line when it is behind. */
void screen_to(struct screen *screen, unsigned column);
/**
 * Words, wrapped; one that is wider than a line is broken after a '/' or '.', or where the line
 * ends.
 */
void screen_words(struct screen *screen, enum screen_tone tone, const char *text);
/** One piece that stays whole where it can: begins a new line when it does not fit on this one. */
void screen_field(struct screen *screen, enum screen_tone tone, const char *text);
/** A piece that ends at the right edge, on a line of its own when this one is too full. */
void screen_right(struct screen *screen, enum screen_tone tone, const char *text);
/** Words that are not wrapped, whatever the width: a command, to be copied. */
void screen_whole(struct screen *screen, enum screen_tone tone, const char *text);
/** Formatted words. */
void screen_format(struct screen *screen, enum screen_tone tone, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/**
 * The rest of the line, cut at the width rather than wrapped: for source lines. Tabs are widened.
 */
void screen_cut(struct screen *screen, enum screen_tone tone, const char *text);
