// SPDX-License-Identifier: Apache-2.0
// What both implementations of a Go map share: the choice between them and the bounds that hold
// whatever the evidence says. The layouts of buckets and groups are in map_classic.c and map_swiss.c.
#include "model/data/map_walk.h"

static uint64_t memory_total(const struct memory *memory)
{
	uint64_t total = 0;
	size_t count;
	const struct memory_range *ranges = memory_ranges(memory, &count);

	for (size_t i = 0; i < count; i++)
		total += ranges[i].size;
	return total;
}

bool map_read(struct program *program, uint64_t address, struct go_map *ret)
{
	struct go_map map = {.address = address};

	if (!map_pointer_plausible(address))
		return false;
	map.swiss = program_offset(program, GO_SWISS_USED) != GO_ABSENT;
	if (map.swiss ? !map_swiss_read(program, address, &map)
		      : !map_classic_read(program, address, &map))
		return false;
	*ret = map;
	return true;
}

struct map_integrity map_entries(struct program *program, const struct go_map *map,
				 const struct go_type *type,
				 bool (*visit)(uint64_t key, uint64_t elem, void *), void *context)
{
	struct map_walk walk = {
		.program = program,
		.memory = program->memory,
		.map = map,
		.visit = visit,
		.context = context,
		.found.first_problem = "",
	};

	if (!type || type->kind != GO_KIND_MAP || type->map.swiss != map->swiss)
		return walk.found;
	walk.shape = &type->map;
	walk.bytes_left = memory_total(program->memory);
	if (map->swiss)
		map_swiss_walk(&walk);
	else
		map_classic_walk(&walk);
	walk.found.checked = !walk.stopped;
	walk.found.count_matches = walk.found.checked && walk.found.entries_found == map->count;
	return walk.found;
}
