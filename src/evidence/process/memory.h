// SPDX-License-Identifier: Apache-2.0
// Address → bytes over whatever holds them: a core's segments, an image's segments, a live process.
// An address that nobody dumped is not an error here: readers ask, and make a gap of a "no".
#pragma once
#include "base/error.h"

struct memory;

struct memory *memory_new(void);
void memory_free(struct memory *memory);

/**
 * Adds @a size bytes that stand at @a address in the process. Where ranges overlap, the one added
 * first wins: add the core before the image. @a bytes is borrowed and must outlive the memory.
 */
void memory_add(struct memory *memory, uint64_t address, const void *bytes, uint64_t size,
		struct place origin);

/**
 * Copies up to @a size bytes at @a address into @a ret, a page's worth at a time at least; returns how many could be
 * had, from the first on. May be called from several threads.
 */
typedef uint64_t (*memory_fetch)(void *context, uint64_t address, void *ret, uint64_t size);
/**
 * As memory_add() for bytes that are fetched when they are first asked for, and stay as they were then. Room for them
 * is only reserved. @a context must outlive the memory.
 * @return false when the room cannot be reserved
 */
bool memory_add_lazy(struct memory *memory, uint64_t address, uint64_t size, memory_fetch fetch,
		     void *context, struct place origin);

/** The bytes at @a address, or NULL when not all @a size of them stand in one range. Not copied. */
const void *memory_view(const struct memory *memory, uint64_t address, uint64_t size);
/**
 * As memory_view(), for passes over much: what was not fetched yet goes to @a buffer, of @a size bytes, and is not
 * kept.
 */
const void *memory_glance(const struct memory *memory, uint64_t address, uint64_t size,
			  void *buffer);
/** How many bytes can be viewed in one piece from @a address on; 0 when it is not there. */
uint64_t memory_extent(const struct memory *memory, uint64_t address);
/**
 * Copies @a size bytes, across ranges that touch. False, and @a ret untouched, when any is missing.
 */
bool memory_read(const struct memory *memory, uint64_t address, void *ret, uint64_t size);
bool memory_u8(const struct memory *memory, uint64_t address, uint8_t *ret);
bool memory_u16(const struct memory *memory, uint64_t address, uint16_t *ret);
bool memory_u32(const struct memory *memory, uint64_t address, uint32_t *ret);
bool memory_u64(const struct memory *memory, uint64_t address, uint64_t *ret);
/** Whether one of the words in @a size bytes from @a address on is @a word; one that was not dumped is not. */
bool memory_holds(const struct memory *memory, uint64_t address, uint64_t size, uint64_t word);
/** Where in the evidence @a address stands; an empty place when it does not. */
struct place memory_place(const struct memory *memory, uint64_t address);

struct memory_lazy;

struct memory_range {
	uint64_t address, size;
	const uint8_t
		*bytes; /**< to be looked at through memory_view(), as they may not be there yet */
	struct place origin;
	struct memory_lazy *lazy; /**< NULL when all is there */
};

/** All ranges, in address order and not overlapping: for scans over everything. */
const struct memory_range *memory_ranges(const struct memory *memory, size_t *ret_count);

static inline void memory_free_at(struct memory **memory) { memory_free(*memory); }
