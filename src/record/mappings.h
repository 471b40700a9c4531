// SPDX-License-Identifier: Apache-2.0
// The mappings of a live process, as /proc/PID/maps tells them.
#pragma once
#include "base/error.h"

#include <sys/types.h>

struct mapping {
	uint64_t start, end;
	bool executable, shared;
	const char *path; /**< "" when it has none */
};

struct mappings {
	struct mapping *items;
	size_t count;
	char *text; /**< the paths point into it */
};

struct error *mappings_read(pid_t pid, struct mappings *ret);
void mappings_done(struct mappings *mappings);
/**
 * The highest free place of @a size bytes, in pages, from which everything in [@a start, @a end) can be reached with
 * 32 bits and the other way round; 0 when there is none.
 */
uint64_t mappings_room_near(const struct mappings *mappings, uint64_t start, uint64_t end,
			    uint64_t size);

static inline void mappings_free_at(struct mappings *mappings) { mappings_done(mappings); }
