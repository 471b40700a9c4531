// SPDX-License-Identifier: Apache-2.0
// A walk through the program's data by type: from variables, through fields, elements, interfaces
// and closures, nearest first.
#pragma once
#include "model/process/program.h"

#include <glib.h>

#define REACH_NODES_MAX 100000 /* objects entered by one walk */
#define REACH_HOPS_MAX  8

struct reach;

/** A pointer that the walk came across. */
struct reach_edge {
	uint64_t word; /**< address of the word that holds it */
	uint64_t target;
	/** Of the map, or of what the pointer points to; NULL when not known */
	const struct go_type *type;
	/** Full name of the struct whose field is the word, or leads to it through elements of maps and slices; "" when none does */
	const char *holder;
	/** The outermost struct around that field, and where it stands; NULL when there is none. Lives as long as the walk. */
	const struct go_type *whole;
	uint64_t whole_at;
	const char *via; /**< see struct owner */
	unsigned hops;
};

/**
 * @param visit  gets each pointer; returns false to end the walk. reach_path() tells the way to it.
 */
struct reach *reach_new(struct program *program,
			bool (*visit)(struct reach *, const struct reach_edge *, void *),
			void *context);
void reach_free(struct reach *reach);

/**
 * Adds a variable to start from; strings are copied. @a suffix closes the path: " (local of
 * main.f)".
 */
void reach_root(struct reach *reach, const char *name, const char *suffix, const char *via,
		const struct go_type *type, uint64_t address);
/** Adds the program's globals that DWARF names with a type; the runtime's own are left out. */
void reach_globals(struct reach *reach);
/**
 * Adds what the code of the program's own map operations says of a package-level variable: that it is a map of that type, or
 * points to a struct with one. Needs no DWARF; variables that no such operation names are not there.
 */
void reach_code_globals(struct reach *reach);
/** Adds the locals of a goroutine's frames that DWARF finds in memory. */
void reach_locals(struct reach *reach, struct goroutine *goroutine);
/** Adds the locals of the detectors and of a few other goroutines. */
void reach_program_locals(struct reach *reach);
/**
 * Walks until nothing is left, @a visit has enough, or the bounds are reached; false for the
 * latter. Goes on from where the last walk ended.
 */
bool reach_walk(struct reach *reach);
/**
 * Adds the package-level variables and walks, then does so with locals: what both lead to is known by the variable, however
 * much farther away that is. Result as of reach_walk().
 */
bool reach_walk_program(struct reach *reach);
/** The path to the word just visited; live until the next call. */
const char *reach_path(struct reach *reach);

/**
 * The Go type for a type of DWARF: the program's own descriptor, or one made from what DWARF says.
 */
const struct go_type *reach_debug_type(struct reach *reach, uint64_t type);
struct program *reach_program(struct reach *reach);
struct arena *reach_arena(struct reach *reach);
/**
 * What reach_type.c keeps for one walk: DWARF type -> struct go_type, full name -> struct go_type.
 */
GHashTable *reach_debug_types(struct reach *reach);
GHashTable *reach_type_names(struct reach *reach);

static inline void reach_free_at(struct reach **reach) { reach_free(*reach); }
