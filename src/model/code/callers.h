// SPDX-License-Identifier: Apache-2.0
// Who calls a function, and who makes a value of it (a closure, an argument of `go` or `defer`): the call graph
// backwards, from one pass over the bytes of all text. The runtime's own functions are nobody's goal and left out.
#pragma once
#include "model/process/program.h"

struct caller {
	uint64_t callee; /**< entry */
	uint64_t end;    /**< address after the instruction */
	bool value; /**< makes its address, or that of a word that holds it; else calls it or jumps there */
};

/** The only one of the runtime's functions, those of reflect apart, whose callers are known. */
#define CALLERS_GOEXIT "runtime.Goexit"

struct callers;

/** Costs nothing: the text is read at the first question. */
struct callers *callers_new(struct program *program);
void callers_free(struct callers *callers);
/** In address order; live until callers_free(). */
const struct caller *callers_of(struct callers *callers, uint64_t callee, size_t *ret_count);
/**
 * True when the function value that is made before @a end starts a goroutine: the first thing that code calls after
 * making one is who gets it.
 */
bool callers_go_statement(struct program *program, uint64_t end);
