// SPDX-License-Identifier: Apache-2.0
// hmap, Go's map to 1.23: 2^B buckets of eight slots with overflow chains. Growth is incremental:
// until a bucket of oldbuckets is evacuated its entries stand there only, and every slot's tophash
// says which (runtime/map.go:86@go1.12, evacuate). Keys are not hashed here, so an entry in the
// wrong bucket of an otherwise sound map goes unnoticed.
#include "base/limits.h"
#include "model/data/heap.h"
#include "model/data/map_walk.h"

#include <glib.h>

#define SLOTS          8
#define FLAG_WRITING   4
#define FLAG_SAME_SIZE 8
#define FLAGS_KNOWN    15
#define B_LIMIT        64
/* Overflow buckets of a sound map stay near 2^B (tooManyOverflowBuckets); small maps get slack. */
#define OVERFLOW_SLACK 65536

/** Values below min_top are marks; where a version knows no such mark the value is one that never
 * occurs. */
struct tophash_marks {
	uint8_t empty_rest, empty_one, evacuated_empty, min_top;
	bool rest_means_end; /* empty_rest promises that nothing follows in the chain */
};

/* runtime/hashmap.go:85@go1.10.8 */
static const struct tophash_marks MARKS_TO_1_11 = {0, 0, 1, 4, false};
/* runtime/map.go:86@go1.12.17 */
static const struct tophash_marks MARKS_FROM_1_12 = {0, 1, 4, 5, true};

struct classic_walk {
	struct map_walk *walk;
	const struct tophash_marks *marks;
	GHashTable *seen; /* overflow buckets, so that cycles and shared chains end */
	uint64_t overflow_limit;
	bool old;   /* in oldbuckets: evacuated slots are skipped */
	bool ended; /* an empty_rest was met in this chain */
};

bool map_classic_read(const struct program *program, uint64_t address, struct go_map *ret)
{
	int32_t count = program_offset(program, GO_HMAP_COUNT);
	int32_t flags = program_offset(program, GO_HMAP_FLAGS);
	int32_t b = program_offset(program, GO_HMAP_B);
	uint64_t probe;

	if (count < 0 || flags < 0 || b < 0 ||
	    !memory_u64(program->memory, address + count, &ret->count) ||
	    !memory_u8(program->memory, address + flags, &ret->flags) ||
	    !memory_u8(program->memory, address + b, &ret->B) ||
	    !memory_u64(program->memory, address + program_offset(program, GO_HMAP_NEVACUATE),
			&probe))
		return false;
	ret->buckets = program_word(program, address, GO_HMAP_BUCKETS);
	ret->oldbuckets = program_word(program, address, GO_HMAP_OLDBUCKETS);
	ret->nevacuate = program_word(program, address, GO_HMAP_NEVACUATE);
	ret->writing = ret->flags & FLAG_WRITING;
	ret->growing = ret->oldbuckets != 0;
	if (ret->B >= B_LIMIT || ret->flags & ~FLAGS_KNOWN || ret->count > LIMIT_MAP_ENTRIES)
		return false;
	if (ret->buckets ? !map_pointer_plausible(ret->buckets) : ret->count || ret->growing)
		return false;
	return !ret->growing || map_pointer_plausible(ret->oldbuckets);
}

/** True when slots and overflow pointer fit into the bucket that the type describes. */
static bool shape_sound(const struct go_map_shape *shape)
{
	uint64_t slots = 8 + SLOTS * ((uint64_t)shape->key_size + shape->elem_size);

	return shape->key_size <= 128 && shape->elem_size <= 128 && shape->bucket_size % 8 == 0 &&
	       slots + 8 <= shape->bucket_size;
}

static void slot_check(struct classic_walk *c, uint64_t bucket, unsigned slot, uint8_t top)
{
	const struct go_map_shape *shape = c->walk->shape;
	const struct tophash_marks *marks = c->marks;

	if (top == marks->empty_rest && marks->rest_means_end)
		c->ended = true;
	if (top == marks->empty_rest || top == marks->empty_one)
		return;
	if (top < marks->min_top) {
		if (!c->old)
			map_walk_problem(c->walk, "an evacuated mark in a live bucket");
		return;
	}
	if (c->ended)
		map_walk_problem(c->walk, "an entry stands after the end of its chain");
	map_walk_slot(c->walk, bucket + 8 + slot * (uint64_t)shape->key_size,
		      bucket + 8 + SLOTS * (uint64_t)shape->key_size +
			      slot * (uint64_t)shape->elem_size);
}

/** The eight slots of a bucket; the overflow bucket's address goes to @a ret. */
static bool bucket_walk(struct classic_walk *c, uint64_t bucket, uint64_t *ret)
{
	uint32_t size = c->walk->shape->bucket_size;
	uint8_t tops[SLOTS];
	uint64_t overflow;

	if (!map_walk_spend(c->walk, size))
		return false;
	if (!memory_read(c->walk->memory, bucket, tops, sizeof(tops)) ||
	    !memory_u64(c->walk->memory, bucket + size - 8, &overflow)) {
		map_walk_problem(c->walk, "a bucket is not in the dump");
		return false;
	}
	for (unsigned i = 0; i < SLOTS && !c->walk->stopped; i++)
		slot_check(c, bucket, i, tops[i]);
	*ret = overflow;
	return !c->walk->stopped;
}

/** True when the walk may go on into @a overflow: a plausible bucket that was not visited before.
 */
static bool overflow_enter(struct classic_walk *c, uint64_t overflow)
{
	if (!map_pointer_plausible(overflow)) {
		map_walk_problem(c->walk, "an overflow pointer points nowhere");
		return false;
	}
	if (g_hash_table_size(c->seen) >= c->overflow_limit) {
		map_walk_stop(c->walk, "more overflow buckets than a map can have");
		return false;
	}
	if (!g_hash_table_add(c->seen, GSIZE_TO_POINTER(overflow))) {
		map_walk_problem(c->walk, "an overflow chain runs into itself or another one");
		return false;
	}
	return true;
}

static void chain_walk(struct classic_walk *c, uint64_t bucket)
{
	uint64_t overflow = 0;

	c->ended = false;
	while (bucket_walk(c, bucket, &overflow) && overflow) {
		if (!overflow_enter(c, overflow))
			return;
		bucket = overflow;
	}
}

/** How many of the 2^B buckets at @a address may be looked at: those that are dumped and were
 * allocated. */
static uint64_t array_length(struct map_walk *walk, uint64_t address, unsigned B)
{
	uint64_t size = walk->shape->bucket_size, bytes, dumped;
	struct heap_object object;

	if (__builtin_mul_overflow(size, 1ull << B, &bytes)) {
		map_walk_problem(walk, "B is larger than memory");
		return 0;
	}
	if (heap_object_at((struct program *)walk->program, address, &object) &&
	    object.address + object.size - address < bytes) {
		map_walk_problem(walk, "the bucket array is shorter than B says");
		bytes = object.address + object.size - address;
	}
	dumped = map_walk_dumped(walk, address, bytes);
	if (dumped < bytes)
		map_walk_problem(walk, "part of the buckets is not in the dump");
	return dumped / size;
}

static void array_walk(struct classic_walk *c, uint64_t address, unsigned B, bool old)
{
	uint64_t count = array_length(c->walk, address, B);

	c->old = old;
	c->overflow_limit += 2 * count + OVERFLOW_SLACK;
	for (uint64_t i = 0; i < count && !c->walk->stopped; i++)
		chain_walk(c, address + i * c->walk->shape->bucket_size);
}

/** log2 of the number of old buckets; growth to the same size leaves B as it was. */
static unsigned old_B(const struct go_map *map)
{
	return map->flags & FLAG_SAME_SIZE || map->B == 0 ? map->B : map->B - 1u;
}

void map_classic_walk(struct map_walk *walk)
{
	const struct go_map *map = walk->map;
	struct classic_walk c = {.walk = walk};
	bool half_made = map->growing && map->buckets == map->oldbuckets;

	if (!shape_sound(walk->shape)) {
		map_walk_stop(walk, "the map type's bucket layout is impossible");
		return;
	}
	if (half_made) // hashGrow sets oldbuckets first (runtime/map.go:1068@go1.12)
		map_walk_problem(walk, "growth was caught before the new buckets were linked");
	c.marks = walk->program->layout->version.minor >= 12 ? &MARKS_FROM_1_12 : &MARKS_TO_1_11;
	c.seen = g_hash_table_new(NULL, NULL);
	if (map->buckets && !half_made)
		array_walk(&c, map->buckets, map->B, false);
	if (map->growing && !walk->stopped)
		array_walk(&c, map->oldbuckets, old_B(map), true);
	g_hash_table_destroy(c.seen);
}
