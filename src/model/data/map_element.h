// SPDX-License-Identifier: Apache-2.0
// Maps whose elements are, or hold, maps: which one a word belongs to, found backwards from the word's bucket or group.
#pragma once
#include "model/data/map.h"
#include "model/data/object_type.h"

struct map_element {
	uint64_t map;               /**< the outer one */
	const struct go_type *type; /**< of the outer one */
	const char *path;           /**< from the element to the word: "" or ".labels" */
	const char *holder; /**< full name of the struct that is the element; "" when the map is */
};

/**
 * The map in whose elements @a word stands, which holds a map that code used as one of type @a inner (NULL: not known). Only
 * where a walk over that map comes to the word.
 */
bool map_element_at(struct program *program, struct object_types *types, uint64_t word,
		    const struct go_type *inner, struct map_element *ret);
