// SPDX-License-Identifier: Apache-2.0
// A Go type as reports print it, and the nearest one that a program without imports can have.
// Parsing takes anything; what is written back was built from the parsed pieces, never copied.
#pragma once
#include "base/arena.h"

enum shape_kind {
	SHAPE_BASIC, /**< predeclared: int, string, error ... */
	SHAPE_NAMED, /**< of some package: main.entry, list.Element */
	SHAPE_POINTER,
	SHAPE_SLICE,
	SHAPE_ARRAY,
	SHAPE_MAP,
	SHAPE_CHAN,
	SHAPE_FUNC,
	SHAPE_STRUCT,
	SHAPE_INTERFACE, /**< methods are not kept */
};

struct shape;

struct shape_field {
	const char *name; /**< "" for an embedded field */
	const struct shape *type;
};

struct shape {
	enum shape_kind kind;
	const char *name; /**< of a basic or named type; "<-chan" ... of a channel */
	const struct shape *key,
		*element; /**< of a map; element also of pointers, lists, channels */
	unsigned length;  /**< of an array */
	const struct shape_field *fields; /**< of a struct; of a function its parameters */
	size_t field_count;
	size_t result_count; /**< of a function: the last fields are results */
	bool variadic;
};

/** NULL when @a text is no type that Go prints, or nests deeper than any. */
const struct shape *shape_parse(struct arena *arena, const char *text);
/** Go lets it be a map's key; named types are taken to be. */
bool shape_is_comparable(const struct shape *shape);
/** The types that well-known packages name: "http.Header" → map[string][]string; NULL for others. */
const char *shape_known_type(const char *name);
