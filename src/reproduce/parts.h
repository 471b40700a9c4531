// SPDX-License-Identifier: Apache-2.0
// The two sides as functions of the generated program.
#pragma once
#include "reproduce/local_types.h"
#include "reproduce/sharing.h"
#include "reproduce/verdict.h"

/** Ends the line of each side's operation. */
#define MARK_DETECTOR "// the detector's operation"
#define MARK_OTHER    "// the other side's operation"
#define MARK_BOTH     "// the operation of both sides"

struct part {
	/** "main.(*store).get" as the linker will have it; of a closure, how its name begins */
	const char *linked_name;
	const char *label;       /**< short, for the fixes' methods: "get" */
	const char *declaration; /**< the function; "" for a closure, and for one written before */
	const char *call;        /**< a statement that uses key number n */
	const char *head;        /**< "func get(m map[int]int, ": the last parameter is missing */
	const char *body;        /**< the operation, by what the function calls the map */
	const char *call_head;   /**< "get(index, ": the last argument is missing */
	bool closure;            /**< call is the operation itself */
	bool may_panic;    /**< the library that does it may stumble before the runtime looks */
	const char *outer; /**< of a closure: the function that it stands in */
};

struct parts_input {
	const struct verdict *verdict;
	const struct sharing *sharing;
	struct local_types *types;
	struct names *names;
	struct arena *arena;
	struct notes *notes;
	const char *map_type;
	const struct shape *map; /**< its key and element */
	unsigned go_minor;
};

/**
 * The type that the sides' methods belong to and that holds the map, "main.store", if there is one; else "".
 * @a input's sharing is not looked at.
 */
const char *parts_receiver(const struct parts_input *input);
void parts_plan(const struct parts_input *input, struct part ret[2]);
/** One statement of @a operation on @a map with the key @a key; its mark at the end of its line. */
const char *operation_text(struct arena *arena, enum reproduced_operation operation,
			   const char *map, const char *key, const char *value, const char *mark,
			   unsigned go_minor);
