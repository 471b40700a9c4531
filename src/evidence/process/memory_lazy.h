// SPDX-License-Identifier: Apache-2.0
// Bytes that are fetched page by page when they are first asked for: the memory of a live process.
#pragma once
#include "evidence/process/memory.h"

/** Reserves room for @a size bytes; NULL when it cannot be had. */
struct memory_lazy *memory_lazy_new(uint64_t address, uint64_t size, memory_fetch fetch,
				    void *context);
void memory_lazy_free(void *lazy);
const uint8_t *memory_lazy_bytes(const struct memory_lazy *lazy);
/** Fetches what is not there yet; false when any of it cannot be had. */
bool memory_lazy_have(struct memory_lazy *lazy, uint64_t address, uint64_t size);
/** Whether all of it is there already. */
bool memory_lazy_has(const struct memory_lazy *lazy, uint64_t address, uint64_t size);
/** Copies it, from what is there or from the source, and keeps nothing. */
bool memory_lazy_copy(struct memory_lazy *lazy, uint64_t address, void *ret, uint64_t size);
