// SPDX-License-Identifier: Apache-2.0
// The writes of one map as a watchpoint saw them, each from its begin to its end.
#pragma once
#include "evidence/recorded/watch_log.h"

#include <stddef.h>

struct write_interval {
	uint64_t goroutine;
	const struct watch_event *begin;
	uint64_t from_ns, to_ns;
	bool ended;    /**< its end was seen; else it was under way when the watch ended */
	bool overlaps; /**< another goroutine was inside at one instant: see struct watch_overlap */
};

/** In order of their begins. Free with g_free(). */
struct write_interval *write_intervals(const struct watch_log *log, size_t *ret_count);
