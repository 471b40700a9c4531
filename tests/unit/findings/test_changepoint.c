// SPDX-License-Identifier: Apache-2.0
// Series with a level that is known, and noise from a fixed generator.
#include "../base/cmocka_first.h"

#include "findings/changepoint.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define LENGTH_MAX 1000

static uint64_t seed;

static double uniform(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

/* Box and Muller: standard deviation 1. */
static double noise(void) { return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()); }

static size_t find(const double *values, size_t count, size_t *starts)
{
	return changepoint_find(values, count,
				changepoint_penalty(changepoint_noise(values, count), count),
				starts);
}

static void one_jump_is_found_where_it_is(void **state)
{
	static const size_t lengths[] = {8, 24, 100, 1000};
	double values[LENGTH_MAX];
	size_t starts[LENGTH_MAX];
	unsigned exact = 0, within_one = 0, runs = 0;

	seed = 1;
	for (size_t l = 0; l < 4; l++)
		for (unsigned round = 0; round < 100; round++, runs++) {
			size_t n = lengths[l], at = n / 4 + (size_t)(uniform() * (double)n / 2);

			for (size_t i = 0; i < n; i++)
				values[i] = noise() + (i < at ? 0 : 6);
			if (find(values, n, starts) != 1)
				continue;
			exact += starts[0] == at;
			within_one += labs((long)starts[0] - (long)at) <= 1;
		}
	/* At six standard deviations; short series with a noise estimate of their own are harder. */
	assert_true(within_one >= runs * 90 / 100);
	assert_true(exact >= runs * 88 / 100);
}

static void noise_alone_is_not_split(void **state)
{
	double values[200];
	size_t starts[200];
	unsigned split = 0;

	seed = 2;
	for (unsigned round = 0; round < 200; round++) {
		for (size_t i = 0; i < 200; i++)
			values[i] = 5 + noise();
		split += find(values, 200, starts) > 0;
	}
	assert_true(split <= 10);
}

/* Every way to split a short series, by force. */
static double least_cost(const double *values, size_t count, double penalty, unsigned *ret_split)
{
	double least = INFINITY;

	for (unsigned split = 0; split < 1u << (count - 1); split++) {
		double cost = 0, sum = 0, squares = 0, n = 0;

		for (size_t i = 0; i < count; i++) {
			sum += values[i];
			squares += values[i] * values[i];
			n++;
			if (i + 1 < count && !(split & 1u << i))
				continue;
			cost += squares - sum * sum / n + (i + 1 < count ? penalty : 0);
			sum = squares = n = 0;
		}
		if (cost < least - 1e-9) {
			least = cost;
			*ret_split = split;
		}
	}
	return least;
}

static void the_split_is_the_best_of_all(void **state)
{
	double values[12];
	size_t starts[12];

	seed = 3;
	for (unsigned round = 0; round < 100; round++) {
		unsigned best = 0, found = 0;
		size_t count;

		for (size_t i = 0; i < 12; i++)
			values[i] = noise() + (i >= 4 && i < 7 ? 3 : 0);
		least_cost(values, 12, 4, &best);
		count = changepoint_find(values, 12, 4, starts);
		for (size_t i = 0; i < count; i++)
			found |= 1u << (starts[i] - 1);
		assert_int_equal(found, best);
	}
}

static void a_single_high_value_stands_alone(void **state)
{
	const double values[] = {1, 1, 1, 1, 1, 90, 1, 1, 1, 1};
	size_t starts[10];

	assert_int_equal(changepoint_find(values, 10, 3, starts), 2);
	assert_int_equal(starts[0], 5);
	assert_int_equal(starts[1], 6);
}

static void short_series(void **state)
{
	const double values[] = {1, 50};
	size_t starts[2];

	assert_int_equal(changepoint_find(values, 0, 1, starts), 0);
	assert_int_equal(changepoint_find(values, 1, 1, starts), 0);
	assert_int_equal(changepoint_find(values, 2, 1, starts), 1);
	assert_true(changepoint_noise(values, 1) == 0);
}

static void noise_is_measured_in_spite_of_jumps(void **state)
{
	double values[LENGTH_MAX];

	seed = 4;
	for (size_t i = 0; i < LENGTH_MAX; i++)
		values[i] = 3 * noise() + (i / 100 % 2 ? 1000 : 0);
	assert_true(fabs(changepoint_noise(values, LENGTH_MAX) - 3) < 0.3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_jump_is_found_where_it_is),
		cmocka_unit_test(noise_alone_is_not_split),
		cmocka_unit_test(the_split_is_the_best_of_all),
		cmocka_unit_test(a_single_high_value_stands_alone),
		cmocka_unit_test(short_series),
		cmocka_unit_test(noise_is_measured_in_spite_of_jumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
