// SPDX-License-Identifier: Apache-2.0
#include "base/blocks.h"

#include "base/error.h"

#include <stdlib.h>

static void *checked(void *memory)
{
	if (!memory)
		memory_exhausted();
	return memory;
}

void blocks_init(struct blocks *blocks, size_t item_size, unsigned shift)
{
	*blocks = (struct blocks){.item_size = item_size, .shift = shift};
}

void blocks_done(struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->block_count; i++)
		free(blocks->block[i]);
	free(blocks->block);
	*blocks = (struct blocks){0};
}

static void block_add(struct blocks *blocks)
{
	void *block = checked(calloc((size_t)1 << blocks->shift, blocks->item_size));

	if (blocks->block_count == blocks->block_capacity) {
		blocks->block_capacity = blocks->block_capacity ? 2 * blocks->block_capacity : 8;
		blocks->block = checked(
			realloc(blocks->block, blocks->block_capacity * sizeof(*blocks->block)));
	}
	blocks->block[blocks->block_count++] = block;
}

size_t blocks_add_run(struct blocks *blocks, size_t n)
{
	size_t size = (size_t)1 << blocks->shift;
	size_t room = blocks->block_count * size - blocks->count, first;

	if (n > room) {
		blocks->count += room;
		block_add(blocks);
	}
	first = blocks->count;
	blocks->count += n;
	return first;
}

void *blocks_add(struct blocks *blocks) { return blocks_at(blocks, blocks_add_run(blocks, 1)); }
