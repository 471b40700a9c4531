// SPDX-License-Identifier: Apache-2.0
// The locks that stand in a value beside whatever else it has.
#pragma once
#include "golang/lock.h"
#include "model/process/program.h"

struct lock {
	const char *
		path; /**< "main.registry.mu", or where the way is not known "main.store.mu" by type */
	enum go_lock_kind kind;
	uint64_t address;
	struct go_lock_state state; /**< as memory has it */
};

#define LOCKS_MAX 8 /**< of one value */

/**
 * The locks among the fields of a struct of @a type at @a address, and those that they point to, at most LOCKS_MAX; in the
 * program's arena. @a name is the struct's, or the way to it; @a suffix closes the path.
 * @param type  of the program or of a walk that may end before
 */
size_t locks_in(struct program *program, const char *name, const char *suffix,
		const struct go_type *type, uint64_t address, const struct lock **ret);
