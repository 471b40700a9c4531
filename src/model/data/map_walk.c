// SPDX-License-Identifier: Apache-2.0
#include "model/data/map_walk.h"

#include "base/limits.h"

#define USER_ADDRESS_LIMIT (1ull << 52) /* arm64 with 52-bit addresses; amd64 stays far below */

bool map_pointer_plausible(uint64_t pointer)
{
	return pointer >= 4096 && pointer < USER_ADDRESS_LIMIT && pointer % 8 == 0;
}

void map_walk_problem(struct map_walk *walk, const char *what)
{
	if (!walk->found.problems++)
		walk->found.first_problem = what;
}

void map_walk_stop(struct map_walk *walk, const char *why)
{
	map_walk_problem(walk, why);
	walk->stopped = true;
}

bool map_walk_spend(struct map_walk *walk, uint64_t size)
{
	if (walk->bytes_left < size) {
		map_walk_stop(walk, "the structure is larger than all dumped memory");
		return false;
	}
	walk->bytes_left -= size;
	return true;
}

uint64_t map_walk_dumped(const struct map_walk *walk, uint64_t address, uint64_t size)
{
	uint64_t done = 0;

	while (done < size) {
		uint64_t piece = memory_extent(walk->memory, address + done);

		if (!piece)
			return done;
		done += piece < size - done ? piece : size - done;
	}
	return done;
}

/** Replaces the address of a slot by what the slot points to; false for a stray pointer. */
static bool slot_follow(struct map_walk *walk, uint64_t *address)
{
	uint64_t pointer;

	if (!memory_u64(walk->memory, *address, &pointer) ||
	    memory_extent(walk->memory, pointer) == 0) {
		map_walk_problem(walk, "an indirect key or element points nowhere");
		return false;
	}
	*address = pointer;
	return true;
}

void map_walk_slot(struct map_walk *walk, uint64_t key, uint64_t elem)
{
	if (walk->found.entries_found >= LIMIT_MAP_ENTRIES) {
		map_walk_stop(walk, "more entries than any map holds");
		return;
	}
	walk->found.entries_found++;
	if (walk->shape->indirect_key && !slot_follow(walk, &key))
		return;
	if (walk->shape->indirect_elem && !slot_follow(walk, &elem))
		return;
	if (walk->visit && !walk->visit(key, elem, walk->context))
		walk->stopped = true;
}
