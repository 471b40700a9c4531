// SPDX-License-Identifier: Apache-2.0
// A function's name as the linker has it, taken apart: "example.com/shop/cart.(*Store).Put.func1".
#pragma once
#include "base/arena.h"

struct linked_name {
	const char *package;  /**< import path, "example.com/shop/cart" */
	const char *receiver; /**< "Store"; "" for a plain function */
	const char *function; /**< "Put" */
	bool pointer;         /**< the receiver is a pointer */
	bool closure;         /**< a function literal inside it */
};

/** Type arguments are dropped. Anything may be given; parts that are not there are "". */
struct linked_name linked_name_parse(struct arena *arena, const char *name);
/** The last element of an import path, by which its package is mostly called. */
const char *linked_package_base(const char *package);
/** Without type arguments: "main.(*cache[go.shape.int]).get" → "main.(*cache).get". */
char *linked_name_plain(struct arena *arena, const char *name);
/** Of Go's own distribution: its import path has no dot in the first element, and it is not main. */
bool linked_name_is_standard(const char *package);
