// SPDX-License-Identifier: Apache-2.0
// What GODEBUG=gctrace=1 and schedtrace=N print, of Go 1.9 to 1.27, wherever it stands in a log:
// lines of others between, and whatever a log system put before, are passed over.
//
//   gc 7 @0.5s 2%: 0.03+0.4+0.1 ms clock, 0.2+0.9/0.5/0+0.8 ms cpu, 4->5->1 MB, 5 MB goal, 8 P
//   runtime/mgc.go:1094-1098@1.18.10 adds ", N MB stacks, N MB globals" before the last part;
//   1.26 may say "(checking for goroutine leaks)" before the colon, any may end in "(forced)".
//   SCHED 1009ms: gomaxprocs=2 idleprocs=0 threads=5 ... runqueue=1 [0 2]
#pragma once
#include "base/text.h"

#include <stdint.h>

struct gctrace_cycle {
	uint64_t number;
	double at_s;        /**< since the process started */
	double cpu_percent; /**< of the process's time so far that collection took */
	/** Heap when it began, when it ended, and what it found alive; whole megabytes */
	double before_mb, after_mb, live_mb, goal_mb;
	double stacks_mb, globals_mb; /**< 1.18+; else 0 */
	uint32_t procs;
	bool forced;
	int64_t stamp_ns; /**< a time stamp before it on the line, since 1970; 0 when none */
};

struct schedtrace_line {
	int64_t at_ms; /**< since the process started */
	uint32_t gomaxprocs, idle_procs, threads, idle_threads;
	uint64_t run_queue; /**< goroutines that wait for a processor, in all queues together */
};

/** Finds one in a line; false when there is none. */
bool gctrace_line(struct text line, struct gctrace_cycle *ret);
bool schedtrace_take(struct text line, struct schedtrace_line *ret);
