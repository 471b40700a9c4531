// SPDX-License-Identifier: Apache-2.0
// Which maps the program holds, and which goroutine can get at one.
#include "model/heap.h"
#include "model/map.h"
#include "model/owner.h"
#include "model/reach.h"

#define MAPS_MAX    (1u << 16)
#define OBJECTS_MAX 20000
#define OBJECT_SCAN (1u << 20) /* bytes of one object that are looked at */
#define WORD        sizeof(uint64_t)

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

	reach_program_roots(reach);
	if (!program->debuginfo)
		program_gap(program, "the list of maps",
			    "the binary has no DWARF: its variables have no types to start from",
			    "which maps the program holds");
	else if (!reach_walk(reach))
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

/** A search that knows no types: any word that is the address of a heap object leads there. */
struct flood {
	struct program *program;
	uint64_t target; // object that holds the address, or the address itself
	uint64_t address;
	GHashTable *seen;
	GArray *now, *next; // struct heap_object
	bool found;
};

/** The runtime's own structures lead everywhere: what is reached through them says nothing. */
static void runtime_structures_exclude(struct flood *flood)
{
	struct program *program = flood->program;

	for (size_t i = 0; i < program->goroutine_count; i++)
		g_hash_table_add(flood->seen, GSIZE_TO_POINTER(program->goroutines[i].address));
	for (size_t i = 0; i < program->thread_count; i++) {
		g_hash_table_add(flood->seen, GSIZE_TO_POINTER(program->threads[i].address));
		g_hash_table_add(flood->seen, GSIZE_TO_POINTER(program->threads[i].g0));
	}
}

static void word_follow(struct flood *flood, uint64_t value)
{
	struct heap_object object;

	if (value == flood->address) {
		flood->found = true;
		return;
	}
	if (value < 4096 || !heap_object_at(flood->program, value, &object) || !object.allocated)
		return;
	if (object.address == flood->target) {
		flood->found = true;
		return;
	}
	if (object.pointers && g_hash_table_size(flood->seen) < OBJECTS_MAX &&
	    g_hash_table_add(flood->seen, GSIZE_TO_POINTER(object.address)))
		g_array_append_val(flood->next, object);
}

static void words_follow(struct flood *flood, uint64_t from, uint64_t to)
{
	for (uint64_t at = (from + WORD - 1) & ~(WORD - 1); at + WORD <= to && !flood->found;) {
		uint64_t extent = MIN(memory_extent(flood->program->memory, at), to - at);
		const uint8_t *bytes = memory_view(flood->program->memory, at, extent);

		if (!bytes || extent < WORD)
			return;
		for (uint64_t i = 0; i + WORD <= extent && !flood->found; i += WORD) {
			uint64_t value;

			memcpy(&value, bytes + i, sizeof(value));
			word_follow(flood, value);
		}
		at += extent & ~(WORD - 1);
	}
}

static void flood_level(struct flood *flood)
{
	GArray *done = flood->now;

	flood->now = flood->next;
	flood->next = done;
	g_array_set_size(flood->next, 0);
	for (guint i = 0; i < flood->now->len && !flood->found; i++) {
		const struct heap_object *object =
			&g_array_index(flood->now, struct heap_object, i);
		uint64_t end = object->address + object->size;

		words_follow(flood, object->data, MIN(end, object->data + OBJECT_SCAN));
	}
}

bool goroutine_reaches(struct program *program, struct goroutine *goroutine, uint64_t address,
		       unsigned hops)
{
	struct heap_object object;
	struct flood flood = {.program = program, .address = address, .target = address};

	if (!goroutine->live_sp || goroutine->live_sp >= goroutine->stack_hi)
		return false;
	if (heap_object_at(program, address, &object))
		flood.target = object.address;
	flood.seen = g_hash_table_new(NULL, NULL);
	flood.now = g_array_new(FALSE, FALSE, sizeof(struct heap_object));
	flood.next = g_array_new(FALSE, FALSE, sizeof(struct heap_object));
	runtime_structures_exclude(&flood);
	if (hops)
		words_follow(&flood, goroutine->live_sp, goroutine->stack_hi);
	for (unsigned hop = 1; hop < hops && !flood.found && flood.next->len; hop++)
		flood_level(&flood);
	g_array_free(flood.now, TRUE);
	g_array_free(flood.next, TRUE);
	g_hash_table_unref(flood.seen);
	return flood.found;
}
