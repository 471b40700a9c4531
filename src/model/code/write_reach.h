// SPDX-License-Identifier: Apache-2.0
// Which write sites of one map a piece of code can get to, and over which calls.
#pragma once
#include "model/code/way.h"
#include "model/code/write_match.h"

struct write_site {
	const struct map_site *site;
	enum site_match match;
	bool fresh; /**< the function has just made the map itself, and nobody else has it yet */
	bool known; /**< it is the site that used this very map */
};

/** A write of Go's library of a map of an unnamed type, which is one of its own. */
bool write_site_is_library_own(const struct write_site *write);

struct write_reach;

/** Collects the program's write sites (assign, delete, clear) that may be of @a target. */
struct write_reach *write_reach_new(struct program *program, const struct write_target *target);
void write_reach_free(struct write_reach *reach);

/** All of them, in address order. */
const struct write_site *write_reach_sites(const struct write_reach *reach, size_t *ret_count);

/**
 * Those that are of another map of the type, by what the variables hold now (they may have held the target before, as
 * two buffers do that change places), and those of another type that a map of the target's may be converted to.
 */
const struct write_site *write_reach_others(const struct write_reach *reach, size_t *ret_count);

/** Of that site of the program; SITE_OTHER_MAP when it is no write of such a map. */
enum site_match write_reach_match(const struct write_reach *reach, const struct map_site *site);
/** True when some site is known to be of the very field or variable. */
bool write_reach_is_exact(const struct write_reach *reach);

#define WRITE_PATHS_MAX 16 /**< kept from one place */

struct write_path {
	const struct write_site *site; /**< best match, nearest; NULL when none is in reach */
	unsigned calls;                /**< 0: the function itself has it */
	/** Execution can come to it from where it stands; else it is past it for good */
	bool again;
	struct way way; /**< the calls */
};

/** Steps of which the code alone does not say whom they run. */
unsigned write_path_guesses(const struct write_path *path);
/** True when a step is a goroutine that is started. */
bool write_path_starts(const struct write_path *path);
/** How likely the code alone makes it that this write is the one: tenths of a factor of e, more is likelier. */
int write_path_points(const struct write_path *path);

/**
 * The likeliest write site from @a function, when execution stands at @a pc in it.
 * @return false when none is in reach
 */
bool write_reach_from(struct write_reach *reach, const struct go_function *function, uint64_t pc,
		      struct write_path *ret);
/** All that are kept, likeliest first; live until write_reach_free(). */
const struct write_path *write_reach_paths(struct write_reach *reach,
					   const struct go_function *function, uint64_t pc,
					   size_t *ret_count);
/** The likeliest write site from the Go functions that C code can call back. */
bool write_reach_from_c(struct write_reach *reach, struct write_path *ret);
/** The same when all of the function at @a entry may have run: of a goroutine that has ended. */
bool write_reach_within(struct write_reach *reach, uint64_t entry, struct write_path *ret);
/** Who calls whom in the program. */
struct callers *write_reach_callers(struct write_reach *reach);
