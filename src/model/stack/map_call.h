// SPDX-License-Identifier: Apache-2.0
// A map operation in progress on a stack: which, on which map, called from where, dying or not.
#pragma once
#include "model/data/map.h"
#include "model/stack/unwind.h"

struct map_call {
	uint32_t goroutine; /**< index in the program */
	enum map_operation operation;
	const struct go_map_function
		*function;  /**< that user code, reflect or package maps called */
	size_t first, last; /**< frames of the operation: innermost and outermost map function */
	size_t user; /**< innermost frame outside the runtime and reflect; stack.count when none */
	bool in_fatal; /**< the runtime was ending the process from inside it */
	/** The check that raised the fatal; NONE when not in_fatal or not known */
	enum map_check check;
	uint64_t map; /**< 0 when the frames no longer hold it */
	/** Not from where the operation keeps it: loaded again by its code, or the only one its frames hold. */
	bool map_inferred;
	/** From a slot that no record speaks for: what an earlier call left there looks the same. */
	bool map_unrecorded;
	const char *map_found_by;   /**< "" when map is 0 */
	const struct go_type *type; /**< NULL when not known */
	/** Of the call in user code; NULL when it came through reflect or unknown code */
	const struct map_site *site;
};

/** The innermost map operation on the goroutine's stack; false when it is in none. */
bool map_call_of(struct program *program, struct goroutine *goroutine, struct map_call *ret);
/**
 * The innermost frame at or after @a from that is outside the runtime and reflect; stack->count
 * when none.
 */
size_t stack_user_frame(const struct stack *stack, size_t from);
/**
 * Whether a write in progress whose map is not known can be of @a map: it needs its map until it ends, so the address
 * stands somewhere in its frames.
 */
bool map_call_may_use(struct program *program, const struct map_call *call, uint64_t map);
