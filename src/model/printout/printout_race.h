// SPDX-License-Identifier: Apache-2.0
// What the race detector reported in a text, as accesses to maps.
#pragma once
#include "golang/map_function.h"
#include "model/printout/printout.h"

#define RACE_SIDES 2

struct printed_access {
	const struct goroutine *goroutine; /**< its stack is filled */
	enum map_operation operation;
	const struct go_map_function
		*function; /**< NULL where the code itself accessed the memory */
	size_t user; /**< innermost frame outside the runtime and reflect; stack.count when none */
	/** One map function called another: then the detector leaves out the frame that called them, and
	 *  the site is that of its caller */
	bool lost;
	const struct map_site *site; /**< of the call, with the binary; NULL when not known */
};

struct printed_race {
	uint64_t address; /**< of the memory that both accessed: the map itself, when it is one */
	bool of_map;      /**< a map function wrote */
	enum map_fatal fatal; /**< what the runtime's own check says of two such operations */
	struct printed_access
		side[RACE_SIDES]; /**< the one that was noticed, and the one before it */
};

/**
 * The races of @a dump whose both stacks were printed, equal ones once; in the program's arena. Tables must be open where
 * there is a binary, which may be another build than the one that raced.
 */
void printout_races(struct program *program, const struct dump *dump);
