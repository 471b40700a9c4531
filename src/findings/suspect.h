// SPDX-License-Identifier: Apache-2.0
// What speaks against one goroutine, before anybody is named.
#pragma once
#include "findings/reasoning.h"
#include "model/stack/ghost.h"
#include "model/profile/map_profile.h"
#include "model/printout/printout_path.h"
#include "model/code/write_reach.h"

/**
 * What speaks against a goroutine, weakest first. From TIER_REACH_ENDED to TIER_REACH_RUNNABLE the weights decide, see
 * struct suspect.
 */
enum tier {
	TIER_NONE,
	/* A text alone tells the next five, and with a binary TIER_UNSEEN */
	TIER_SAME_PACKAGE_PARKED, /**< waited in code of the detector's package */
	TIER_SAME_PACKAGE,        /**< was running there */
	TIER_SAME_ORIGIN,  /**< was running, and started where the detector was, which writes */
	TIER_SAME_CODE,    /**< was in code of the same type as the detector */
	TIER_SAME_OBJECT,  /**< was in a method of the same object, and running */
	TIER_UNSEEN,       /**< was running on another thread: no stack was printed */
	TIER_REACH_ENDED,  /**< has ended; what it was started with comes to a write of this map */
	TIER_REACH_PARKED, /**< waits; can get to a write of this map */
	TIER_GHOST_DEAD,   /**< has ended; its stack still shows a write of this map */
	TIER_GHOST_PARKED, /**< waits; dead stack shows a write of this map */
	TIER_REACH_RUNNABLE,  /**< was running; can get to a write of this map */
	TIER_GHOST_RUNNABLE,  /**< was running; dead stack shows a write of this map */
	TIER_WRITE_SAME_TYPE, /**< inside a write of such a map, which its frames no longer name */
	TIER_IN_WRITE,        /**< inside a write of this very map */
};

struct suspect {
	uint32_t goroutine;
	enum tier tier;
	enum map_operation operation;
	const struct go_site *site; /**< of the write; NULL when tier is TIER_NONE */
	const struct map_call *call;
	const struct ghost *ghost; /**< nearest to the live stack; NULL when none */
	size_t ghost_count;
	struct write_path path;       /**< site NULL when none is in reach */
	const struct go_site *stands; /**< where the path starts; NULL when there is none */
	size_t depth;                 /**< of that frame among the user's own */
	size_t frame;                 /**< that frame's index on the stack */
	bool reaches;                 /**< its stack leads to the map */
	bool before; /**< past that write for good before the detector's goroutine was started */
	/** Of two whose evidence is of one kind, the likelier has more: tenths of a factor of e */
	int weight;
	int path_weight; /**< what of it `path` brings */
	bool weighed;    /**< `weight` was set; else the tier alone tells */
	/** Of its write's map to the detector's, by text and code, or by what its frames hold */
	enum path_relation relation;
	/** What profiles say of its write; zeroes when none do */
	struct map_site_profile profile;
	size_t place_before, place; /**< among all, from 1: without the profiles and with them */
	bool alone; /**< nobody else can have written the map, and no other line: see alone.h */
	bool same_variable; /**< its code loads its map from the variable that the detector's does */
};

/** For sorting: most suspect first. */
int suspect_compare(const void *a, const void *b);
/** The same without what profiles say. */
int suspect_compare_plain(const void *a, const void *b);
/** Its path leads to the write that it is suspected of. */
void suspect_take_path(struct program *program, struct suspect *suspect);
/** The innermost source position of a call that the user wrote. */
const struct go_site *suspect_user_site(struct program *program, uint64_t call_pc);
/** True when it was running or about to. */
bool suspect_is_runnable(const struct goroutine *goroutine);
const char *tier_rule(enum tier tier);
