// SPDX-License-Identifier: Apache-2.0
// The pattern base: what map races in real programs have looked like, and what ended them. Data
// only.
#pragma once
#include "golang/map_function.h"

#include <stddef.h>

/** Which part of the verdict a clue is looked for in. */
enum clue_kind {
	CLUE_FUNCTION,          /**< a function on either party's stack contains the text */
	CLUE_DETECTOR_FUNCTION, /**< a function on the detector's stack does */
	CLUE_TYPE,              /**< the map's type does */
	CLUE_OWNER,             /**< the path or the type that holds the map does */
};

struct clue {
	enum clue_kind kind;
	const char *text;
};

#define PATTERN_CLUES 8

struct pattern {
	const char *id; /**< "P1" ... */
	const char *advice;
	/** Any one is enough; ends at the first without a text */
	struct clue clues[PATTERN_CLUES];
};

const struct pattern *patterns_all(size_t *ret_count);
