// SPDX-License-Identifier: Apache-2.0
#include "base/sorted.h"

#include "cmocka_first.h"

struct pair {
	uint64_t key;
	char value;
};

static const struct pair pairs[] = {{2, 'a'}, {5, 'b'}, {5, 'c'}, {5, 'd'}, {UINT64_MAX, 'e'}};

static size_t run(uint64_t key, size_t *ret_count)
{
	return sorted_run(pairs, sizeof(pairs) / sizeof(*pairs), sizeof(*pairs), key, ret_count);
}

static void finds_all_of_a_key(void **state)
{
	size_t count;

	assert_int_equal(run(5, &count), 1);
	assert_int_equal(count, 3);
	assert_int_equal(run(2, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(run(UINT64_MAX, &count), 4);
	assert_int_equal(count, 1);
}

static void tells_where_a_missing_one_would_stand(void **state)
{
	size_t count;

	assert_int_equal(run(0, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(run(3, &count), 1);
	assert_int_equal(count, 0);
	assert_int_equal(run(6, &count), 4);
	assert_int_equal(count, 0);
	assert_int_equal(sorted_run(NULL, 0, sizeof(struct pair), 5, &count), 0);
	assert_int_equal(count, 0);
}

static void compares_as_unsigned_numbers(void **state)
{
	assert_true(sorted_compare(&pairs[0], &pairs[4]) < 0);
	assert_true(sorted_compare(&pairs[4], &pairs[0]) > 0);
	assert_int_equal(sorted_compare(&pairs[1], &pairs[3]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_all_of_a_key),
		cmocka_unit_test(tells_where_a_missing_one_would_stand),
		cmocka_unit_test(compares_as_unsigned_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
