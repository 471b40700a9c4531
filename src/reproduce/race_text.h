// SPDX-License-Identifier: Apache-2.0
// What Go's race detector printed: who accessed the same word, two stacks a report.
#pragma once
#include "base/arena.h"

struct race_frame {
	const char *function; /**< "main.(*store).get" */
	unsigned line;
};

/** The innermost frame of each of the two accesses that is the program's own code. */
struct race_pair {
	struct race_frame sides[2];
};

/** A function of @a package, or of one below it. */
bool race_text_is_own(const char *function, const char *package);
/** Number of data races in @a text. */
size_t race_text_count(const char *text);
/**
 * The @a index'th race; false when there is none, or its stacks are not whole. Own code is what is in
 * package @a package: "main", "example.com/shop/cart".
 */
bool race_text_pair(struct arena *arena, const char *text, size_t index, const char *package,
		    struct race_pair *ret);
