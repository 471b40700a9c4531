// SPDX-License-Identifier: Apache-2.0
// The garbage collector's time line, from a GODEBUG=gctrace=1 log: when it ran, what it left.
#pragma once
#include "base/arena.h"
#include "model/gap.h"

#include <stdbool.h>
#include <stdint.h>

struct gc_cycle {
	uint64_t number;
	double at_s;        /**< since the process started */
	int64_t time_ns;    /**< since 1970; 0 when nothing ties the log to the clock */
	double cpu_percent; /**< of the process's time so far that collection took */
	double before_mb, after_mb, live_mb; /**< heap when it began, when it ended, found alive */
	double goal_mb;
	bool forced;
};

struct gc_log {
	struct arena *arena;
	const char *path;
	struct gc_cycle *cycles; /**< in order */
	size_t cycle_count;
	/** What ties it to the clock: "time stamps of its lines", "time of the file", "" */
	const char *clock;
	size_t run_queue_max; /**< of schedtrace lines, if there are any */
	int64_t threads_max;
	size_t sched_count; /**< schedtrace lines */
	struct gap_list gaps;
};

/** @return ERROR_UNRECOGNISED when no line of the file is the collector's or the scheduler's */
struct error *gc_log_read(const char *path, struct gc_log **ret);
void gc_log_free(struct gc_log *log);
