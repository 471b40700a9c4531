// SPDX-License-Identifier: Apache-2.0
// The map of an operation whose frames have lost it: Go's fast Swiss reads and iterators keep it
// only in registers.
#pragma once
#include "model/stack/map_call.h"

struct map_candidate {
	uint64_t map;
	/** Where more is known than the call said; else the call's, or NULL */
	const struct go_type *type;
	const char *found_by;
};

#define MAP_CANDIDATES_MAX 32

/**
 * Could a map's header stand there? A map that two goroutines share has escaped: it is a heap
 * object of its own. True for any address when the heap can't be read.
 */
bool map_is_heap_object(struct program *program, uint64_t address);

/**
 * What the operation's frames and its callers' lead to. An iterator names its map and its type;
 * else these are the maps that the words of the operation's own frames, its caller's and the
 * caller's caller's lead to: directly, or one pointer further at the offset that the code loads the
 * map from. Only those that read as a sound map of the operation's type, where that is known.
 */
size_t map_recover(struct program *program, const struct map_call *call,
		   struct map_candidate ret[MAP_CANDIDATES_MAX]);
