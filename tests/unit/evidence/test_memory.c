// SPDX-License-Identifier: Apache-2.0
#include "elf_build.h"

#include "evidence/process/memory.h"

static const uint8_t ones[64] = {[0 ... 63] = 1}, twos[256] = {[0 ... 255] = 2};

static struct place file_at(uint64_t offset) { return (struct place){"file", offset}; }

static uint8_t byte_at(const struct memory *memory, uint64_t address)
{
	uint8_t byte = 0;

	return memory_u8(memory, address, &byte) ? byte : 0;
}

static void assert_ordered_and_disjoint(const struct memory *memory)
{
	size_t count;
	const struct memory_range *ranges = memory_ranges(memory, &count);

	for (size_t i = 1; i < count; i++)
		assert_true(ranges[i - 1].address + ranges[i - 1].size <= ranges[i].address);
}

static void an_empty_memory_has_nothing(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	size_t count = 7;
	uint64_t word = 5;

	memory_ranges(memory, &count);
	assert_int_equal(count, 0);
	assert_null(memory_view(memory, 0, 1));
	assert_int_equal(memory_extent(memory, 0), 0);
	assert_false(memory_u64(memory, 0, &word));
	assert_int_equal(word, 5);
}

static void the_first_added_wins(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	size_t count;

	memory_add(memory, 0x1040, ones, 64, file_at(0));
	memory_add(memory, 0x1000, twos, 256, file_at(0x100));
	assert_int_equal(byte_at(memory, 0x103f), 2);
	assert_int_equal(byte_at(memory, 0x1040), 1);
	assert_int_equal(byte_at(memory, 0x107f), 1);
	assert_int_equal(byte_at(memory, 0x1080), 2);
	assert_int_equal(memory_ranges(memory, &count)[2].origin.offset, 0x180);
	assert_int_equal(count, 3);
	assert_int_equal(memory_place(memory, 0x1041).offset, 1);
}

static void a_wide_range_fills_every_hole(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	size_t count;

	for (uint64_t i = 0; i < 8; i++)
		memory_add(memory, 0x1008 + i * 32, ones, 8, file_at(0));
	memory_add(memory, 0x1000, twos, 256, file_at(0));
	memory_ranges(memory, &count);
	assert_int_equal(count, 17);
	assert_ordered_and_disjoint(memory);
	for (uint64_t i = 0; i < 256; i++)
		assert_int_equal(byte_at(memory, 0x1000 + i), i % 32 >= 8 && i % 32 < 16 ? 1 : 2);
}

/** A core cuts what the process had in one piece into segments; a table may span them. */
static void ranges_that_touch_in_one_file_are_one(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	size_t count;

	memory_add(memory, 0x1080, twos + 128, 128, file_at(0x880));
	memory_add(memory, 0x1000, twos, 64, file_at(0x800));
	memory_ranges(memory, &count);
	assert_int_equal(count, 2);
	memory_add(memory, 0x1040, twos + 64, 64, file_at(0x840)); // closes the gap
	memory_ranges(memory, &count);
	assert_int_equal(count, 1);
	assert_ptr_equal(memory_view(memory, 0x1000, 256), twos);
	assert_int_equal(memory_extent(memory, 0x1010), 240);
	assert_int_equal(memory_place(memory, 0x10ff).offset, 0x8ff);
}

/** Neighbours in the process, but not in the evidence. */
static void other_neighbours_stay_apart(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	uint64_t word;
	size_t count;

	memory_add(memory, 0x1000, ones, 64, file_at(0));
	memory_add(memory, 0x1040, twos, 64, file_at(64));         // other bytes
	memory_add(memory, 0x1080, twos + 64, 64, file_at(4096));  // another place
	memory_add(memory, 0x10c8, twos + 128, 64, file_at(4160)); // a hole between
	memory_ranges(memory, &count);
	assert_int_equal(count, 4);
	assert_null(memory_view(memory, 0x103c, 8));
	assert_true(memory_u64(memory, 0x103c, &word)); // read across all the same
	assert_int_equal(word, 0x0202020201010101);
	assert_false(memory_u64(memory, 0x10bc, &word));
}

/** Against the plainest model there is: an array of bytes, written only where nothing stands. */
static void random_adds_agree_with_a_byte_array(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	static uint8_t bytes[200][64], model[1024];
	uint32_t random = 1;

	for (unsigned i = 0; i < 200; i++) {
		random = random * 1664525 + 1013904223;
		uint32_t at = random >> 8 & 1023, size = 1 + (random >> 20) % 24;

		memset(bytes[i], (int)i + 1, sizeof(bytes[i]));
		memory_add(memory, 0x10000 + at, bytes[i], size, file_at(0));
		for (uint32_t j = at; j < at + size && j < 1024; j++)
			if (!model[j])
				model[j] = (uint8_t)(i + 1);
		assert_ordered_and_disjoint(memory);
	}
	for (unsigned i = 0; i < 1024; i++)
		assert_int_equal(byte_at(memory, 0x10000 + i), model[i]);
}

static void a_read_crosses_ranges_but_not_holes(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	uint64_t word = 9;

	memory_add(memory, 0x1000, ones, 4, file_at(0));
	memory_add(memory, 0x1004, twos, 4, file_at(0));
	memory_add(memory, 0x1009, twos, 8, file_at(0));
	assert_null(memory_view(memory, 0x1000, 8));
	assert_true(memory_u64(memory, 0x1000, &word));
	assert_int_equal(word, 0x0202020201010101);
	assert_false(memory_u64(memory, 0x1004, &word));
	assert_int_equal(word, 0x0202020201010101);
}

static void a_word_is_found_wherever_it_stands(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	static const uint64_t words[4] = {1, 2, 3, 4}, more[2] = {5, 6};

	memory_add(memory, 0x1000, words, sizeof(words), file_at(0));
	memory_add(memory, 0x1020, more, sizeof(more), file_at(0));
	assert_true(memory_holds(memory, 0x1000, 48, 1));
	assert_true(memory_holds(memory, 0x1000, 48, 6));
	assert_true(memory_holds(memory, 0x1000, 4096, 6)); // the rest was not dumped
	assert_false(memory_holds(memory, 0x1000, 40, 6));
	assert_false(memory_holds(memory, 0x1008, 48, 1));
	assert_false(memory_holds(memory, 0x1000, 48, 7));
	assert_false(memory_holds(memory, 0x2000, 48, 0));
	assert_false(memory_holds(memory, 0x1000, 0, 1));
}

static void the_end_of_all_memory_is_no_way_around(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	uint8_t bytes[16];

	memory_add(memory, UINT64_MAX - 15, ones, 64, file_at(0));
	memory_add(memory, 0, twos, 64, file_at(0));
	assert_int_equal(memory_extent(memory, UINT64_MAX - 15), 15);
	assert_false(memory_read(memory, UINT64_MAX - 7, bytes, 16));
	assert_int_equal(memory_extent(memory, 0), 64);
	assert_int_equal(byte_at(memory, UINT64_MAX - 15), 1);
}

static void nothing_is_added_for_no_bytes(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	size_t count;

	memory_add(memory, 0x1000, ones, 0, file_at(0));
	memory_ranges(memory, &count);
	assert_int_equal(count, 0);
}

/** A source of bytes that are the low byte of their page's number; page 3 of it cannot be had. */
static uint64_t fetches;

static uint64_t fetch_numbers(void *context, uint64_t address, void *ret, uint64_t size)
{
	uint64_t done = 0;

	fetches++;
	for (; done < size && (address + done) >> 12 != *(uint64_t *)context; done++)
		((uint8_t *)ret)[done] = (uint8_t)((address + done) >> 12);
	return done;
}

static void lazy_bytes_are_fetched_once_and_stay(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	uint64_t missing = UINT64_MAX;
	const uint8_t *first;

	fetches = 0;
	assert_true(memory_add_lazy(memory, 0x10000, 0x20000, fetch_numbers, &missing, file_at(0)));
	assert_int_equal(fetches, 0);
	first = memory_view(memory, 0x10ff8, 16);
	assert_non_null(first);
	assert_int_equal(first[7], 0x10);
	assert_int_equal(first[8], 0x11);
	assert_int_equal(fetches, 1);
	assert_ptr_equal(memory_view(memory, 0x10ff8, 8), first);
	assert_int_equal(fetches, 1);
	assert_int_equal(byte_at(memory, 0x2ffff), 0x2f);
	assert_null(memory_view(memory, 0x2ffff, 2));
	assert_int_equal(memory_extent(memory, 0x10001), 0x1ffff);
}

static void a_lazy_page_that_cannot_be_had_is_missing(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	uint64_t missing = 0x12, word = 7;

	memory_add(memory, 0x15000, ones, 64, file_at(0));
	assert_true(memory_add_lazy(memory, 0x10000, 0x10000, fetch_numbers, &missing, file_at(0)));
	assert_int_equal(byte_at(memory, 0x11fff), 0x11);
	assert_null(memory_view(memory, 0x12000, 1));
	assert_null(memory_view(memory, 0x11000, 0x2000));
	assert_false(memory_u64(memory, 0x11ffc, &word));
	assert_int_equal(word, 7);
	assert_int_equal(byte_at(memory, 0x13000), 0x13);
	assert_int_equal(byte_at(memory, 0x15001), 1); // what was added first wins
	assert_int_equal(byte_at(memory, 0x15040), 0x15);
	assert_int_equal(memory_place(memory, 0x15040).offset, 0x5040);
}

static void a_glance_keeps_nothing(void **state)
{
	scoped(memory) struct memory *memory = memory_new();
	uint64_t missing = UINT64_MAX;
	uint8_t buffer[0x3000];
	const uint8_t *seen;

	fetches = 0;
	assert_true(memory_add_lazy(memory, 0x10000, 0x10000, fetch_numbers, &missing, file_at(0)));
	seen = memory_glance(memory, 0x14800, sizeof(buffer), buffer);
	assert_ptr_equal(seen, buffer);
	assert_int_equal(buffer[0x800], 0x15);
	memory_glance(memory, 0x14800, sizeof(buffer), buffer);
	assert_int_equal(fetches, 2);
	seen = memory_view(memory, 0x15000, 8);
	assert_ptr_equal(memory_glance(memory, 0x15000, 8, buffer), seen); // what is there is shown
	assert_null(memory_glance(memory, 0x1f000, sizeof(buffer), buffer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_memory_has_nothing),
		cmocka_unit_test(the_first_added_wins),
		cmocka_unit_test(a_wide_range_fills_every_hole),
		cmocka_unit_test(ranges_that_touch_in_one_file_are_one),
		cmocka_unit_test(other_neighbours_stay_apart),
		cmocka_unit_test(random_adds_agree_with_a_byte_array),
		cmocka_unit_test(a_read_crosses_ranges_but_not_holes),
		cmocka_unit_test(a_word_is_found_wherever_it_stands),
		cmocka_unit_test(the_end_of_all_memory_is_no_way_around),
		cmocka_unit_test(nothing_is_added_for_no_bytes),
		cmocka_unit_test(lazy_bytes_are_fetched_once_and_stay),
		cmocka_unit_test(a_lazy_page_that_cannot_be_had_is_missing),
		cmocka_unit_test(a_glance_keeps_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
