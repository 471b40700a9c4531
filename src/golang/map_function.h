// SPDX-License-Identifier: Apache-2.0
// The runtime's map functions: which operation each performs and where it takes its map.
#pragma once
#include "golang/version.h"

#include <stdint.h>

enum map_operation {
	MAP_READ,
	MAP_ASSIGN,
	MAP_DELETE,
	MAP_CLEAR,
	MAP_ITERATE,
	MAP_CLONE,
	MAP_MAKE,
	MAP_GROW,  /**< inside an assignment: hashGrow, growWork, evacuate, rehash, split ... */
	MAP_WRITE, /**< assign, delete or clear: a text does not always tell which */
};

/** "read", "assign", ...: the words of the report. */
const char *map_operation_name(enum map_operation operation);
/** Assign, delete, clear, grow and "write" hold the map's writing flag. */
bool map_operation_writes(enum map_operation operation);

#define MAP_ARGUMENT_NONE (-1)

struct go_map_function {
	const char *name; /**< "runtime.mapassign_fast64", "internal/runtime/maps.(*Map).Delete" */
	enum map_operation operation;
	/** Index of the *maptype argument, MAP_ARGUMENT_NONE when it has none */
	int8_t type_argument;
	int8_t map_argument;  /**< index of the *hmap / *maps.Map argument */
	int8_t iter_argument; /**< index of the *hiter / *maps.Iter argument */
	/** Compiled code, reflect or maps call it; else it runs below such a function */
	bool user_facing;
};

/** By the name in the pclntab; NULL when it is not a map function. */
const struct go_map_function *go_map_function_find(const char *name);
/**
 * Does the function itself set and clear the map's writing flag? Others are wrappers of such a function,
 * or run inside one.
 * @param swiss  the program's maps are those of internal/runtime/maps (1.24+, unless built without)
 */
bool go_map_function_holds_flag(const struct go_map_function *function, bool swiss);
/** All of them, for indexes. */
const struct go_map_function *go_map_functions(size_t *ret_count);

/** A check of the runtime's that finds a concurrent use. */
enum map_check {
	MAP_CHECK_NONE,
	MAP_CHECK_ENTRY, /**< at entry, or at a step of a walk: a writer was inside, its flag set */
	MAP_CHECK_EXIT,  /**< at exit: another writer wrote during this operation */
};

/**
 * Which of the runtime's checks stands at that line of that function in @a version (table generated
 * from the toolchains' sources). A minor without a row of its own gives MAP_CHECK_NONE.
 */
enum map_check go_map_check_at(struct go_version version, const char *function, int32_t line);

/** Kinds of death by map, with the runtime's own words. */
enum map_fatal {
	MAP_FATAL_NONE,
	MAP_FATAL_WRITES,
	MAP_FATAL_READ_AND_WRITE,
	MAP_FATAL_ITERATION_AND_WRITE,
	MAP_FATAL_CLONE_AND_WRITE,
};
/** Finds one of the four messages in @a text; the exact words that the runtime prints. */
enum map_fatal go_map_fatal_find(struct text text);
/** "concurrent map read and map write". */
const char *go_map_fatal_message(enum map_fatal fatal);
/** "concurrent_map_read_and_write": the report's word. */
const char *go_map_fatal_kind(enum map_fatal fatal);
