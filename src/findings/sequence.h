// SPDX-License-Identifier: Apache-2.0
// What the program's own order rules out: a `go` statement comes before all that its goroutine does.
#pragma once
#include "findings/reasoning.h"
#include "model/code/write_reach.h"

/**
 * @a goroutine is past the write at the end of @a path for good, which begins in its frame @a index. True when the
 * detector's goroutine, or one that led to it, was started after that: then the two never ran at the same time.
 */
bool sequence_before_detector(const struct reasoning *reasoning, struct write_reach *reach,
			      const struct goroutine *goroutine, size_t index,
			      const struct write_path *path);
