// SPDX-License-Identifier: Apache-2.0
// Which write sites of one map a piece of code can get to, and in how many direct calls.
#pragma once
#include "model/program.h"

/** How sure it is that a site's map is the one in question. */
enum site_match {
	SITE_OTHER_MAP,  /**< its code loads another map */
	SITE_SAME_TYPE,  /**< the type fits; the code does not say which map */
	SITE_SAME_FIELD, /**< it loads its map at the offset at which the holder keeps this one */
	SITE_SAME_MAP,   /**< it loads it from the variable that holds this very map */
};

struct write_site {
	const struct map_site *site;
	enum site_match match;
};

struct write_reach;

/**
 * Collects the program's write sites (assign, delete, clear) of @a type that may be of the map at
 * @a map.
 * @param holders  addresses of the words that are known to hold the map's address
 */
struct write_reach *write_reach_new(struct program *program, uint64_t map,
				    const struct go_type *type, const uint64_t *holders,
				    size_t holder_count);
void write_reach_free(struct write_reach *reach);

/** All of them, in address order. */
const struct write_site *write_reach_sites(const struct write_reach *reach, size_t *ret_count);

#define WRITE_REACH_CALLS                                                                          \
	3 /**< direct calls followed; forensic measurement showed no gain beyond */

struct write_path {
	const struct write_site *site; /**< best match, nearest; NULL when none is in reach */
	unsigned calls;                /**< 0: the function itself has it */
	bool again; /**< execution can come to it from where it stands; else it is past it for good */
};

/**
 * The nearest write site from @a function, when execution stands at @a pc in it.
 * @return false when none is in reach
 */
bool write_reach_from(struct write_reach *reach, const struct go_function *function, uint64_t pc,
		      struct write_path *ret);
