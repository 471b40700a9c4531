// SPDX-License-Identifier: Apache-2.0
// Who holds a map: the path by which the program reaches an address.
#pragma once
#include "model/process/program.h"

#define OWNER_LOCAL_MARK " (local of " /* in paths that begin at a local variable */

struct owner {
	/** "main.srv.sessions", "main.(*Server).run.func1 closure .m", "local s of main.main" */
	const char *path;
	const char *via; /**< "global", "field", "closure", "local", "map element", "type only" */
	/** Full type of the object that holds the word, or the maps and slices it is an element of; "" when not known */
	const char *holder_type;
	const struct go_type
		*type; /**< of the map, as the holder declares it; NULL when not known */
	uint64_t
		word; /**< address of the word that holds the map's address; 0: only the code tells */
	unsigned hops; /**< pointers from the root */
	/** Of the outermost struct around that word; none where its type is only guessed */
	const struct lock *locks;
	size_t lock_count;
};

/**
 * @param type     of the map, NULL when not known: only what declares such a map can hold it
 * @param used_at  a site that used this very map, NULL when none is known: a method's name tells its
 *                 receiver's type where nothing else does
 *
 * The ways by which the program's roots (globals, live stacks) reach @a address: from variables before locals, then
 * shortest first; at most @a room of them.
 */
size_t owners_of(struct program *program, uint64_t address, const struct go_type *type,
		 const struct map_site *used_at, struct owner *ret, size_t room);
