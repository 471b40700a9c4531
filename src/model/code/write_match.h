// SPDX-License-Identifier: Apache-2.0
// Whether a write in the code is of one map, as far as the code says where it takes its map from.
#pragma once
#include "model/process/program.h"

/** How sure it is that a site's map is the one in question. */
enum site_match {
	SITE_OTHER_MAP,  /**< its code loads another map */
	SITE_SAME_TYPE,  /**< the type fits; the code does not say which map */
	SITE_SAME_FIELD, /**< it loads its map at the offset at which the holder keeps this one */
	SITE_SAME_MAP,   /**< it loads it from the variable that holds this very map */
};

/** The map in question, and what is known of who holds it. */
struct write_target {
	uint64_t map;               /**< 0 when its address is not known */
	const struct go_type *type; /**< NULL: no site is looked for */
	/** Addresses of the words that are known to hold the map's address */
	const uint64_t *holders;
	/** Full type of the struct that each is part of, "" when not known; NULL: of none is known */
	const char *const *holder_types;
	size_t holder_count;
	/** A site that used this very map; NULL when none is known */
	const struct map_site *known;
};

/** Zero but for the first two to begin with. */
struct write_matcher {
	struct program *program;
	struct write_target target;
	unsigned calls_followed; /**< so far; bounded */
};

/** Of a site that writes maps of the target's type. */
enum site_match write_match(const struct write_matcher *matcher, const struct map_site *site);
/** A write of a map that stands on the stack, or that was made some lines before and went nowhere since. */
bool write_match_is_fresh(struct write_matcher *matcher, const struct map_site *site);
