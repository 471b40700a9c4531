// SPDX-License-Identifier: Apache-2.0
// One run of another program: bounded in time and output, in a process group of its own, of which
// nothing is left when child_run() returns.
#pragma once
#include "base/error.h"

#define CHILD_OUTPUT_MAX (4u << 20)
#define CHILD_WORDS_MAX  400

struct child_request {
	const char *const *arguments;   /**< the program first; ends in NULL; looked for on $PATH */
	const char *const *environment; /**< ends in NULL; NULL: ours */
	const char *folder;             /**< where it runs; NULL: here */
	unsigned seconds;               /**< then it is killed */
	bool core;                      /**< it may leave a core */
	/**
	 * Looks at all output so far whenever some has come; true ends the child. NULL: never.
	 */
	bool (*enough)(const char *output, void *context);
	void *context;
};

struct child_result {
	char *output;    /**< standard output and error as they came; g_free() */
	bool timed_out;  /**< killed because its time was up */
	bool stopped;    /**< killed because enough() said so */
	int exit_status; /**< -1 when a signal ended it */
	int signal;      /**< 0 when it exited */
	double seconds;  /**< from its start to its end */
	bool output_cut; /**< there was more than CHILD_OUTPUT_MAX: the rest was thrown away */
};

/** Fails when the program can't be started, and when mapfault is interrupted. */
struct error *child_run(const struct child_request *request, struct child_result *ret);
/** What it said, for one line of ours: its first lines but those that head a list ("# package"); g_free(). */
char *child_result_words(const struct child_result *result);
void child_result_done(struct child_result *result);

static inline void child_result_free_at(struct child_result *result) { child_result_done(result); }
