// SPDX-License-Identifier: Apache-2.0
#include "report/screen.h"

#include "report/utf8.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

#define TAB_COLUMNS 4

static const char *const tone_start[] = {
	[TONE_PLAIN] = "",         [TONE_BOLD] = "\x1b[1m",     [TONE_DIM] = "\x1b[2m",
	[TONE_RED] = "\x1b[1;31m", [TONE_GREEN] = "\x1b[1;32m", [TONE_YELLOW] = "\x1b[1;33m",
};

void screen_init(struct screen *screen, FILE *out, unsigned width, bool color)
{
	*screen = (struct screen){.out = out,
				  .width = width < SCREEN_WIDTH_MIN ? SCREEN_WIDTH_MIN : width,
				  .color = color};
}

static void set_tone(struct screen *screen, enum screen_tone tone)
{
	if (!screen->color || screen->tone == tone)
		return;
	if (screen->tone != TONE_PLAIN)
		fputs("\x1b[0m", screen->out);
	fputs(tone_start[tone], screen->out);
	screen->tone = tone;
}

void screen_newline(struct screen *screen)
{
	set_tone(screen, TONE_PLAIN);
	fputc('\n', screen->out);
	screen->column = screen->pending = 0;
}

void screen_space(struct screen *screen, unsigned columns) { screen->pending += columns; }

static unsigned at(const struct screen *screen) { return screen->column + screen->pending; }

void screen_to(struct screen *screen, unsigned column)
{
	if (at(screen) > column)
		screen_newline(screen);
	screen->pending = column - screen->column;
}

static void wrap(struct screen *screen)
{
	screen_newline(screen);
	screen->pending = screen->indent;
}

static unsigned room(const struct screen *screen)
{
	return at(screen) < screen->width ? screen->width - at(screen) : 0;
}

/* Safe text that fits. */
static void emit(struct screen *screen, enum screen_tone tone, const char *text, size_t n)
{
	if (n == 0)
		return;
	if (screen->pending)
		fprintf(screen->out, "%*s", (int)screen->pending, "");
	screen->column += screen->pending + (unsigned)utf8_columns(text, n);
	screen->pending = 0;
	set_tone(screen, tone);
	fwrite(text, 1, n, screen->out);
}

/* Bytes of @a text that fit in @a columns, at least one character. */
static size_t prefix_that_fits(const char *text, size_t n, unsigned columns)
{
	size_t end = 0;

	while (end < n) {
		uint32_t code = 0;
		size_t length = utf8_decode(text + end, n - end, &code);
		size_t next = end + (length ? length : 1);

		if (utf8_columns(text, next) > columns && end > 0)
			break;
		end = next;
	}
	return end;
}

/* The best place to break a word: after the last '/', '.' or '*' of what fits, if that is not too
 * early. */
static size_t break_at(const char *word, size_t fits)
{
	for (size_t i = fits; i > fits / 3; i--)
		if (strchr("/.*,", word[i - 1]))
			return i;
	return fits;
}

static void emit_word(struct screen *screen, enum screen_tone tone, const char *word, size_t n)
{
	unsigned line = screen->width > screen->indent ? screen->width - screen->indent : 1;

	if (utf8_columns(word, n) > room(screen) && screen->column > 0 &&
	    at(screen) > screen->indent &&
	    (utf8_columns(word, n) <= line || room(screen) < line / 2))
		wrap(screen);
	while (n > 0 && utf8_columns(word, n) > room(screen)) {
		size_t part = break_at(word, prefix_that_fits(word, n, room(screen)));

		emit(screen, tone, word, part);
		word += part;
		n -= part;
		wrap(screen);
	}
	emit(screen, tone, word, n);
}

static void words_of(struct screen *screen, enum screen_tone tone, const char *safe)
{
	while (*safe) {
		size_t n = strcspn(safe, " ");

		emit_word(screen, tone, safe, n);
		safe += n;
		if (*safe == ' ')
			screen->pending += screen->column > 0 ? 1 : 0;
		safe += *safe == ' ';
	}
}

void screen_words(struct screen *screen, enum screen_tone tone, const char *text)
{
	g_autofree char *safe = utf8_safe(text);

	words_of(screen, tone, safe);
}

void screen_whole(struct screen *screen, enum screen_tone tone, const char *text)
{
	unsigned width = screen->width;

	screen->width = UINT_MAX;
	screen_words(screen, tone, text);
	screen->width = width;
}

void screen_field(struct screen *screen, enum screen_tone tone, const char *text)
{
	g_autofree char *safe = utf8_safe(text);

	if (utf8_columns(safe, strlen(safe)) > room(screen) && at(screen) > screen->indent)
		wrap(screen);
	words_of(screen, tone, safe);
}

void screen_right(struct screen *screen, enum screen_tone tone, const char *text)
{
	g_autofree char *safe = utf8_safe(text);
	unsigned columns = (unsigned)utf8_columns(safe, strlen(safe));

	if (columns > room(screen))
		wrap(screen);
	if (room(screen) > columns)
		screen->pending += room(screen) - columns;
	words_of(screen, tone, safe);
}

void screen_format(struct screen *screen, enum screen_tone tone, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	screen_words(screen, tone, text);
}

void screen_cut(struct screen *screen, enum screen_tone tone, const char *text)
{
	g_autoptr(GString) wide = g_string_new(NULL);
	g_autofree char *safe = NULL;
	size_t n;

	for (; *text; text++) {
		if (*text == '\t')
			g_string_append_printf(wide, "%*s", TAB_COLUMNS, "");
		else
			g_string_append_c(wide, *text);
	}
	safe = utf8_safe(wide->str);
	n = strlen(safe);
	if (utf8_columns(safe, n) > room(screen))
		n = prefix_that_fits(safe, n, room(screen));
	while (n > 0 && safe[n - 1] == ' ')
		n--;
	emit(screen, tone, safe, n);
}
