// SPDX-License-Identifier: Apache-2.0
#include "model/write_reach.h"

#include "model/heap.h"

#include <glib.h>

#define VISITED_MAX 4096 /* functions looked at from one starting point */

struct write_reach {
	struct program *program;
	uint64_t map;
	const struct go_type *type;
	const uint64_t *holders;
	size_t holder_count;
	GArray *sites;         // struct write_site
	GHashTable *by_caller; // function entry → index of its first site + 1
	GHashTable *nearest; // function entry → struct write_path *, for starts already searched
};

static enum site_match match_global(const struct write_reach *reach,
				    const struct map_source *source)
{
	uint64_t value;

	if (!memory_u64(reach->program->memory, source->address, &value))
		return SITE_SAME_TYPE;
	return value == reach->map ? SITE_SAME_MAP : SITE_OTHER_MAP;
}

/** The holder minus the offset must lie in the holder's own object: else the field is another one.
 */
static bool holder_has_field(const struct write_reach *reach, uint64_t holder, int64_t offset)
{
	struct heap_object object;

	if (offset < 0)
		return true;
	if (!heap_object_at(reach->program, holder, &object))
		return true; // a global or a stack: its bounds are not known
	return holder - object.data >= (uint64_t)offset;
}

static enum site_match match_field(const struct write_reach *reach, const struct map_source *source)
{
	for (size_t i = 0; i < reach->holder_count; i++)
		if (holder_has_field(reach, reach->holders[i], source->offset))
			return SITE_SAME_FIELD;
	return reach->holder_count ? SITE_OTHER_MAP : SITE_SAME_TYPE;
}

static enum site_match match_site(const struct write_reach *reach, const struct map_site *site)
{
	if (site->source.kind == MAP_SOURCE_GLOBAL)
		return match_global(reach, &site->source);
	if (site->source.kind == MAP_SOURCE_FIELD)
		return match_field(reach, &site->source);
	return SITE_SAME_TYPE;
}

static bool is_same_type(const struct go_type *a, const struct go_type *b)
{
	return a == b ||
	       (a && b && a->hash == b->hash && g_strcmp0(a->full_name, b->full_name) == 0);
}

static void collect(const struct map_site *site, void *context)
{
	struct write_reach *reach = context;
	struct write_site write = {site, SITE_OTHER_MAP};
	gpointer caller = GSIZE_TO_POINTER(site->caller.entry);

	if (!map_operation_writes(site->function->operation))
		return;
	if (site->type && reach->type && !is_same_type(site->type, reach->type))
		return;
	write.match = match_site(reach, site);
	if (write.match == SITE_OTHER_MAP)
		return;
	g_array_append_val(reach->sites, write);
	if (!g_hash_table_contains(reach->by_caller, caller))
		g_hash_table_insert(reach->by_caller, caller, GSIZE_TO_POINTER(reach->sites->len));
}

struct write_reach *write_reach_new(struct program *program, uint64_t map,
				    const struct go_type *type, const uint64_t *holders,
				    size_t holder_count)
{
	struct write_reach *reach = g_new0(struct write_reach, 1);

	reach->program = program;
	reach->map = map;
	reach->type = type;
	reach->holders = holders;
	reach->holder_count = holder_count;
	reach->sites = g_array_new(FALSE, FALSE, sizeof(struct write_site));
	reach->by_caller = g_hash_table_new(NULL, NULL);
	reach->nearest = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	if (type)
		sites_each(program->sites, collect, reach);
	return reach;
}

void write_reach_free(struct write_reach *reach)
{
	if (!reach)
		return;
	g_array_free(reach->sites, TRUE);
	g_hash_table_destroy(reach->by_caller);
	g_hash_table_destroy(reach->nearest);
	g_free(reach);
}

const struct write_site *write_reach_sites(const struct write_reach *reach, size_t *ret_count)
{
	*ret_count = reach->sites->len;
	return (const struct write_site *)(const void *)reach->sites->data;
}

/** Better match first; then the last before @a pc, as that one ran most recently; then the first.
 */
static bool is_better(const struct write_site *a, const struct write_site *b, uint64_t pc)
{
	bool a_before = a->site->call_pc < pc, b_before = b->site->call_pc < pc;

	if (a->match != b->match)
		return a->match > b->match;
	if (a_before != b_before)
		return a_before;
	return a->site->call_pc > b->site->call_pc;
}

static const struct write_site *best_in(const struct write_reach *reach, uint64_t entry,
					uint64_t pc)
{
	size_t at =
		GPOINTER_TO_SIZE(g_hash_table_lookup(reach->by_caller, GSIZE_TO_POINTER(entry)));
	const struct write_site *best = NULL;

	for (size_t i = at; i && i <= reach->sites->len; i++) {
		const struct write_site *site =
			&g_array_index(reach->sites, struct write_site, i - 1);

		if (site->site->caller.entry != entry)
			break;
		if (!best || is_better(site, best, pc))
			best = site;
	}
	return best;
}

struct queue {
	GArray *entries; // uint64_t function entries, level by level
	GHashTable *visited;
};

static void push_callees(struct write_reach *reach, struct queue *queue, uint64_t entry)
{
	struct go_function function;
	const uint64_t *callees;
	uint32_t table;
	size_t count;

	if (!program_function(reach->program, entry, &function, &table) ||
	    go_is_runtime_function(function.name))
		return;
	callees = sites_callees(reach->program->sites, &function, &count);
	for (size_t i = 0; i < count && queue->entries->len < VISITED_MAX; i++)
		if (g_hash_table_add(queue->visited, GSIZE_TO_POINTER(callees[i])))
			g_array_append_val(queue->entries, callees[i]);
}

static bool search(struct write_reach *reach, uint64_t entry, uint64_t pc, struct write_path *ret)
{
	struct queue queue = {g_array_new(FALSE, FALSE, sizeof(uint64_t)),
			      g_hash_table_new(NULL, NULL)};
	guint level_end;
	guint i = 0;

	*ret = (struct write_path){NULL, 0};
	g_array_append_val(queue.entries, entry);
	g_hash_table_add(queue.visited, GSIZE_TO_POINTER(entry));
	for (unsigned calls = 0; calls <= WRITE_REACH_CALLS && !ret->site; calls++) {
		guint level_start = i;

		level_end = queue.entries->len;
		for (; i < level_end; i++) {
			const struct write_site *site = best_in(
				reach, g_array_index(queue.entries, uint64_t, i), calls ? 0 : pc);

			if (site && (!ret->site || site->match > ret->site->match))
				*ret = (struct write_path){site, calls};
		}
		for (guint j = level_start; j < level_end && calls < WRITE_REACH_CALLS; j++)
			push_callees(reach, &queue, g_array_index(queue.entries, uint64_t, j));
	}
	g_array_free(queue.entries, TRUE);
	g_hash_table_destroy(queue.visited);
	return ret->site != NULL;
}

bool write_reach_from(struct write_reach *reach, const struct go_function *function, uint64_t pc,
		      struct write_path *ret)
{
	gpointer key = GSIZE_TO_POINTER(function->entry);
	struct write_path *known = g_hash_table_lookup(reach->nearest, key);
	const struct write_site *own;

	if (!reach->sites->len)
		return false;
	if (!known) {
		known = g_new0(struct write_path, 1);
		search(reach, function->entry, pc, known);
		g_hash_table_insert(reach->nearest, key, known);
	}
	own = best_in(reach, function->entry, pc);
	*ret = own ? (struct write_path){own, 0} : *known;
	return ret->site != NULL;
}
