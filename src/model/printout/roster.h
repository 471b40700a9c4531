// SPDX-License-Identifier: Apache-2.0
// The goroutines of a dump by class: those that stand at the same place in the same state. Works on the
// dump itself, since a million goroutines would not fit in a model of each.
#pragma once
#include "evidence/text/dump.h"
#include "model/process/program.h"

#define ROSTER_IDS 8
/** The status of a goroutine whose header says none: profiles in words have no headers. */
#define STATUS_UNKNOWN UINT32_MAX

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

bool roster_wants(const struct dump *dump, const struct roster_filter *filter, size_t goroutine);
struct roster *roster_new(const struct dump *dump, const struct roster_filter *filter);
void roster_free(struct roster *roster);

/** The runtime's own, by the function that it began with; also a thread's own stack. */
bool roster_is_system(const struct dump *dump, const struct dump_goroutine *goroutine);
/** The frame that the goroutine began with; NULL when its stack has none or was cut there. */
const struct dump_frame *roster_start(const struct dump *dump, const struct dump_group *group);

/**
 * One goroutine of the dump, as models of programs have it. Its frames have no PCs.
 * @param arena holds all that it points to, beside the dump
 */
struct goroutine roster_goroutine(const struct dump *dump, size_t index, struct arena *arena);
/** State, wait reason and labels alone, into a goroutine that is zeroed otherwise. */
void roster_header(const struct dump *dump, const struct dump_goroutine *printed,
		   struct arena *arena, struct goroutine *ret);
/** What the text lost. Strings are in @a arena. */
struct gap *roster_gaps(const struct dump *dump, struct arena *arena, size_t *ret_count);

static inline void roster_free_at(struct roster **roster) { roster_free(*roster); }
