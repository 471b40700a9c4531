// SPDX-License-Identifier: Apache-2.0
// What control can come to in one function, from any place in it: its jumps and direct calls, decoded once.
#pragma once
#include "evidence/binary/code.h"
#include "model/process/program.h"

#include <glib.h>

struct control_call {
	uint64_t pc, end, target; /**< of the instruction; after it; whom it calls */
};

struct control {
	struct control_call *calls; /**< direct ones, in address order */
	size_t call_count;
	GArray *jumps; /**< for control_ahead() */
};

/** A function of generated code that is larger than some hundred KB shows neither. @a code may be NULL: the same. */
struct control *control_read(const struct program *program, struct code *code,
			     const struct go_function *function);
void control_free(struct control *control);
/** The stretches of code that execution at @a pc can come to; free with g_array_free(). */
GArray *control_ahead(const struct control *control, uint64_t pc);
/** The same where none of the @a count addresses @a stops is passed. */
GArray *control_ahead_until(const struct control *control, uint64_t pc, const uint64_t *stops,
			    size_t count);
/** Whether @a target lies in one of them. */
bool control_is_ahead(const GArray *stretches, uint64_t target);
/** Whether control can leave the function from one of them but by a panic; true when the code was not read. */
bool control_may_return(const struct control *control, const GArray *stretches);
