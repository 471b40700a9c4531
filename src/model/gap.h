// SPDX-License-Identifier: Apache-2.0
// A fact that is not there. Work goes on; the report says what is missing, why, and what it would
// have decided.
#pragma once
#include "base/arena.h"

#include <stddef.h>

struct gap {
	const char *what;
	const char *why;
	const char *would_decide;
};

struct gap_list {
	struct gap *items;
	size_t count, room;
};

/** Appends a gap; its strings are copied to @a arena. Free list->items with g_free(). */
void gap_add(struct gap_list *list, struct arena *arena, const char *what, const char *why,
	     const char *would_decide);
