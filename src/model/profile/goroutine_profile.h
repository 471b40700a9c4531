// SPDX-License-Identifier: Apache-2.0
// A goroutine profile: how many goroutines stand at which stack, with which labels. Numbers, states
// and waits are not in it.
#pragma once
#include "model/gap.h"
#include "model/process/program.h"

/** Goroutines with equal stacks and equal labels. */
struct goroutine_crowd {
	uint64_t count;
	const struct go_site *stack; /**< innermost first */
	size_t stack_count;
	const char *const *labels; /**< key, value, key, value, ..., NULL; NULL when none */
};

struct goroutine_profile {
	struct arena *arena;
	struct goroutine_crowd *crowds; /**< largest first */
	size_t crowd_count;
	uint64_t total;
	bool leaked;         /**< all of them can never be woken (goroutineleak) */
	int64_t time_ns;     /**< since 1970; 0 when not told */
	const char *checked; /**< what says that the program is the right one; "" without program */
	struct gap_list gaps;
};

/**
 * @param program  NULL without: names are then those of the profile; borrowed, must outlive the
 * result
 * @param force  go on although they do not belong together
 * @return ERROR_USAGE for another kind of profile, ERROR_MISMATCH, or as profile_open()
 */
struct error *goroutine_profile_read(const char *path, struct program *program, bool force,
				     struct goroutine_profile **ret);
void goroutine_profile_free(struct goroutine_profile *profile);
