// SPDX-License-Identifier: Apache-2.0
// Maps built by hand, byte by byte, from runtime/map.go and internal/runtime/maps.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/data/map.h"
#include "space.h"

#define BUCKET 144 /* of map[int]int: 8 tophashes, 8 keys, 8 elements, overflow */
#define GROUP  136 /* of map[int]int: 8 control bytes, 8 slots of 16 */

static struct space space;

static const struct go_type WORD = {.kind = GO_KIND_INT, .size = 8};
static const struct go_type CLASSIC = {
	.kind = GO_KIND_MAP,
	.key = &WORD,
	.elem = &WORD,
	.map = {.key_size = 8, .elem_size = 8, .bucket_size = BUCKET}};
static const struct go_type SWISS = {.kind = GO_KIND_MAP,
				     .key = &WORD,
				     .elem = &WORD,
				     .map = {.swiss = true,
					     .group_size = GROUP,
					     .keys_offset = 8,
					     .key_stride = 16,
					     .elems_offset = 16,
					     .elem_stride = 16}};

struct seen {
	uint64_t keys[256], elems[256];
	size_t count, stop_at;
};

static bool see(uint64_t key, uint64_t elem, void *context)
{
	struct seen *seen = context;

	assert_true(seen->count < 256);
	assert_true(memory_u64(space.program.memory, key, &seen->keys[seen->count]));
	assert_true(memory_u64(space.program.memory, elem, &seen->elems[seen->count]));
	return ++seen->count != seen->stop_at;
}

static uint64_t hmap_make(uint64_t count, uint8_t flags, uint8_t B, uint64_t buckets, uint64_t old)
{
	uint64_t address = space_take(&space, 48);

	space_field(&space, address, GO_HMAP_COUNT, count, 8);
	space_field(&space, address, GO_HMAP_FLAGS, flags, 1);
	space_field(&space, address, GO_HMAP_B, B, 1);
	space_field(&space, address, GO_HMAP_BUCKETS, buckets, 8);
	space_field(&space, address, GO_HMAP_OLDBUCKETS, old, 8);
	return address;
}

static void slot_fill(uint64_t bucket, unsigned slot, uint8_t top, uint64_t key)
{
	space_u8(&space, bucket + slot, top);
	space_u64(&space, bucket + 8 + slot * 8, key);
	space_u64(&space, bucket + 72 + slot * 8, key * 10);
}

static void overflow_set(uint64_t bucket, uint64_t overflow)
{
	space_u64(&space, bucket + BUCKET - 8, overflow);
}

static struct map_integrity walk(uint64_t address, const struct go_type *type, struct seen *seen)
{
	struct go_map map;

	assert_true(map_read(&space.program, address, &map));
	memset(seen, 0, sizeof(*seen));
	return map_entries(&space.program, &map, type, see, seen);
}

static int setup_1_9(void **state) { return space_init(&space, 9, GO_ARCH_AMD64), 0; }
static int setup_1_22(void **state) { return space_init(&space, 22, GO_ARCH_AMD64), 0; }
static int setup_1_26(void **state) { return space_init(&space, 26, GO_ARCH_AMD64), 0; }
static int teardown(void **state) { return space_done(&space), 0; }

static void test_empty(void **state)
{
	struct seen seen;
	struct map_integrity found = walk(hmap_make(0, 0, 0, 0, 0), &CLASSIC, &seen);

	assert_true(found.checked);
	assert_true(found.count_matches);
	assert_int_equal(seen.count, 0);
	assert_string_equal(found.first_problem, "");
}

static void test_header(void **state)
{
	uint64_t buckets = space_take(&space, BUCKET * 4);
	struct go_map map;

	assert_true(map_read(&space.program, hmap_make(3, 4 | 1, 2, buckets, 0), &map));
	assert_false(map.swiss);
	assert_true(map.writing);
	assert_false(map.growing);
	assert_int_equal(map.B, 2);
	assert_int_equal(map.count, 3);
	assert_int_equal(map.buckets, buckets);
}

static void test_not_a_header(void **state)
{
	uint64_t b = space_take(&space, BUCKET);
	struct go_map map;

	assert_false(map_read(&space.program, hmap_make(1, 16, 0, b, 0), &map)); // no such flag
	assert_false(map_read(&space.program, hmap_make(1, 0, 64, b, 0), &map));
	assert_false(map_read(&space.program, hmap_make(UINT64_MAX, 0, 0, b, 0), &map));
	assert_false(map_read(&space.program, hmap_make(1, 0, 0, 0, 0), &map)); // counts, has none
	assert_false(map_read(&space.program, hmap_make(1, 0, 0, b + 3, 0), &map));
	assert_false(map_read(&space.program, hmap_make(1, 0, 0, 0, b), &map));
	assert_false(map_read(&space.program, 0, &map));
	assert_false(map_read(&space.program, SPACE_START + SPACE_BYTES - 32, &map)); // cut off
	assert_false(map_read(&space.program, SPACE_START + SPACE_BYTES, &map));
}

static void test_overflow_chain(void **state)
{
	uint64_t buckets = space_take(&space, BUCKET * 2), more = space_take(&space, BUCKET);
	struct map_integrity found;
	struct seen seen;

	for (unsigned i = 0; i < 8; i++)
		slot_fill(buckets + BUCKET, i, (uint8_t)(5 + i), 100 + i);
	slot_fill(more, 0, 200, 7);
	overflow_set(buckets + BUCKET, more);
	found = walk(hmap_make(9, 0, 1, buckets, 0), &CLASSIC, &seen);
	assert_int_equal(found.entries_found, 9);
	assert_true(found.count_matches);
	assert_int_equal(found.problems, 0);
	assert_int_equal(seen.keys[8], 7);
	assert_int_equal(seen.elems[8], 70);
}

/** Two old buckets: the first is evacuated to new buckets 0 and 2, the second is not. */
static void test_growing(void **state)
{
	uint64_t buckets = space_take(&space, BUCKET * 4), old = space_take(&space, BUCKET * 2);
	uint64_t old_more = space_take(&space, BUCKET);
	struct map_integrity found;
	struct seen seen;

	slot_fill(buckets, 0, 10, 1);
	slot_fill(buckets + 2 * BUCKET, 0, 11, 2);
	slot_fill(old, 0, 2, 1); // evacuatedX
	slot_fill(old, 1, 3, 2); // evacuatedY
	for (unsigned i = 2; i < 8; i++)
		space_u8(&space, old + i, 4); // evacuatedEmpty
	slot_fill(old + BUCKET, 0, 12, 3);
	slot_fill(old_more, 0, 13, 4);
	space_u8(&space, old + BUCKET + 1, 1);
	for (unsigned i = 2; i < 8; i++)
		space_u8(&space, old + BUCKET + i, 1);
	overflow_set(old + BUCKET, old_more);
	found = walk(hmap_make(4, 0, 2, buckets, old), &CLASSIC, &seen);
	assert_int_equal(found.entries_found, 4);
	assert_true(found.count_matches);
	assert_int_equal(found.problems, 0);
	assert_int_equal(seen.keys[0] + seen.keys[1] + seen.keys[2] + seen.keys[3], 10);
}

/** sameSizeGrow: as many old buckets as new ones. */
static void test_growing_to_same_size(void **state)
{
	uint64_t buckets = space_take(&space, BUCKET * 2), old = space_take(&space, BUCKET * 2);
	struct map_integrity found;
	struct seen seen;

	slot_fill(old + BUCKET, 3, 50, 9);
	for (unsigned i = 0; i < 3; i++)
		space_u8(&space, old + BUCKET + i, 1);
	found = walk(hmap_make(1, 8, 1, buckets, old), &CLASSIC, &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.keys[0], 9);
	assert_int_equal(found.problems, 0);
}

/** To 1.11 a tophash of 4 is an entry's and 1 is evacuatedEmpty. */
static void test_old_numbers(void **state)
{
	uint64_t buckets = space_take(&space, BUCKET * 2), old = space_take(&space, BUCKET);
	struct map_integrity found;
	struct seen seen;

	slot_fill(buckets, 0, 4, 1);
	slot_fill(buckets, 5, 4, 2); // empty slots before it mean nothing there
	memset(space.bytes + (old - SPACE_START), 1, 8);
	found = walk(hmap_make(2, 0, 1, buckets, old), &CLASSIC, &seen);
	assert_int_equal(found.entries_found, 2);
	assert_int_equal(found.problems, 0);
}

static void test_cycles(void **state)
{
	uint64_t buckets = space_take(&space, BUCKET * 2), a = space_take(&space, BUCKET);
	struct map_integrity found;
	struct seen seen;

	slot_fill(buckets, 0, 9, 1);
	for (unsigned i = 1; i < 8; i++)
		slot_fill(buckets, i, 9, 1 + i);
	for (unsigned i = 0; i < 8; i++)
		slot_fill(a, i, 9, 20 + i);
	overflow_set(buckets, a);
	overflow_set(a, a);
	overflow_set(buckets + BUCKET, a); // and a second chain leads there
	found = walk(hmap_make(16, 0, 1, buckets, 0), &CLASSIC, &seen);
	assert_int_equal(seen.count, 16);
	assert_true(found.checked);
	assert_int_equal(found.problems, 2);
	assert_string_equal(found.first_problem,
			    "an overflow chain runs into itself or another one");
}

static void test_damage(void **state)
{
	uint64_t buckets = space_take(&space, BUCKET * 2);
	struct map_integrity found;
	struct seen seen;

	space_u8(&space, buckets, 3);             // a mark of evacuation where nothing grows
	slot_fill(buckets, 2, 77, 5);             // hidden after emptyRest in slot 1
	overflow_set(buckets + BUCKET, 0x123456); // nothing there, and not aligned
	found = walk(hmap_make(2, 0, 1, buckets, 0), &CLASSIC, &seen);
	assert_int_equal(found.problems, 3);
	assert_int_equal(found.entries_found, 1);
	assert_false(found.count_matches);
}

static void test_B_larger_than_memory(void **state)
{
	uint64_t buckets = space_take(&space, BUCKET);
	struct map_integrity found;
	struct seen seen;

	slot_fill(buckets, 0, 9, 1);
	found = walk(hmap_make(1, 0, 63, buckets, 0), &CLASSIC, &seen);
	assert_int_equal(seen.count, 0);
	assert_int_equal(found.problems, 1);
	found = walk(hmap_make(1, 0, 40, buckets, 0), &CLASSIC, &seen);
	assert_true(found.problems >= 1);
	assert_int_equal(seen.keys[0], 1);
}

static void test_indirect(void **state)
{
	struct go_type type = CLASSIC;
	uint64_t bucket = space_take(&space, BUCKET), key = space_take(&space, 8);
	struct map_integrity found;
	struct seen seen;

	type.map.indirect_key = true;
	space_u64(&space, key, 4711);
	slot_fill(bucket, 0, 9, key);
	slot_fill(bucket, 1, 9, 0xdead0000);
	found = walk(hmap_make(2, 0, 0, bucket, 0), &type, &seen);
	assert_int_equal(found.entries_found, 2);
	assert_int_equal(found.problems, 1);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.keys[0], 4711);
}

static void test_visitor_stops(void **state)
{
	uint64_t bucket = space_take(&space, BUCKET);
	struct seen seen = {.stop_at = 2};
	struct map_integrity found;
	struct go_map map;

	for (unsigned i = 0; i < 8; i++)
		slot_fill(bucket, i, 9, i);
	assert_true(map_read(&space.program, hmap_make(8, 0, 0, bucket, 0), &map));
	found = map_entries(&space.program, &map, &CLASSIC, see, &seen);
	assert_int_equal(seen.count, 2);
	assert_false(found.checked);
	assert_int_equal(found.problems, 0);
}

static void test_impossible_type(void **state)
{
	struct go_type type = CLASSIC;
	uint64_t address = hmap_make(1, 0, 0, space_take(&space, BUCKET), 0);
	struct seen seen;

	type.map.bucket_size = 64;
	assert_false(walk(address, &type, &seen).checked);
	assert_false(walk(address, &SWISS, &seen).checked);
	assert_false(walk(address, &WORD, &seen).checked);
}

static uint64_t swiss_make(uint64_t used, uint64_t dirptr, int64_t dirlen, uint8_t depth)
{
	uint64_t address = space_take(&space, 48);

	space_field(&space, address, GO_SWISS_USED, used, 8);
	space_field(&space, address, GO_SWISS_DIRPTR, dirptr, 8);
	space_field(&space, address, GO_SWISS_DIRLEN, (uint64_t)dirlen, 8);
	space_field(&space, address, GO_SWISS_GLOBALDEPTH, depth, 1);
	return address;
}

static uint64_t groups_make(unsigned count)
{
	uint64_t groups = space_take(&space, GROUP * count);

	for (unsigned i = 0; i < count; i++)
		memset(space.bytes + (groups - SPACE_START) + i * GROUP, 0x80, 8);
	return groups;
}

static void group_fill(uint64_t group, unsigned slot, uint64_t key)
{
	space_u8(&space, group + slot, (uint8_t)(key & 0x7f));
	space_u64(&space, group + 8 + slot * 16, key);
	space_u64(&space, group + 16 + slot * 16, key * 10);
}

static uint64_t table_make(uint16_t used, uint64_t groups, uint64_t count, int64_t index)
{
	uint64_t table = space_take(&space, 32);

	space_field(&space, table, GO_TABLE_USED, used, 2);
	space_field(&space, table, GO_TABLE_CAPACITY, count * 8, 2);
	space_field(&space, table, GO_TABLE_INDEX, (uint64_t)index, 8);
	space_field(&space, table, GO_TABLE_GROUPS_DATA, groups, 8);
	space_field(&space, table, GO_TABLE_GROUPS_LENGTHMASK, count - 1, 8);
	return table;
}

static void test_swiss_small(void **state)
{
	uint64_t group = groups_make(1);
	struct map_integrity found;
	struct seen seen;

	group_fill(group, 0, 11);
	group_fill(group, 7, 12);
	found = walk(swiss_make(2, group, 0, 0), &SWISS, &seen);
	assert_true(found.count_matches);
	assert_int_equal(found.problems, 0);
	assert_int_equal(seen.keys[1], 12);
	assert_int_equal(seen.elems[1], 120);
	found = walk(swiss_make(0, 0, 0, 0), &SWISS, &seen);
	assert_true(found.count_matches);
}

/** A directory of four: the first table has depth 1 and fills two places. */
static void test_swiss_directory(void **state)
{
	uint64_t a = groups_make(2), b = groups_make(1), c = groups_make(1);
	uint64_t directory = space_take(&space, 32), shared = table_make(2, a, 2, 0);
	struct map_integrity found;
	struct seen seen;

	group_fill(a, 1, 1);
	group_fill(a + GROUP, 2, 2);
	space_u8(&space, a + 3, 0xfe); // deleted
	group_fill(b, 0, 3);
	group_fill(c, 0, 4);
	space_u64(&space, directory, shared);
	space_u64(&space, directory + 8, shared);
	space_u64(&space, directory + 16, table_make(1, b, 1, 2));
	space_u64(&space, directory + 24, table_make(1, c, 1, 3));
	found = walk(swiss_make(4, directory, 4, 2), &SWISS, &seen);
	assert_int_equal(seen.count, 4);
	assert_true(found.count_matches);
	assert_int_equal(found.problems, 0);
}

static void test_swiss_damage(void **state)
{
	uint64_t a = groups_make(1), directory = space_take(&space, 32);
	uint64_t table = table_make(3, a, 1, -1); // stale, and counts more than there is
	struct map_integrity found;
	struct seen seen;

	group_fill(a, 0, 1);
	space_u8(&space, a + 1, 0x91); // no such control byte
	space_u64(&space, directory, table);
	space_u64(&space, directory + 8, 0xfff0);
	space_u64(&space, directory + 16, table);                    // again
	space_u64(&space, directory + 24, table_make(0, a, 256, 3)); // larger than tables get
	found = walk(swiss_make(1, directory, 4, 2), &SWISS, &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(found.problems, 6);
}

static void test_swiss_not_a_header(void **state)
{
	uint64_t group = groups_make(1);
	struct go_map map;

	assert_false(map_read(&space.program, swiss_make(9, group, 0, 0), &map));
	assert_false(map_read(&space.program, swiss_make(1, group, 3, 0), &map));
	assert_false(map_read(&space.program, swiss_make(1, group, -1, 0), &map));
	assert_false(map_read(&space.program, swiss_make(1, group, 2, 64), &map));
	assert_false(map_read(&space.program, swiss_make(1, 0, 0, 0), &map));
	assert_false(map_read(&space.program, swiss_make(0, 0, 4, 2), &map));
}

/** The directory ends where the dump does; tables that all claim the same memory cannot make the
 * walk long. */
static void test_swiss_hostile(void **state)
{
	uint64_t groups = groups_make(128), directory = space_take(&space, 8 * 4096);
	struct map_integrity found;
	struct go_map map;

	for (uint64_t i = 0; i < 4096; i++)
		space_u64(&space, directory + 8 * i, table_make(0, groups, 128, (int64_t)i));
	assert_true(map_read(&space.program, swiss_make(0, directory, 1ll << 40, 40), &map));
	found = map_entries(&space.program, &map, &SWISS, NULL, NULL);
	assert_false(found.checked);
	assert_string_equal(found.first_problem, "the structure is larger than all dumped memory");
}

#define CASE(test, setup) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_empty, setup_1_22),
		CASE(test_header, setup_1_22),
		CASE(test_not_a_header, setup_1_22),
		CASE(test_overflow_chain, setup_1_22),
		CASE(test_growing, setup_1_22),
		CASE(test_growing_to_same_size, setup_1_22),
		CASE(test_old_numbers, setup_1_9),
		CASE(test_cycles, setup_1_22),
		CASE(test_damage, setup_1_22),
		CASE(test_B_larger_than_memory, setup_1_22),
		CASE(test_indirect, setup_1_22),
		CASE(test_visitor_stops, setup_1_22),
		CASE(test_impossible_type, setup_1_22),
		CASE(test_swiss_small, setup_1_26),
		CASE(test_swiss_directory, setup_1_26),
		CASE(test_swiss_damage, setup_1_26),
		CASE(test_swiss_not_a_header, setup_1_26),
		CASE(test_swiss_hostile, setup_1_26),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
