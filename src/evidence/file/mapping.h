// SPDX-License-Identifier: Apache-2.0
// Files seen as memory. A file that becomes shorter while it is being read, or whose disk fails, makes the
// kernel send SIGBUS to who looks at it: here such pages read as zeros instead, and the loss is told.
#pragma once
#include "base/error.h"

/**
 * Maps @a size bytes of @a file, private and writable, so that writes never reach it; not NULL.
 * The first one installs a handler of SIGBUS for the process.
 */
struct error *mapping_open(int file, const char *path, uint64_t size, uint8_t **ret);
/** Unmaps what mapping_open() gave; NULL is harmless. */
void mapping_close(uint8_t *bytes, uint64_t size);
/**
 * NULL when all that was read of any mapping so far was there; else an error that names a file which was
 * not, told once: whatever was concluded from it is void.
 */
struct error *mappings_check(void);
