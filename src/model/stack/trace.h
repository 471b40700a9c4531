// SPDX-License-Identifier: Apache-2.0
// Which value a call in progress was given, by the code of its callers: where an argument's content
// came from, read again at its source in the live frames, the variables and the heap.
#pragma once
#include "model/process/program.h"

/** What a traced value was read from at last. */
enum trace_source {
	/**
	 * A word of a live frame that keeps it, or a part of a closure: it can't have changed since
	 */
	TRACE_FRAME,
	TRACE_VARIABLE, /**< loaded again from a variable: assigned to since, perhaps */
	TRACE_FIELD,    /**< loaded again from a field: assigned to since, perhaps */
};

struct trace {
	uint64_t value;
	enum trace_source source;
	const char *function; /**< whose code and frame the source was found by */
};

/** The frame, at or after @a index, that an inlined one is part of. */
size_t trace_physical(const struct stack *stack, size_t index);
/**
 * Argument @a argument (pointer-sized, only such ones before it) that the function of the physical
 * frame @a index was called with.
 * @return false unless every step follows from code and memory
 */
bool trace_argument(struct program *program, const struct stack *stack, size_t index, int argument,
		    struct trace *ret);
/**
 * What @a value is now, which the code of the physical frame @a index has at some place of its own: its variables and
 * arguments as they stand. The place need not be the one where execution is, so this is a good guess and no proof.
 */
bool trace_value(struct program *program, const struct stack *stack, size_t index,
		 struct flow_value value, struct trace *ret);
