// SPDX-License-Identifier: Apache-2.0
// What a watchpoint on one map's writing flag saw, in order. One goroutine's events are in the order in which they
// happened. Between goroutines only what happened while all stood still is certain: the overlaps.
#pragma once
#include "evidence/binary/pclntab.h"
#include "golang/map_function.h"

#include <stdint.h>

enum watch_event_kind {
	WATCH_SET,     /**< a write has begun */
	WATCH_CLEAR,   /**< it has ended */
	WATCH_GIVE_UP, /**< the runtime found the flag set by another, and ended the program */
};

struct watch_event {
	enum watch_event_kind kind;
	enum map_operation operation;
	uint64_t at_ns; /**< when it was seen, since the watch began */
	uint64_t goroutine;
	int32_t thread;
	struct go_site place; /**< in the map's code: what changed the flag, or gave up */
	struct go_site site;  /**< innermost outside the runtime and reflect */
			      /* Of both the function is NULL when not known. */
};

/**
 * Two goroutines were inside operations on the map at once: both at one instant at which every thread stood still, or the
 * first was the only one that wrote since the second, which gave up, was last seen.
 */
struct watch_overlap {
	size_t first, second; /**< events: a write's begin; of the second also a giving up */
};

enum watch_end {
	WATCH_ENDED_EVENTS,      /**< as many as were asked for */
	WATCH_ENDED_TIME,        /**< the time was over */
	WATCH_ENDED_INTERRUPTED, /**< somebody asked for it */
	WATCH_ENDED_PROCESS,     /**< the process ended, or became another program */
	WATCH_ENDED_FATAL,       /**< a fatal error of the runtime's about a map */
};

struct watch_log {
	const struct watch_event *events;
	size_t event_count;
	const struct watch_overlap *overlaps;
	size_t overlap_count;
	uint64_t ns; /**< how long it was watched */
	enum watch_end end;
	uint64_t other_writes; /**< of the same byte, that neither set nor clear the flag */
	uint64_t unpaired; /**< begins without an end before the next, and the other way round */
	const char *incomplete; /**< why not every write's place is known; NULL when each is */
};
