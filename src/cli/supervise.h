// SPDX-License-Identifier: Apache-2.0
// Watches a process until it ends, and takes the verdict at the instant of a map fatal.
#pragma once
#include "cli/command.h"
#include "record/tracee.h"

/** How a process that was watched ended, or that it was let go. */
struct supervised {
	bool ended;
	int status;   /**< as waitpid() has it; of a process that is no child, 0 */
	bool verdict; /**< a report was written */
	bool fail;    /**< as bad as --fail-on asks about */
};

/** Refuses options that mean nothing together. To be asked before a process is touched. */
struct error *supervise_check(const struct options *options);
/**
 * Watches, from a stopped process on, until it ends or somebody asks to let it go. A child gets the signals that are
 * sent to this process; any other process is let go by them. The report goes to standard error or -o FILE.
 */
struct error *supervise(const struct invocation *invocation, struct tracee *tracee,
			struct supervised *ret);

/** What `mapfault detach` sends to the watcher of a process. */
int supervise_detach_signal(void);
