// SPDX-License-Identifier: Apache-2.0
// Which maps the program holds.
#include "model/data/map.h"
#include "model/data/owner.h"
#include "model/data/reach.h"

#define MAPS_MAX (1u << 16)

struct inventory {
	struct program *program;
	GArray *maps; // struct map_found
	GHashTable *seen;
};

static bool map_collect(struct reach *reach, const struct reach_edge *edge, void *context)
{
	struct inventory *inventory = context;
	struct go_map map;

	if (!edge->type || edge->type->kind != GO_KIND_MAP ||
	    g_hash_table_contains(inventory->seen, GSIZE_TO_POINTER(edge->target)) ||
	    !map_read(inventory->program, edge->target, &map))
		return true;
	g_hash_table_add(inventory->seen, GSIZE_TO_POINTER(edge->target));

	struct map_found found = {
		.address = edge->target,
		.type = edge->type,
		.count = map.count,
		.owner = arena_string(inventory->program->arena, text_of(reach_path(reach))),
		.word = edge->word,
		.holder_type = arena_string(inventory->program->arena, text_of(edge->holder)),
	};

	g_array_append_val(inventory->maps, found);
	return inventory->maps->len < MAPS_MAX;
}

size_t maps_reachable(struct program *program, const struct map_found **ret)
{
	struct inventory inventory = {program, g_array_new(FALSE, FALSE, sizeof(struct map_found)),
				      g_hash_table_new(NULL, NULL)};
	scoped(reach) struct reach *reach = reach_new(program, map_collect, &inventory);
	size_t count;

	if (!program->debuginfo)
		program_gap(program, "the list of maps",
			    "the binary has no DWARF: it begins with the variables whose types the "
			    "code of map "
			    "operations shows",
			    "maps that only other variables lead to");
	if (!reach_walk_program(reach))
		program_gap(program, "the list of maps",
			    "the program has more data than one walk enters",
			    "maps that only deep structures hold");
	count = inventory.maps->len;
	*ret = count ? arena_copy(program->arena, inventory.maps->data,
				  count * sizeof(struct map_found))
		     : NULL;
	g_array_free(inventory.maps, TRUE);
	g_hash_table_unref(inventory.seen);
	return count;
}
