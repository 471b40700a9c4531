// SPDX-License-Identifier: Apache-2.0
// A list that grows by blocks: what is in it never moves, and growing it never needs its memory
// twice, as doubling would.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct blocks {
	uint8_t **block;
	size_t block_count, block_capacity;
	size_t item_size;
	unsigned shift; /**< items of a block, as a power of two */
	size_t count;
};

/** @a shift: a block holds 2^shift items of @a item_size bytes. */
void blocks_init(struct blocks *blocks, size_t item_size, unsigned shift);
void blocks_done(struct blocks *blocks);
/** One zeroed item more, at index @a blocks->count before the call. */
void *blocks_add(struct blocks *blocks);
/**
 * @a n zeroed items that stand in one block; skips to the next when this one has no room.
 * @param n at most a block's
 * @return index of the first
 */
size_t blocks_add_run(struct blocks *blocks, size_t n);

static inline void *blocks_at(const struct blocks *blocks, size_t index)
{
	return blocks->block[index >> blocks->shift] +
	       (index & (((size_t)1 << blocks->shift) - 1)) * blocks->item_size;
}
