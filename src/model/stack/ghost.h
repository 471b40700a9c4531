// SPDX-License-Identifier: Apache-2.0
// Ghost frames: what dead stack still shows of calls that have returned. A ghost says what was
// called, never when: whoever argues from one has to say so.
#pragma once
#include "model/process/program.h"

struct ghost {
	uint64_t slot;               /**< address of the return address */
	const struct map_site *site; /**< the call it returns from */
	uint64_t map;                /**< what the call's argument slot holds */
};

/**
 * Ghosts of write operations (assign, delete, clear) on @a map in the goroutine's dead stack: a
 * return address of a real call of a write function, with the map in that call's argument slot.
 * @return how many, nearest to the live stack first; live until the program is closed
 */
size_t ghosts_of_writes(struct program *program, const struct goroutine *goroutine, uint64_t map,
			const struct ghost **ret);
