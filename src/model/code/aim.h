// SPDX-License-Identifier: Apache-2.0
// Which map a write would be of, if the goroutine came to it from where it stands with its variables as they are: the
// map is followed from its live frame through the calls on the way. What was true an iteration ago may differ, so an
// aim says what is likely and proves nothing.
#pragma once
#include "model/printout/printout_path.h"
#include "model/code/write_reach.h"

/**
 * @param index  the physical frame of @a goroutine that @a path begins in
 * @return whether the write would be of @a map: PATH_OTHER when another map, or another function, is what the frame
 * leads to
 */
enum path_relation aim_of(struct program *program, const struct goroutine *goroutine, size_t index,
			  const struct write_path *path, uint64_t map);
