// SPDX-License-Identifier: Apache-2.0
// The map of an operation by the code that called it, where the operation's own frames no longer
// hold it.
#pragma once
#include "model/stack/map_call.h"

struct traced_map {
	uint64_t map;
	uint64_t type; /**< descriptor that an iterator names; else 0 */
	bool reloaded; /**< read again from where the code loads it: that may hold another map by now */
	const char *found_by; /**< lives as long as the program */
};

/**
 * Follows the map, or the iterator, that the outermost of @a call's functions was given, or else the
 * reflect.Value that the method above them was called on. The result
 * reads as a map and is a heap object of its own.
 */
bool map_trace(struct program *program, const struct stack *stack, const struct map_call *call,
	       struct traced_map *ret);
