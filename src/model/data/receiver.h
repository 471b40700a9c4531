// SPDX-License-Identifier: Apache-2.0
// Which object is of which type by the methods that are called on it: by live frames, and by code that calls a method on
// what a package-level variable holds. Type names come from the methods' own, so no descriptor is needed.
#pragma once
#include "model/process/program.h"

struct receiver {
	uint64_t address;
	const char *type; /**< "main.store", "main.cache[...]" */
};

/** "main.store" of "main.(*store).get"; NULL for what is no method of a pointer. To be freed. */
char *receiver_name(const char *function);
/** Is @a type_name the type that receiver_name() told? The arguments of a generic type are not compared. */
bool receiver_is(const char *receiver, const char *type_name);
/**
 * The objects that start in [@a low, @a high] and have methods called on them; each once, at most @a room.
 */
size_t receivers_in(struct program *program, uint64_t low, uint64_t high, struct receiver *ret,
		    size_t room);
/** True when a method of @a type uses the field @a offset bytes into its receiver as a map, or hands it on. */
bool receiver_has_field(struct program *program, const char *type, uint64_t offset);
