// SPDX-License-Identifier: Apache-2.0
// The ways by which code comes to given functions: backwards from them, over direct calls and over function values that
// code makes, and at last by a call through an interface or a function value, of which the code alone does not say
// whom it runs.
#pragma once
#include "model/code/callers.h"
#include "model/code/itab.h"

#include <glib.h>

#define WAY_STEPS_MAX 7

enum way_kind {
	WAY_CALL,    /**< calls it directly, or jumps to it at its end */
	WAY_HANDED,  /**< makes a function value of it, for somebody to call */
	WAY_STARTED, /**< starts a goroutine with it */
	WAY_METHOD,  /**< calls a method at that place of some interface */
	WAY_VALUE,   /**< calls some function value */
	WAY_FAR,     /**< calls a method that in its turn may call some function value */
};

struct way_step {
	enum way_kind kind;
	uint64_t end;    /**< address after the instruction */
	uint64_t callee; /**< entry of the function that it leads to */
};

struct way {
	uint32_t goal;
	unsigned count; /**< of steps, outermost first; 0: the function is the goal itself */
	struct way_step steps[WAY_STEPS_MAX];
};

struct ways;

/**
 * Searches from @a goals, entries of functions (repeats are fine), best first: where more ways lead somewhere than are
 * kept, those to earlier goals stay. The first @a preferred of them are kept before others.
 */
struct ways *ways_new(struct program *program, const uint64_t *goals, size_t count,
		      size_t preferred, unsigned steps_max);
void ways_free(struct ways *ways);
/** Appends the ways (struct way) from the beginning of the function at @a entry, nearest first. */
void ways_from(struct ways *ways, uint64_t entry, GArray *ret);
/**
 * Appends those that begin with the indirect call whose return address is @a end, which goes through @a target: by the
 * methods at that place of any itab, or by all function values.
 */
void ways_through(struct ways *ways, struct flow_value target, uint64_t end, GArray *ret);
/** False when no indirect call of the program can lead to a goal. */
bool ways_may_be_indirect(struct ways *ways);
/** Appends those that begin with a function value that the code of @a function makes. */
void ways_handed(struct ways *ways, const struct go_function *function, GArray *ret);
/** Who calls whom in this program. */
struct callers *ways_callers(struct ways *ways);
