// SPDX-License-Identifier: Apache-2.0
// What the rules share while they work: the program, the findings in the making, and the map
// operations that stood on the stacks.
#pragma once
#include "findings/findings.h"
#include "model/stack/map_call.h"

#include <glib.h>

struct reasoning {
	struct program *program;
	struct findings *findings;
	GArray *calls; /**< struct map_call, of every living goroutine that was in one */
	/** The operation that died; NULL when it was no map fatal */
	const struct go_type
		*type; /**< of the map, as the code that uses it names it; NULL when not known */
	const struct map_call *detected;
	/** Whom the next witnesses are about: a text's facts have their place at his header */
	const struct goroutine *told_of;
};

/** The operation that goroutine number @a index was in; NULL when in none. */
const struct map_call *reasoning_call(const struct reasoning *reasoning, uint32_t index);

#define EVIDENCE_CORE              "core" /* with a text in its place: EVIDENCE_TEXT */
#define EVIDENCE_TEXT              "text"
#define EVIDENCE_BINARY            "binary"
#define EVIDENCE_FLIGHT            "flight"
#define EVIDENCE_HEAP_PROFILE      "heap"
#define EVIDENCE_GOROUTINE_PROFILE "goroutine"
#define EVIDENCE_PROCESS           "process" /* in the core's place when the program was caught alive */

/**
 * Appends a witness; @a fact is formatted, the place is an address (0: the evidence as a whole).
 */
void witness_add(struct reasoning *reasoning, struct witnesses *witnesses, const char *evidence,
		 uint64_t address, const char *format, ...) __attribute__((format(printf, 5, 6)));

/** "when the process died", or of a live one "at the instant of the fatal error". */
const char *reasoning_moment(const struct reasoning *reasoning);

/** "store.go:88": the last two parts of a path say enough in a sentence. */
const char *site_short(struct arena *arena, const struct go_site *site);
/** One line of the source, in one function. */
bool site_equal(const struct go_site *a, const struct go_site *b);
/** "main.(*server).put" without its import path's folders: "store.(*Store).put". */
const char *function_short(const char *function);
