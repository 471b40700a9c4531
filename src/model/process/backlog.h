// SPDX-License-Identifier: Apache-2.0
// What the runtime printed last: a ring of 512 bytes that every Go version keeps.
#pragma once
#include "model/process/program.h"

/**
 * The text in order of writing, NUL-terminated, unprintable bytes as '?'; "" when not found or not
 * dumped.
 */
const char *backlog_read(struct program *program);
