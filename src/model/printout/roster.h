// SPDX-License-Identifier: Apache-2.0
// The goroutines of a dump by class: those that stand at the same place in the same state. Works on the
// dump itself, since a million goroutines would not fit in a model of each.
#pragma once
#include "model/printout/printout_goroutine.h"

#define ROSTER_IDS 8

struct roster_class {
	uint64_t count;
	uint64_t ids[ROSTER_IDS]; /**< of the first ones */
	uint32_t id_count;
	uint32_t first;              /**< for dump_goroutine() */
	uint32_t wait_min, wait_max; /**< minutes */
};

struct roster {
	const struct dump *dump;
	struct roster_class *classes; /**< by section, the largest first */
	size_t class_count;
	uint64_t goroutines; /**< in all of them */
	uint64_t left_out;   /**< the runtime's own, when they were not wanted */
};

/** What a list is to hold. */
struct roster_filter {
	uint64_t id; /**< only that one; 0 for all */
	bool system; /**< the runtime's own as well */
};

/** Does the list hold that goroutine? Never those of the past: ancestors, accesses that raced. */
bool roster_wants(const struct dump *dump, const struct roster_filter *filter, size_t goroutine);
/** Owned by the caller; refers to @a dump. */
struct roster *roster_new(const struct dump *dump, const struct roster_filter *filter);
void roster_free(struct roster *roster);

/**
 * One goroutine of the dump, as models of programs have it. Its frames have no PCs.
 * @param arena holds all that it points to, beside the dump
 */
struct goroutine roster_goroutine(const struct dump *dump, size_t index, struct arena *arena);
/** What the text lost. Strings are in @a arena. */
struct gap *roster_gaps(const struct dump *dump, struct arena *arena, size_t *ret_count);

static inline void roster_free_at(struct roster **roster) { roster_free(*roster); }
