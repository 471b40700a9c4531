// SPDX-License-Identifier: Apache-2.0
// Heap profiles of one process in the order of time, added up by the place in the source that
// allocated. A place is told apart by what it does with maps: making one, growing one, or neither.
#pragma once
#include "model/gap.h"
#include "model/process/program.h"

#define SERIES_STACK_MAX 48 /* frames kept of a site's example */

/** Estimates of the runtime's own, from samples; since the start of the process for alloc_*. */
struct allocation {
	int64_t alloc_objects, alloc_bytes, inuse_objects, inuse_bytes;
};

struct series_point {
	const char *path;
	int64_t time_ns; /**< since 1970; of the profile, else of the file; 0 when neither tells */
	bool profile_time; /**< the profile itself says so */
	int64_t period;    /**< bytes per sample */
	struct allocation total;
};

/** Values of a site in one profile; profiles without it are left out. */
struct site_value {
	uint32_t point;
	struct allocation value;
};

enum site_map_role {
	SITE_NO_MAP,      /**< allocates for something else */
	SITE_MAP_UNKNOWN, /**< the profile hides it and no program tells */
	SITE_MAP_MAKE,    /**< makes or clones a map */
	SITE_MAP_GROW,    /**< assigns, which grew the map */
};

struct allocation_site {
	/** Innermost frame outside the standard library; without one, outside the runtime */
	struct go_site site;
	/** Innermost frame outside the runtime, when that is another: an encoder, http.Header.Add */
	struct go_site via;
	enum site_map_role role;
	const char *map_type;     /**< "" when not known */
	const char *map_function; /**< of the runtime's: "runtime.hashGrow"; "" when not known */
	const struct site_value *values; /**< in order of time */
	size_t value_count;
	const struct go_site *stack; /**< of its largest sample; innermost first */
	size_t stack_count;
};

struct profile_series {
	struct arena *arena;
	struct series_point *points; /**< of one process, in order of time */
	size_t point_count;
	struct allocation_site *sites; /**< largest first, by all that they allocated */
	size_t site_count;
	bool timed;     /**< every point has a time; else they are in the order of their names */
	bool has_alloc; /**< alloc_* is known */
	const char *checked; /**< what says that the program is the right one; "" without program */
	struct gap_list gaps;
};

struct series_request {
	const char *const *paths;
	/**
	 * Of each path: found in a directory, not named. Another kind of profile, or a damaged one,
	 * is then left out, with a gap when it is damaged. NULL: all are named
	 */
	const bool *listed;
	size_t count;
	struct program *program; /**< NULL without; borrowed, must outlive the series */
	bool force;              /**< go on although program and profiles do not belong together */
};

/**
 * Reads profiles one after the other. A drop of what was ever allocated means a new process: then
 * the longest run of one process is taken, and a gap says so.
 *
 * @return ERROR_USAGE for a profile that is not of the heap, ERROR_MISMATCH when they are of
 * different programs, or as profile_open()
 */
struct error *profile_series_read(const struct series_request *request,
				  struct profile_series **ret);
void profile_series_free(struct profile_series *series);

static inline void profile_series_free_at(struct profile_series **series)
{
	profile_series_free(*series);
}
