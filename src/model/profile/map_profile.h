// SPDX-License-Identifier: Apache-2.0
// What profiles of the same program say of its map operations: which of them allocated as they grew their map, and how
// many goroutines stood where they can come to one.
#pragma once
#include "evidence/profile/profile.h"
#include "model/process/program.h"
#include "model/code/write_reach.h"

struct map_profile;

/** What all profiles together say of one operation. */
struct map_site_profile {
	uint64_t alloc_bytes; /**< ever allocated inside it, by the heap profiles */
	uint64_t inuse_bytes; /**< of these, still in use */
	uint64_t
		goroutines; /**< of the goroutine profiles: from where the operation is the nearest write */
};

/** NULL when the program has no profiles or no binary. @a reach says which write is the nearest from a place. */
struct map_profile *map_profile_new(struct program *program, struct write_reach *reach);
void map_profile_free(struct map_profile *profile);
/** Zeroes for an operation that no profile shows; also when @a profile is NULL. */
struct map_site_profile map_profile_of(const struct map_profile *profile,
				       const struct map_site *site);
