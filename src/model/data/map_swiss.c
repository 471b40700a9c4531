// SPDX-License-Identifier: Apache-2.0
// The Swiss map of Go 1.24 and later: one group of eight slots while it is small, then a directory
// of tables of groups (internal/runtime/maps/map.go:194@go1.24). A control byte a slot says empty,
// deleted or full. Growth replaces a whole table, so an entry stands in one place only. Keys are
// not hashed here.
#include "base/limits.h"
#include "model/data/map_walk.h"

#include <glib.h>

#define SLOTS              8
#define CTRL_EMPTY         0x80
#define CTRL_DELETED       0xfe
#define TABLE_MAX_CAPACITY 1024 /* internal/runtime/maps/table.go:19@go1.26.8 */
#define DEPTH_LIMIT        64

struct table {
	uint64_t used, capacity, groups, mask;
	int64_t index;
};

bool map_swiss_read(const struct program *program, uint64_t address, struct go_map *ret)
{
	int32_t used = program_offset(program, GO_SWISS_USED);
	int32_t writing = program_offset(program, GO_SWISS_WRITING);
	int32_t depth = program_offset(program, GO_SWISS_GLOBALDEPTH);
	uint8_t toggle;

	if (used < 0 || writing < 0 || depth < 0 ||
	    !memory_u64(program->memory, address + used, &ret->count) ||
	    !memory_u8(program->memory, address + writing, &toggle) ||
	    !memory_u8(program->memory, address + depth, &ret->B))
		return false;
	ret->buckets = program_word(program, address, GO_SWISS_DIRPTR);
	ret->dirlen = (int64_t)program_word(program, address, GO_SWISS_DIRLEN);
	ret->writing = toggle != 0;
	if (toggle > 1 || ret->B >= DEPTH_LIMIT || ret->count > LIMIT_MAP_ENTRIES)
		return false;
	if (ret->dirlen < 0 || (ret->dirlen & (ret->dirlen - 1)) != 0)
		return false;
	if (ret->dirlen == 0 && (ret->count > SLOTS || ret->B))
		return false;
	return ret->buckets ? map_pointer_plausible(ret->buckets)
			    : ret->count == 0 && ret->dirlen == 0;
}

/** True when eight slots fit into the group that the type describes. */
static bool shape_sound(const struct go_map_shape *shape)
{
	const uint64_t limit = 8 + SLOTS * (128 + 128 + 8);

	return shape->group_size >= 8 && shape->group_size <= limit && shape->key_stride <= limit &&
	       shape->elem_stride <= limit && shape->keys_offset >= 8 && shape->elems_offset >= 8 &&
	       shape->keys_offset + (SLOTS - 1) * shape->key_stride <= shape->group_size &&
	       shape->elems_offset + (SLOTS - 1) * shape->elem_stride <= shape->group_size;
}

/** Full slots of one group. */
static uint64_t group_walk(struct map_walk *walk, uint64_t group)
{
	const struct go_map_shape *shape = walk->shape;
	uint64_t full = 0;
	uint8_t ctrl[SLOTS];

	if (!map_walk_spend(walk, shape->group_size))
		return 0;
	if (map_walk_dumped(walk, group, shape->group_size) < shape->group_size ||
	    !memory_read(walk->memory, group, ctrl, sizeof(ctrl))) {
		map_walk_problem(walk, "a group is not in the dump");
		return 0;
	}
	for (unsigned i = 0; i < SLOTS && !walk->stopped; i++) {
		if (ctrl[i] & 0x80) {
			if (ctrl[i] != CTRL_EMPTY && ctrl[i] != CTRL_DELETED)
				map_walk_problem(walk, "a control byte has an impossible value");
			continue;
		}
		full++;
		map_walk_slot(walk, group + shape->keys_offset + i * shape->key_stride,
			      group + shape->elems_offset + i * shape->elem_stride);
	}
	return full;
}

static bool table_read(const struct program *program, uint64_t address, struct table *ret)
{
	const struct memory *memory = program->memory;
	int32_t used = program_offset(program, GO_TABLE_USED);
	int32_t capacity = program_offset(program, GO_TABLE_CAPACITY);
	int32_t index = program_offset(program, GO_TABLE_INDEX);
	int32_t groups = program_offset(program, GO_TABLE_GROUPS_DATA);
	int32_t mask = program_offset(program, GO_TABLE_GROUPS_LENGTHMASK);
	uint64_t at;
	uint16_t short_used, short_capacity;

	if (used < 0 || capacity < 0 || index < 0 || groups < 0 || mask < 0 ||
	    !memory_u16(memory, address + used, &short_used) ||
	    !memory_u16(memory, address + capacity, &short_capacity) ||
	    !memory_u64(memory, address + index, &at) ||
	    !memory_u64(memory, address + groups, &ret->groups) ||
	    !memory_u64(memory, address + mask, &ret->mask))
		return false;
	ret->used = short_used;
	ret->capacity = short_capacity;
	ret->index = (int64_t)at;
	return true;
}

/** What a table says of itself is checked; false when its groups cannot be walked. */
static bool table_check(struct map_walk *walk, const struct table *table, uint64_t slot)
{
	if (table->index == -1)
		map_walk_problem(walk, "the directory holds a table that was split or replaced");
	else if (table->index != (int64_t)slot)
		map_walk_problem(walk, "a table stands in the wrong place of the directory");
	if (table->mask >= TABLE_MAX_CAPACITY / SLOTS ||
	    table->capacity != (table->mask + 1) * SLOTS ||
	    (table->mask & (table->mask + 1)) != 0) {
		map_walk_problem(walk, "a table's capacity is impossible");
		return false;
	}
	if (!map_pointer_plausible(table->groups)) {
		map_walk_problem(walk, "a table's groups point nowhere");
		return false;
	}
	return true;
}

static void table_walk(struct map_walk *walk, uint64_t address, uint64_t slot)
{
	struct table table;
	uint64_t full = 0;

	if (!map_pointer_plausible(address) || !table_read(walk->program, address, &table)) {
		map_walk_problem(walk, "the directory points to no table");
		return;
	}
	if (!table_check(walk, &table, slot))
		return;
	for (uint64_t i = 0; i <= table.mask && !walk->stopped; i++)
		full += group_walk(walk, table.groups + i * walk->shape->group_size);
	if (!walk->stopped && full != table.used)
		map_walk_problem(walk, "a table's count does not match its slots");
}

/** Each table once: a table of smaller depth fills several neighbouring slots of the directory. */
static void directory_walk(struct map_walk *walk)
{
	uint64_t address = walk->map->buckets, length = (uint64_t)walk->map->dirlen, previous = 0;
	GHashTable *seen = g_hash_table_new(NULL, NULL);

	if (length != 1ull << walk->map->B)
		map_walk_problem(walk, "the directory's length does not match its depth");
	for (uint64_t i = 0; i < length && !walk->stopped; i++) {
		uint64_t table;

		if (!memory_u64(walk->memory, address + i * 8, &table)) {
			map_walk_problem(walk, "part of the directory is not in the dump");
			break;
		}
		if (i && table == previous)
			continue;
		previous = table;
		if (g_hash_table_add(seen, GSIZE_TO_POINTER(table)))
			table_walk(walk, table, i);
		else
			map_walk_problem(walk, "a table appears twice in the directory");
	}
	g_hash_table_destroy(seen);
}

void map_swiss_walk(struct map_walk *walk)
{
	const struct go_map *map = walk->map;

	if (!shape_sound(walk->shape))
		map_walk_stop(walk, "the map type's group layout is impossible");
	else if (map->dirlen > 0)
		directory_walk(walk);
	else if (map->buckets)
		group_walk(walk, map->buckets);
}
