// SPDX-License-Identifier: Apache-2.0
// An open-addressed table of pointers in the program's arena: what it outgrows stays there, less in
// all than the table itself.
#include "model/stack/spot.h"

#define SLOTS_FIRST 1024 /* a power of two, as every later size */

struct spots {
	struct spot **slots;
	size_t room, count;
};

static struct spot **slot_of(struct spot **slots, size_t room, uint64_t pc, bool exact)
{
	size_t i = (size_t)((pc * 2 + exact) * 0x9e3779b97f4a7c15ull >> 20) & (room - 1);

	while (slots[i] && (slots[i]->pc != pc || slots[i]->exact != exact))
		i = (i + 1) & (room - 1);
	return &slots[i];
}

static void spots_grow(struct program *program, struct spots *spots)
{
	size_t room = spots->room ? 2 * spots->room : SLOTS_FIRST;
	struct spot **slots = arena_array(program->arena, room, sizeof(struct spot *));

	for (size_t i = 0; i < spots->room; i++)
		if (spots->slots[i])
			*slot_of(slots, room, spots->slots[i]->pc, spots->slots[i]->exact) =
				spots->slots[i];
	spots->slots = slots;
	spots->room = room;
}

/** The instruction of a call stands before the address that it returns to. */
static uint64_t source_pc(const struct spot *spot)
{
	return spot->exact || spot->pc <= spot->function.entry ? spot->pc : spot->pc - 1;
}

static const bool *runtime_flags(struct arena *arena, const struct spot *spot)
{
	bool *flags = arena_array(arena, spot->site_count, sizeof(*flags));

	for (size_t i = 0; i < spot->site_count; i++)
		flags[i] = go_is_runtime_function(spot->sites[i].function);
	return flags;
}

static struct spot *spot_new(struct program *program, uint64_t pc, bool exact)
{
	struct go_site sites[PCLNTAB_MAX_INLINED];
	struct spot spot = {.pc = pc, .exact = exact};
	const struct pclntab *table;

	if (!program_function(program, pc, &spot.function, &spot.table))
		return NULL;
	table = program->tables[spot.table];
	if (!pclntab_sp_delta(table, &spot.function, pc, &spot.sp_delta))
		spot.sp_delta = -1;
	spot.role = go_role_of(spot.function.name);
	spot.site_count = pclntab_sites(table, source_pc(&spot), sites);
	spot.sites = arena_copy(program->arena, sites, spot.site_count * sizeof(*sites));
	spot.runtime = runtime_flags(program->arena, &spot);
	return arena_copy(program->arena, &spot, sizeof(spot));
}

const struct spot *program_spot(struct program *program, uint64_t pc, bool exact)
{
	struct spots *spots = program->spots;
	struct spot **slot;

	if (!spots)
		spots = program->spots = arena_take(program->arena, sizeof(*spots));
	if (2 * spots->count >= spots->room)
		spots_grow(program, spots);
	slot = slot_of(spots->slots, spots->room, pc, exact);
	if (!*slot && (*slot = spot_new(program, pc, exact)))
		spots->count++;
	return *slot;
}
