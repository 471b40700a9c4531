// SPDX-License-Identifier: Apache-2.0
// Types of the generated program. A type of another package becomes a local one: of the same shape
// where that is known, else of the nearest.
#pragma once
#include "reproduce/names.h"
#include "reproduce/notes.h"
#include "reproduce/shape.h"

struct local_types;

/** All arguments are borrowed. */
struct local_types *local_types_new(struct arena *arena, struct names *names, struct notes *notes);
void local_types_free(struct local_types *types);
static inline void local_types_free_at(struct local_types **types) { local_types_free(*types); }

/**
 * The type as the program writes it; declares what it needs. @a map_function is the runtime's function
 * that worked on a map with this key, "runtime.mapassign_faststr": it says how an unknown key type
 * is laid out; NULL where the type is no key.
 */
const char *local_types_text(struct local_types *types, const struct shape *shape,
			     const char *map_function);
/** The local name of "main.store" (an import path may stand before it); it is not declared by this. */
const char *local_types_name(struct local_types *types, const char *qualified);
/** Declares a local name as @a body, unless it is declared; false when it was. */
bool local_types_declare(struct local_types *types, const char *name, const char *body);
/** The shape behind a named type that local_types_text() has met; other shapes are their own. */
const struct shape *local_types_underlying(struct local_types *types, const struct shape *shape);
/**
 * Declares the named type of a map whose key and value are not known: the key by @a map_function.
 * Returns the map behind it.
 */
const struct shape *local_types_map(struct local_types *types, const struct shape *named,
				    const char *map_function);
/** An expression of a key that differs for each int @a n, as far as the type allows it. */
const char *local_types_key(struct local_types *types, const struct shape *shape, const char *n);
/** The declarations, in the order in which they came up. */
const char *local_types_declarations(const struct local_types *types);
