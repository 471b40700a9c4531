// SPDX-License-Identifier: Apache-2.0
// Of which type an object that holds a map is, where the allocator does not say: which types the program has, which of them
// its allocations name, which have a map at that very place, and which the object's content does not contradict.
#pragma once
#include "model/data/heap.h"

#include <glib.h>

/** One type that an object may be of. */
struct object_guess {
	const struct go_type *type;
	bool array; /**< the object is several in a row */
};

#define OBJECT_GUESSES_MAX 16

/** The program's types, gathered at the first question. */
struct object_types;

struct object_types *object_types_new(struct program *program);
void object_types_free(struct object_types *types);
/** Every type that is listed, that code names, and what those are made of: each once. */
const GPtrArray *object_types_all(struct object_types *types);
/**
 * The types that @a object may be of when its word at @a word holds a map that code used as one of type @a map (NULL: not
 * known). With more than @a ret holds, as many as that.
 */
size_t object_types_fit(struct object_types *types, const struct heap_object *object, uint64_t word,
			const struct go_type *map, struct object_guess ret[OBJECT_GUESSES_MAX]);
/**
 * Can a holder of type @a holder have @a declared where code found a map of type @a used? Instances of a generic type differ in
 * their maps alone.
 */
bool object_holds_as(const struct go_type *holder, const struct go_type *declared,
		     const struct go_type *used);
/** True when @a word is the second half of an interface that holds a map. */
bool object_word_is_boxed(struct program *program, uint64_t word);
