// SPDX-License-Identifier: Apache-2.0
// A map operation as a text shows it: its map by the printed arguments, and the operation itself where the runtime's
// frames were left out.
#pragma once
#include "evidence/text/dump.h"
#include "model/stack/map_call.h"

/**
 * The operation that a goroutine was in although none of its frames was printed: by the call that its innermost frame
 * returns from, else, for one that raised the fatal error, by the runtime's own words. False when nothing tells.
 */
bool printout_hidden_call(struct program *program, const struct goroutine *goroutine,
			  struct map_call *call);
/** Takes map and type from the arguments that were printed with the operation's frames. */
void printout_find_map(struct program *program, const struct goroutine *goroutine,
		       struct map_call *call);
/** Whether a printed argument is what the function was called with, as far as this Go version vouches for it. */
bool printout_trusts(const struct program *program, const struct dump_argument *argument);
