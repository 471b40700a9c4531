// SPDX-License-Identifier: Apache-2.0
#include "reproduce/race_text.h"

#include "evidence/text/dump.h"

#include <glib.h>

bool race_text_is_own(const char *function, const char *package)
{
	size_t n = strlen(package);

	return strncmp(function, package, n) == 0 && (function[n] == '.' || function[n] == '/');
}

size_t race_text_count(const char *text)
{
	static const char words[] = "WARNING: DATA RACE\n";
	size_t count = 0;

	for (; (text = strstr(text, words)); text += strlen(words))
		count++;
	return count;
}

/** The innermost frame of an access that is the program's own; its line has come. */
static bool own_frame(struct arena *arena, const struct dump *dump,
		      const struct dump_goroutine *access, const char *package,
		      struct race_frame *ret)
{
	const struct dump_group *group = dump_group(dump, access->group);

	for (size_t i = 0; i < group->frame_count; i++) {
		const struct dump_frame *frame = dump_frame_at(dump, group, i);
		g_autofree char *name = g_strndup(frame->function.p, frame->function.n);

		if (!race_text_is_own(name, package))
			continue;
		*ret = (struct race_frame){arena_string(arena, frame->function), frame->line};
		return true;
	}
	return false;
}

/** The accesses of the @a index'th race. */
static bool pair_read(struct arena *arena, const struct dump *dump, size_t index,
		      const char *package, struct race_pair *ret)
{
	size_t race = 0, side = 0;

	for (size_t i = 0; i < dump_goroutine_count(dump); i++) {
		const struct dump_goroutine *access = dump_goroutine(dump, i);

		if (dump_section(dump, access->section)->form != DUMP_FORM_RACE)
			continue;
		side = i && dump_goroutine(dump, i - 1)->section == access->section ? side + 1 : 0;
		if (side == 1 && race++ == index)
			return own_frame(arena, dump, access - 1, package, &ret->sides[0]) &&
			       own_frame(arena, dump, access, package, &ret->sides[1]);
	}
	return false;
}

bool race_text_pair(struct arena *arena, const char *text, size_t index, const char *package,
		    struct race_pair *ret)
{
	scoped(dump) struct dump *dump = NULL;
	scoped(error) struct error *error =
		dump_read_text(text_of(text), "the output of the race detector", &dump);

	return !error && pair_read(arena, dump, index, package, ret);
}
