// SPDX-License-Identifier: Apache-2.0
#include "model/gap.h"

#include <glib.h>

void gap_add(struct gap_list *list, struct arena *arena, const char *what, const char *why,
	     const char *would_decide)
{
	struct gap gap = {arena_string(arena, text_of(what)), arena_string(arena, text_of(why)),
			  arena_string(arena, text_of(would_decide))};

	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 8;
		list->items = g_renew(struct gap, list->items, list->room);
	}
	list->items[list->count++] = gap;
}
