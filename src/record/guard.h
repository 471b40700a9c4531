// SPDX-License-Identifier: Apache-2.0
// A small process that outlives a watcher killed by SIGKILL, and takes its breakpoints, watchpoints and shield out of the
// program.
#pragma once
#include "record/trap_shield.h"

#include <sys/types.h>

struct guard {
	int alive; /**< end of a pipe; -1 when there is no guard */
	pid_t pid;
};

/** Bytes of the process's code that breakpoints are to replace. */
struct guarded {
	const uint64_t *addresses;
	const uint8_t *bytes;
	size_t count;
	struct trap_shield shield;
};

/** Starts it, before the first of those breakpoints is set: no moment is without a guard. */
struct error *guard_start(pid_t pid, const struct guarded *guarded, struct guard *ret);
/** Ends it without its doing anything: the breakpoints are out, or the process is gone. */
void guard_end(struct guard *guard);
