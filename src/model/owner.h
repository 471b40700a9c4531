// SPDX-License-Identifier: Apache-2.0
// Who holds a map: the path by which the program reaches an address.
#pragma once
#include "model/program.h"

struct owner {
	const char *path; /**< "main.srv.sessions", "main.(*Server).run.func1 closure .m", "local s
			     of main.main" */
	const char *via;  /**< "global", "field", "closure", "local", "map element", "type only" */
	const char
		*holder_type; /**< full type of the object that holds the word; "" when not known */
	uint64_t word;        /**< address of the word that holds the map's address */
	unsigned hops;        /**< pointers from the root */
};

/**
 * The ways by which the program's roots (globals, live stacks) reach @a address, shortest first, at
 * most
 * @a room of them.
 */
size_t owners_of(struct program *program, uint64_t address, struct owner *ret, size_t room);
