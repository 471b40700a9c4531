// SPDX-License-Identifier: Apache-2.0
// A Go map as it stands in memory: hmap (to 1.23) or Swiss Map (1.24+), mid-growth or not, intact
// or not.
#pragma once
#include "model/process/program.h"

struct go_map {
	uint64_t address;
	bool swiss;
	uint64_t count; /**< as the header says: hmap.count, Map.used */
	uint8_t flags;  /**< hmap.flags; 0 for Swiss */
	bool writing;   /**< the flag was set at the moment of the dump */
	uint8_t B;      /**< classic: log2 of buckets; Swiss: globalDepth */
	bool growing;   /**< classic: oldbuckets not yet evacuated */
	/** Classic; Swiss: directory pointer in buckets */
	uint64_t buckets, oldbuckets, nevacuate;
	int64_t dirlen; /**< Swiss: 0 for one small group */
};

/** What a check of the whole structure found. */
struct map_integrity {
	bool checked;
	uint64_t entries_found;
	bool count_matches;
	uint64_t problems;         /**< impossible tophash or ctrl values, stray pointers, cycles */
	const char *first_problem; /**< "" when none */
};

/**
 * Reads the header; false when it is not dumped or cannot be a map's (the counts, sizes and
 * pointers are checked).
 */
bool map_read(struct program *program, uint64_t address, struct go_map *ret);

/**
 * Visits each entry: addresses of key and element in memory. @a visit returns false to stop.
 * Bounded by LIMIT_MAP_ENTRIES and by what is dumped; never trusts a pointer or a count.
 */
struct map_integrity map_entries(struct program *program, const struct go_map *map,
				 const struct go_type *type,
				 bool (*visit)(uint64_t key, uint64_t elem, void *), void *context);

/** A map that the program's roots reach. */
struct map_found {
	uint64_t address;
	const struct go_type *type; /**< NULL when only its shape is known */
	uint64_t count;
	const char *owner;       /**< "main.server.sessions", best path found; "" when none */
	uint64_t word;           /**< address of the word that holds it */
	const char *holder_type; /**< full name of the struct with that word; "" when none */
};

/** Every map that globals and live stacks reach, each once. */
size_t maps_reachable(struct program *program, const struct map_found **ret);
