// SPDX-License-Identifier: Apache-2.0
// A little process to test against: some memory that a test writes into, and a program of a given
// Go minor around it. Values are written where that version's layout says.
#pragma once
#include "base/arena.h"
#include "model/process/program.h"

#include <assert.h>
#include <string.h>

#define SPACE_START 0xc000000000ull
#define SPACE_BYTES (1u << 20)

struct space {
	uint8_t bytes[SPACE_BYTES];
	uint64_t next; /**< where space_take() goes on */
	struct program program;
};

static inline void space_init(struct space *space, int minor, enum go_arch arch)
{
	bool exact;

	memset(space, 0, sizeof(*space));
	space->next = SPACE_START + 4096;
	space->program.arena = arena_new();
	space->program.arch = arch;
	space->program.layout = go_layout_find((struct go_version){minor, 0, true}, arch, &exact);
	space->program.memory = memory_new();
	memory_add(space->program.memory, SPACE_START, space->bytes, SPACE_BYTES,
		   place_whole("space"));
}

static inline void space_done(struct space *space)
{
	memory_free(space->program.memory);
	arena_free(space->program.arena);
	free(space->program.gaps.items);
}

/** @a size zeroed bytes, eight-aligned: their address in the process. */
static inline uint64_t space_take(struct space *space, uint64_t size)
{
	uint64_t address = space->next;

	space->next += (size + 7) / 8 * 8;
	assert(space->next <= SPACE_START + SPACE_BYTES);
	return address;
}

static inline void space_write(struct space *space, uint64_t address, const void *bytes,
			       size_t size)
{
	assert(address >= SPACE_START && address + size <= SPACE_START + SPACE_BYTES);
	memcpy(space->bytes + (address - SPACE_START), bytes, size);
}

static inline void space_u8(struct space *space, uint64_t address, uint8_t value)
{
	space_write(space, address, &value, sizeof(value));
}

static inline void space_u64(struct space *space, uint64_t address, uint64_t value)
{
	space_write(space, address, &value, sizeof(value));
}

/** Writes a field of the object at @a base; @a size is 1, 2, 4 or 8. */
static inline void space_field(struct space *space, uint64_t base, enum go_field field,
			       uint64_t value, size_t size)
{
	int32_t offset = program_offset(&space->program, field);

	assert(offset >= 0);
	space_write(space, base + (uint64_t)offset, &value, size);
}
