// SPDX-License-Identifier: Apache-2.0
// Which places of the source make and grow maps, and what becomes of that memory over a series of
// heap profiles.
//
// The method. A heap profile is a sample: one in about `period` bytes, so that a site's values are
// counts of a Poisson process, times the bytes that one sample stands for. Increments of what a
// site allocated, per time, are put on a scale where that noise has the size 1 everywhere
// (Anscombe: 2 * sqrt(n + 3/8)), and split where their level changes (findings/changepoint.h);
// neighbouring levels of which neither is twice the other are joined again. The verdict is about what
// stays in use:
//
//   leak    rises to the end, and has been rising for longer than it last stood still
//   burst   rose within a part of the series, and stood still for longer since, or fell back; or
//           allocated almost all of it in one part of the series
//   churn   frees twice as much as it holds, and more, without such a rise
//   steady  none of these
//
// A map that doubles its memory when it is full stands still for as long as it has been growing: so
// "longer" is measured against the climb itself, and a single doubling decides nothing.
#pragma once
#include "model/profile/gc_log.h"
#include "model/profile/profile_series.h"

enum growth_verdict { GROWTH_UNKNOWN, GROWTH_STEADY, GROWTH_CHURN, GROWTH_BURST, GROWTH_LEAK };

/** "unknown", "steady", "churn", "burst", "leak": the words of the report. */
const char *growth_verdict_name(enum growth_verdict verdict);

#define GROWTH_PROFILES_LEAST 4 /* of a series; fewer show no trend */

/** Between two profiles a site began to allocate at another rate. */
struct growth_change {
	size_t point; /**< first profile after it; it lies between this and the one before */
	double before, after; /**< bytes a second, or a profile when the series has no times */
};

struct growth_site {
	const struct allocation_site *site;
	enum growth_verdict verdict;
	const char *because;           /**< a sentence with the figures that decided */
	struct allocation *values;     /**< one a profile */
	struct allocation first, last; /**< of the series */
	int64_t allocated;             /**< bytes within the series */
	double inuse_share;            /**< of all that is in use in the last profile, 0 to 1 */
	double alloc_share;            /**< of all that was allocated within the series */
	struct growth_change *changes;
	size_t change_count;
};

/** The garbage collector's own log next to a change of a site. */
struct growth_pressure {
	double cycles_per_s_before, cycles_per_s_after;
	double live_mb_before, live_mb_after; /**< heap after a cycle, median */
	bool known;
};

struct growth {
	const struct profile_series *series;
	const struct gc_log *gc; /**< NULL without */
	struct growth_site
		*sites; /**< the gravest first: leak, burst, churn, steady; then by size */
	size_t site_count;
	struct allocation maps; /**< all map sites of the last profile together */
	int64_t maps_allocated; /**< by them within the series */
	double live_mb_per_min; /**< trend of the heap after a collection (Theil-Sen); with gc */
	struct gap_list gaps;
	struct arena *arena;
};

/**
 * Judges every site that makes or grows maps; when no program tells which do, every site. All
 * arguments are borrowed and must outlive the result; @a gc may be NULL.
 */
struct growth *growth_derive(const struct profile_series *series, const struct gc_log *gc);
void growth_free(struct growth *growth);

/**
 * The site that makes or grows maps in @a function; NULL when there is none.
 * @param map_type  only sites of that type, or of one that is not known; NULL for any
 */
const struct growth_site *growth_in_function(const struct growth *growth, const char *function,
					     const char *map_type);
/**
 * The next site of a map of that type, from @a after on; NULL when there is no other. Begin with
 * NULL.
 */
const struct growth_site *growth_of_type(const struct growth *growth, const char *map_type,
					 const struct growth_site *after);
/** What the collector did before and after a change; unknown when the log does not cover it. */
struct growth_pressure growth_pressure_at(const struct growth *growth,
					  const struct growth_change *change);

static inline void growth_free_at(struct growth **growth) { growth_free(*growth); }
