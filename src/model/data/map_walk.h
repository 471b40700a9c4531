// SPDX-License-Identifier: Apache-2.0
// The walk over a map's entries, shared by the two implementations: what was found so far, what may
// still be looked at, and who is told.
#pragma once
#include "model/data/map.h"

struct map_walk {
	const struct program *program;
	const struct memory *memory;
	const struct go_map *map;
	const struct go_map_shape *shape;
	bool (*visit)(uint64_t key, uint64_t elem, void *);
	void *context;
	uint64_t bytes_left; /**< of groups and buckets that the dumped memory could still hold */
	bool stopped;        /**< by the visitor, or because a bound was reached */
	struct map_integrity found;
};

/** Counts something that a sound map does not have; the first one's text is kept (not copied). */
void map_walk_problem(struct map_walk *walk, const char *what);
/** Ends the walk before its time. */
void map_walk_stop(struct map_walk *walk, const char *why);
/**
 * Takes @a size bytes from what memory could hold; false, and the walk stops, when they are used
 * up.
 */
bool map_walk_spend(struct map_walk *walk, uint64_t size);
/** One full slot: follows indirect keys and elements, and tells the visitor. */
void map_walk_slot(struct map_walk *walk, uint64_t key, uint64_t elem);
/** How many of @a size bytes are dumped from @a address on, without a hole. */
uint64_t map_walk_dumped(const struct map_walk *walk, uint64_t address, uint64_t size);
/** True for a pointer that the runtime could have made: not nil, aligned, in the user half. */
bool map_pointer_plausible(uint64_t pointer);

bool map_classic_read(const struct program *program, uint64_t address, struct go_map *ret);
bool map_swiss_read(const struct program *program, uint64_t address, struct go_map *ret);
void map_classic_walk(struct map_walk *walk);
void map_swiss_walk(struct map_walk *walk);
