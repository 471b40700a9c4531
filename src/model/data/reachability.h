// SPDX-License-Identifier: Apache-2.0
// Can this goroutine get at that map? A search that knows no types: any word that is the address of
// an object leads there. It says yes too often rather than too seldom; the runtime's own structures
// are left out, as they lead everywhere.
#pragma once
#include "model/process/program.h"

struct reachability;

/** Searches for @a address. */
struct reachability *reachability_new(struct program *program, uint64_t address);
void reachability_free(struct reachability *reachability);

/** From the words of the goroutine's live stack, within @a hops pointers. */
bool reachability_from_stack(struct reachability *reachability, const struct goroutine *goroutine,
			     unsigned hops);
/**
 * From the package-level variables that the function's code names, within @a hops pointers. Kept
 * per function.
 */
bool reachability_from_code(struct reachability *reachability, const struct go_function *function,
			    unsigned hops);
