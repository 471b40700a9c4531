// SPDX-License-Identifier: Apache-2.0
// Who was in the middle of a walk over a map: in the body of a range, in an encoder, in a function that is called for each
// entry. Such a goroutine need not run to be in the way: a write of the map before it goes on is a race with it.
#pragma once
#include "model/process/program.h"

#define WALKS_LISTED 8

/** Goroutines that walk at one place. */
struct walk {
	const struct goroutine *goroutine; /**< the first of them */
	const struct go_site *site; /**< the user's own frame that walks, or makes another walk */
	const char *way; /**< "in the body of a range", "encoding/json writes the map out" */
	const struct go_type *type; /**< of the map; NULL when not known */
	uint64_t count;
	int64_t longest_ns; /**< -1 when no age is known */
};

struct walks {
	struct walk items[WALKS_LISTED]; /**< most goroutines first */
	size_t count;
};

/**
 * Looks at every living goroutine of the user's. What its code says of ranges needs the binary; names of the library's
 * functions alone do not.
 */
struct walks walks_find(struct program *program);
