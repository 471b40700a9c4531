// SPDX-License-Identifier: Apache-2.0
#include "reproduce/race_text.h"

#include <glib.h>

#define RACE_WORDS "WARNING: DATA RACE\n"

size_t race_text_count(const char *text)
{
	size_t count = 0;

	while ((text = strstr(text, RACE_WORDS))) {
		text += strlen(RACE_WORDS);
		count++;
	}
	return count;
}

bool race_text_is_own(const char *function, const char *package)
{
	size_t n = strlen(package);

	return strncmp(function, package, n) == 0 && (function[n] == '.' || function[n] == '/');
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

static bool is_access(const char *line)
{
	static const char *const words[] = {"Read at ", "Write at ", "Previous read at ",
					    "Previous write at "};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_str_has_prefix(line, words[i]))
			return true;
	return false;
}

/* "  main.(*store).get()" and below it "      /path/main.go:58 +0x44". */
static bool frame_read(struct arena *arena, const char *line, const char *package,
		       struct race_frame *ret)
{
	size_t width = strcspn(line, "\n");
	const char *file = next_line(line), *end = file + strcspn(file, "\n"), *colon;

	if (!g_str_has_prefix(line, "  ") || !race_text_is_own(line + 2, package))
		return false;
	if (width > 4 && strncmp(line + width - 2, "()", 2) == 0)
		width -= 2;
	colon = g_strrstr_len(file, end - file, ":");
	if (!colon)
		return false;
	ret->function = arena_string(arena, (struct text){line + 2, width - 2});
	ret->line = (unsigned)g_ascii_strtoull(colon + 1, NULL, 10);
	return true;
}

static bool side_read(struct arena *arena, const char **at, const char *package,
		      struct race_frame *ret)
{
	const char *line = *at;

	while (*line && !is_access(line) && !g_str_has_prefix(line, "===="))
		line = next_line(line);
	if (!is_access(line))
		return false;
	for (line = next_line(line); g_str_has_prefix(line, "  "); line = next_line(line))
		if (frame_read(arena, line, package, ret)) {
			*at = line;
			return true;
		}
	return false;
}

bool race_text_pair(struct arena *arena, const char *text, size_t index, const char *package,
		    struct race_pair *ret)
{
	const char *at = text;

	for (size_t i = 0; i <= index; i++) {
		at = strstr(at, RACE_WORDS);
		if (!at)
			return false;
		at += strlen(RACE_WORDS);
	}
	return side_read(arena, &at, package, &ret->sides[0]) &&
	       side_read(arena, &at, package, &ret->sides[1]);
}
