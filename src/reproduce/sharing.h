// SPDX-License-Identifier: Apache-2.0
// The way by which both sides reach the map, as the report's owner path has it: "main.registry.entries"
// is a package variable with a field, "found (local of main.collect.func1, goroutine 19)" a variable
// that functions hand on.
#pragma once
#include "reproduce/local_types.h"
#include "reproduce/verdict.h"

struct sharing {
	bool local;              /**< the root is a variable of a function */
	const char *root;        /**< its identifier */
	const char *root_type;   /**< as the program writes it */
	const char *map;         /**< the map, from the root: "registry.entries" */
	const char *setup;       /**< statements that make it anew */
	const char *holder_type; /**< struct whose field leads to the map; "" when there is none */
	const char *holder;      /**< that struct, from the root: "registry" */
	const char *tail;        /**< the map, from the struct: ".entries" */
};

/**
 * @a receiver is the type of the sides' methods ("main.store"), or "": it is taken for the holder
 * where the report does not name one.
 */
void sharing_plan(const struct verdict *verdict, struct local_types *types, struct names *names,
		  struct arena *arena, const char *map_type, const char *receiver,
		  struct sharing *ret);
