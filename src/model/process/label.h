// SPDX-License-Identifier: Apache-2.0
// A goroutine's profiler labels (runtime/pprof.Do).
#pragma once
#include "model/process/program.h"

/**
 * The labels at @a labels, the value of g.labels: key, value, key, value, ..., NULL. NULL when
 * there are none or they can't be read.
 */
const char *const *labels_read(struct program *program, uint64_t labels);
