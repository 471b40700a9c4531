// SPDX-License-Identifier: Apache-2.0
// A report → a folder with a Go program that does it again, run and compared when asked for.
#pragma once
#include "reproduce/outcome.h"
#include "reproduce/source.h"

struct reproduce_options {
	const char *directory; /**< that is to be made */
	const char *source;    /**< folder of the module to call the functions of; NULL: none */
	bool run;
	bool download;        /**< the go command may fetch the crash's own release */
	unsigned seconds;     /**< for each kind of run */
	const char *mapfault; /**< this very program */
	void (*progress)(const char *what);
};

struct reproduction {
	struct arena *arena;
	struct verdict verdict;
	struct go_program program;
	struct outcome outcome;    /**< its status means something only after a run */
	struct source_plan source; /**< when one was asked for */
	bool ran;
};

/**
 * Makes the folder, whole or not at all. After a run the outcome is in @a report as "reproduction",
 * and in the folder's report.json.
 */
struct error *reproduce(json_t *report, const struct reproduce_options *options,
			struct reproduction *ret);
void reproduction_done(struct reproduction *reproduction);

static inline void reproduction_free_at(struct reproduction *r) { reproduction_done(r); }
