// SPDX-License-Identifier: Apache-2.0
#include "findings/shared_map.h"

#include "findings/locking.h"

#include <glib.h>
#include <stdlib.h>

/** By map, and of one map by place in its order. */
static int write_compare(const void *a, const void *b)
{
	const struct flight_write *x = *(const struct flight_write *const *)a,
				  *y = *(const struct flight_write *const *)b;

	if (x->map != y->map)
		return x->map < y->map ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

static int map_compare(const void *a, const void *b)
{
	const struct shared_map *x = a, *y = b;

	return (x->turns < y->turns) - (x->turns > y->turns);
}

static bool is_users(const struct recorded *write) { return write->user < write->stack->count; }

static void add_writer(struct program *program, struct shared_map *map,
		       const struct flight_write *write)
{
	struct shared_writer *writer = &map->writers[map->writer_count];
	const struct map_site *site;

	writer->write = recording_of(program, write);
	if (!is_users(&writer->write))
		return;
	writer->locks = stack_takes_locks(program, writer->write.stack);
	site = program->sites
		       ? sites_returning_to(program->sites,
					    writer->write.stack->frames[writer->write.user].pc)
		       : NULL;
	if (!map->type && site)
		map->type = site->type;
	map->writer_count++;
}

static bool all_lock(const struct shared_map *map)
{
	for (size_t i = 0; i < map->writer_count; i++)
		if (!map->writers[i].locks)
			return false;
	return true;
}

/** One map's writes; a suspect is added to @a ret. */
static void judge(struct program *program, const struct flight_write **writes, size_t count,
		  struct shared_maps *ret)
{
	struct shared_map *map = &ret->maps[ret->count];

	if (count < 2)
		return;
	*map = (struct shared_map){.map = writes[0]->map};
	map->writers = arena_array(program->arena, count, sizeof(*map->writers));
	map->turns = writes[count - 1]->turn - 1; // the first one to write it took turn 1
	for (size_t i = 0; i < count; i++)
		add_writer(program, map, writes[i]);
	if (map->writer_count < 2)
		return;
	if (all_lock(map))
		ret->locked++;
	else if (count == 2 && map->turns == 1)
		ret->handed_over++;
	else
		ret->count++;
}

void shared_maps_find(struct program *program, struct shared_maps *ret)
{
	size_t count;
	const struct flight_write *writes = flight_writes(program->recording->flight, &count);
	const struct flight_write **sorted =
		arena_array(program->arena, count + 1, sizeof(struct flight_write *));
	size_t all = count;

	count = 0;
	for (size_t i = 0; i < all; i++)
		if (writes[i].sure && !writes[i].on_stack)
			sorted[count++] = &writes[i];
	qsort(sorted, count, sizeof(*sorted), write_compare);
	*ret = (struct shared_maps){
		.maps = arena_array(program->arena, count / 2 + 1, sizeof(*ret->maps))};
	for (size_t i = 0, first = 0; i <= count; i++)
		if (i == count || sorted[i]->map != sorted[first]->map) {
			judge(program, sorted + first, i - first, ret);
			first = i;
		}
	qsort(ret->maps, ret->count, sizeof(*ret->maps), map_compare);
}
