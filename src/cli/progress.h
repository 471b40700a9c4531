// SPDX-License-Identifier: Apache-2.0
// One line on a terminal's standard error for work that takes over half a second, gone when it is
// done.
#pragma once
#include "cli/options.h"

struct progress {
	bool running;
};

/**
 * Says @a what from half a second on. One at a time. Nothing with --quiet or
 * without a terminal.
 */
struct progress progress_start(const char *what, const struct options *options);
void progress_stop(struct progress *progress);

/** For work of several steps: those that progress_step() tells of obey @a options. */
void progress_steps(const struct options *options);
/** What is being done now, in place of what was; NULL: nothing more. */
void progress_step(const char *what);

static inline void progress_free_at(struct progress *progress) { progress_stop(progress); }
