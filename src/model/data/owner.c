// SPDX-License-Identifier: Apache-2.0
// With DWARF, the way to a map is found forwards, from variables by type: exact paths. Without it,
// or when that finds nothing, backwards: the words that hold the address, and what stands around
// each.
#include "model/data/owner.h"

#include "model/data/holder.h"
#include "model/data/lock.h"
#include "model/data/reach.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

struct search {
	struct program *program;
	uint64_t address;
	struct owner *owners;
	size_t count, room;
};

static bool owner_known(const struct search *search, uint64_t word)
{
	for (size_t i = 0; i < search->count; i++)
		if (search->owners[i].word == word)
			return true;
	return false;
}

/** "main.server" where the way to the map is "main.server.sessions", or by type, "main.store". */
static const char *name_of_whole(struct program *program, const struct reach_edge *edge,
				 const char *path)
{
	const struct go_type *leaf;
	char field[256] = "";
	size_t length = strlen(path);

	if (go_type_path(edge->whole, edge->word - edge->whole_at, field, sizeof(field), &leaf) &&
	    g_str_has_suffix(path, field))
		return arena_format(program->arena, "%.*s", (int)(length - strlen(field)), path);
	return edge->whole->name;
}

/** The path's mark of a local variable comes behind the lock's name, as it does behind the map's. */
static void add_locks(struct program *program, const struct reach_edge *edge, struct owner *owner)
{
	const char *mark = strstr(owner->path, OWNER_LOCAL_MARK);
	size_t length = mark ? (size_t)(mark - owner->path) : strlen(owner->path);
	const char *path = arena_format(program->arena, "%.*s", (int)length, owner->path);

	owner->lock_count = locks_in(program, name_of_whole(program, edge, path), mark ? mark : "",
				     edge->whole, edge->whole_at, &owner->locks);
}

static bool edge_compare(struct reach *reach, const struct reach_edge *edge, void *context)
{
	struct search *search = context;
	struct arena *arena = search->program->arena;

	if (edge->target != search->address || owner_known(search, edge->word))
		return true;
	struct owner *owner = &search->owners[search->count++];

	*owner = (struct owner){.path = arena_string(arena, text_of(reach_path(reach))),
				.via = edge->via,
				.holder_type = arena_string(arena, text_of(edge->holder)),
				.type = edge->type,
				.word = edge->word,
				.hops = edge->hops};
	if (edge->whole)
		add_locks(search->program, edge, owner);
	return search->count < search->room;
}

static void search_forward(struct search *search)
{
	scoped(reach) struct reach *reach = reach_new(search->program, edge_compare, search);

	reach_walk_program(reach);
}

/** Fields of variables say most; then fields, however reached; a plain local only says who used it. */
static int owner_weight(const struct owner *owner)
{
	bool local = strstr(owner->path, OWNER_LOCAL_MARK) != NULL;

	if (!strcmp(owner->via, "local"))
		return 2;
	return local ? 1 : 0;
}

static int by_weight_then_hops(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;
	int order = owner_weight(x) - owner_weight(y);

	return order ? order : (x->hops > y->hops) - (x->hops < y->hops);
}

size_t owners_of(struct program *program, uint64_t address, const struct go_type *type,
		 const struct map_site *used_at, struct owner *ret, size_t room)
{
	struct search search = {program, address, ret, 0, room};

	if (!address || !room)
		return 0;
	if (program->debuginfo)
		search_forward(&search);
	if (search.count == 0)
		search.count = holders_of(program, address, type, used_at, ret, room);
	qsort(ret, search.count, sizeof(*ret), by_weight_then_hops);
	return search.count;
}
