// SPDX-License-Identifier: Apache-2.0
#include "record/mappings.h"

#include <errno.h>
#include <glib.h>

#define PAGE         4096u
#define REACH        0x7fff0000ull /* of 32 bits, less some */
#define LOWEST       0x10000ull    /* vm.mmap_min_addr */
#define PATH_COLUMNS 5             /* address, rights, offset, device, inode */

/** "7f00-7f10 r-xp 00001000 fd:00 1234   /path": cut in place. */
static bool parse(char *line, struct mapping *ret)
{
	char *rest;

	*ret = (struct mapping){.path = ""};
	ret->start = g_ascii_strtoull(line, &rest, 16);
	if (*rest != '-')
		return false;
	ret->end = g_ascii_strtoull(rest + 1, &rest, 16);
	if (strlen(rest) < 5)
		return false;
	ret->executable = rest[3] == 'x';
	ret->shared = rest[4] == 's';
	for (int column = 1; column < PATH_COLUMNS; column++) {
		rest += strspn(rest, " ");
		rest += strcspn(rest, " ");
	}
	ret->path = rest + strspn(rest, " ");
	return true;
}

struct error *mappings_read(pid_t pid, struct mappings *ret)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/maps", (int)pid);
	GArray *items;
	char *text, *save = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return error_system(errno, place_whole(""),
				    "the mappings of process %d cannot be read", (int)pid);
	items = g_array_new(FALSE, FALSE, sizeof(struct mapping));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct mapping mapping;

		if (parse(line, &mapping))
			g_array_append_val(items, mapping);
	}
	ret->text = text;
	ret->count = items->len;
	ret->items = (struct mapping *)g_array_free(items, FALSE);
	return NULL;
}

void mappings_done(struct mappings *mappings)
{
	g_free(mappings->items);
	g_free(mappings->text);
	*mappings = (struct mappings){0};
}

uint64_t mappings_room_near(const struct mappings *mappings, uint64_t start, uint64_t end,
			    uint64_t size)
{
	uint64_t lowest = MAX(end > REACH ? end - REACH : 0, LOWEST);
	uint64_t highest = start + REACH - size, free = LOWEST, found = 0;

	for (size_t i = 0; i <= mappings->count; i++) {
		uint64_t until = i < mappings->count ? mappings->items[i].start : UINT64_MAX;
		uint64_t from = MAX(free + PAGE, lowest);
		uint64_t last;

		if (until >= size + PAGE) {
			last = MIN(until - size - PAGE, highest) & ~(uint64_t)(PAGE - 1);
			if (last >= from)
				found = last;
		}
		if (i < mappings->count)
			free = mappings->items[i].end;
	}
	return found;
}
