// SPDX-License-Identifier: Apache-2.0
// Profiler labels as both of runtime/pprof's encodings keep them.
#include "model/process/label.h"
#include "space.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct space space;

static void string_put(uint64_t at, const char *text)
{
	uint64_t bytes = space_take(&space, strlen(text));

	space_write(&space, bytes, text, strlen(text));
	space_u64(&space, at, bytes);
	space_u64(&space, at + 8, strlen(text));
}

static void assert_labels(const char *const *labels)
{
	assert_non_null(labels);
	assert_string_equal(labels[0], "handler");
	assert_string_equal(labels[1], "/login");
	assert_string_equal(labels[2], "user");
	assert_string_equal(labels[3], "7");
	assert_null(labels[4]);
}

/** To 1.23: *map[string]string; a bucket has eight marks, eight keys, eight values, overflow. */
static void a_map_of_strings(void **state)
{
	uint64_t labels, map, bucket;

	space_init(&space, 23, GO_ARCH_AMD64);
	labels = space_take(&space, 8);
	map = space_take(&space, 48);
	bucket = space_take(&space, 8 + 8 * 32 + 8);
	space_u64(&space, labels, map);
	space_field(&space, map, GO_HMAP_COUNT, 2, 8);
	space_field(&space, map, GO_HMAP_BUCKETS, bucket, 8);
	space_u8(&space, bucket, 0x50);
	space_u8(&space, bucket + 2, 0x60);
	string_put(bucket + 8, "handler");
	string_put(bucket + 8 + 8 * 16, "/login");
	string_put(bucket + 8 + 2 * 16, "user");
	string_put(bucket + 8 + 10 * 16, "7");
	assert_labels(labels_read(&space.program, labels));
	space_done(&space);
}

/** From 1.24: a struct that begins with a slice of {key, value}. */
static uint64_t list_make(void)
{
	uint64_t labels, array;

	space_init(&space, 24, GO_ARCH_AMD64);
	labels = space_take(&space, 24);
	array = space_take(&space, 64);
	space_u64(&space, labels, array);
	space_u64(&space, labels + 8, 2);
	string_put(array, "handler");
	string_put(array + 16, "/login");
	string_put(array + 32, "user");
	string_put(array + 48, "7");
	return labels;
}

static void a_list_of_pairs(void **state)
{
	assert_labels(labels_read(&space.program, list_make()));
	space_done(&space);
}

static void nonsense_is_none(void **state)
{
	uint64_t labels = list_make();

	assert_null(labels_read(&space.program, 0));
	assert_null(labels_read(&space.program, 0x1234));
	space_u64(&space, labels + 8, UINT64_MAX);
	assert_null(labels_read(&space.program, labels));
	space_done(&space);
}

/** A string longer than any label, or not dumped, is one that is not known. */
static void unreadable_words_are_marked(void **state)
{
	uint64_t labels = list_make(), array;
	const char *const *found;

	memory_u64(space.program.memory, labels, &array);
	space_u64(&space, array + 24, 1u << 20);
	space_u64(&space, array + 32, 0x10);
	found = labels_read(&space.program, labels);
	assert_string_equal(found[0], "handler");
	assert_string_equal(found[1], "?");
	assert_string_equal(found[2], "?");
	space_done(&space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_of_strings),
		cmocka_unit_test(a_list_of_pairs),
		cmocka_unit_test(nonsense_is_none),
		cmocka_unit_test(unreadable_words_are_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
