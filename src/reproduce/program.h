// SPDX-License-Identifier: Apache-2.0
// A verdict → a Go program that does it again: the same map type, the same two operations in
// functions of the same names, reached in the same way. No file is touched here.
#pragma once
#include "reproduce/notes.h"
#include "reproduce/parts.h"
#include "reproduce/verdict.h"

/** Go releases before modules, generics and the clear builtin get none of them. */
#define GO_MINOR_OLDEST 9

struct program_round {
	unsigned procs;
	int gc_percent;
	unsigned keys, yield_every;
};

/** Where an operation stands in main.go. */
struct program_site {
	const char *function; /**< "main.(*store).get"; of a closure, how its name begins */
	bool closure;
	const char *file;         /**< its last element: "main.go" */
	unsigned line, last_line; /**< of the statement */
};

/** A frame of a run is this place. Type arguments and the number of a closure do not count. */
bool program_site_is(const struct program_site *site, const char *function, unsigned line);

struct go_program {
	const char *main_go, *main_test_go, *go_mod;
	struct program_site sites[2]; /**< the detector's, the other's */
	struct program_round rounds[8];
	size_t round_count;
	unsigned go_minor;
	const char *map_type, *key_type, *value_type;
	const char *key;          /**< expression of key number n */
	const char *declarations; /**< of types */
	const char *labels[2];    /**< what to call the two operations */
	unsigned detectors, others;
};

struct program_input {
	const struct verdict *verdict;
	unsigned go_minor;  /**< 24: what it must build with */
	size_t first_round; /**< which of the rounds comes first */
	struct arena *arena;
	struct notes *notes;
};

/** Never fails: what a report does not say is stood in for, and @a input's notes say by what. */
void go_program_plan(const struct program_input *input, struct go_program *ret);
/** The Go minor that a verdict asks for: that of the crash, else the oldest that has the operations. */
unsigned go_program_minor(const struct verdict *verdict);
