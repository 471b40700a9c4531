// SPDX-License-Identifier: Apache-2.0
// Maps that several goroutines wrote while the flight recorder looked on, before anything crashed. Suspects, never findings:
// the record says who wrote, not what kept them apart. What may be of a map that stood at the same address before is left out.
#pragma once
#include "model/process/recording.h"

struct shared_writer {
	struct recorded write; /**< its last one */
	bool locks;            /**< the code of its stack calls sync.Mutex or sync.RWMutex */
};

struct shared_map {
	uint32_t map;                  /**< low 32 bits of its address / 16 */
	const struct go_type *type;    /**< NULL when the code of no writer says */
	struct shared_writer *writers; /**< in the order of their last writes */
	size_t writer_count;
	/** How often another goroutine than the last one wrote; seldom too many, as maps may share an order */
	uint32_t turns;
};

struct shared_maps {
	struct shared_map *maps; /**< suspects; most turns first */
	size_t count;
	size_t locked;      /**< more that all writers' code locks something for */
	size_t handed_over; /**< more that one goroutine left to one other, once */
};

/** Everything lives in the program's arena. Maps of the runtime and of the standard library alone are left out. */
void shared_maps_find(struct program *program, struct shared_maps *ret);
