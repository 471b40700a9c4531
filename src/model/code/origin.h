// SPDX-License-Identifier: Apache-2.0
// Where control that comes to a function began: backwards over direct calls to the `go` statements, and to main.main.
// What may be called in a way that no call names (a method of an interface, a function value that is stored or handed
// over) can be anybody's, and then nothing is said.
#pragma once
#include "model/code/callers.h"
#include "model/code/itab.h"

struct origin {
	uint64_t start; /**< entry of the function that such goroutines begin with */
	bool once;      /**< there has been one such goroutine and no more */
	bool endless;   /**< none of them ever ends: it has no way to return */
};

struct origins;

/** @a callers is borrowed. */
struct origins *origins_new(struct program *program, struct callers *callers);
void origins_free(struct origins *origins);

/**
 * All goroutines that can run the function at @a entry, package initializers apart. Kept per function.
 * @return false when the code alone does not tell all of them
 */
bool origins_of(struct origins *origins, uint64_t entry, const struct origin **ret,
		size_t *ret_count);
/**
 * False when some variable of the program holds a function that the answers so far rest on, as a value to be called:
 * a table of handlers is written down without any code.
 */
bool origins_hold(struct origins *origins);
