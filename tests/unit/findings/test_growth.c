// SPDX-License-Identifier: Apache-2.0
// Series made up here, sampled as the runtime samples: what a site truly did is known, and the
// verdict and the profile at which it changed must follow, for all but few of many series.
#include "../base/cmocka_first.h"

#include "findings/growth.h"

#include <math.h>
#include <stdlib.h>

#define POINTS 30
#define PERIOD 524288 /* the runtime's default */
#define MB     1048576.0
#define NS     1000000000ll
#define ROUNDS 200
#define ONSET  12
#define OBJECT 1000.0 /* bytes: a small map */

static uint64_t seed;

static double uniform(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

/* How many samples the profiler takes of @bytes in objects of OBJECT bytes (Knuth for small means). */
static double samples_of(double bytes)
{
	double mean = bytes / OBJECT * (1 - exp(-OBJECT / PERIOD)), left = mean, n = 0;

	for (; left > 0; left -= 500) {
		double limit = exp(-fmin(left, 500)), product = uniform();

		for (; product > limit; product *= uniform())
			n++;
	}
	return n;
}

static double estimate(double samples) { return samples * OBJECT / (1 - exp(-OBJECT / PERIOD)); }

/* What one site did: bytes made and freed between one profile and the next. */
struct story {
	double made[POINTS], freed[POINTS];
};

struct told {
	struct series_point points[POINTS];
	struct site_value values[POINTS];
	struct allocation_site site;
	struct profile_series series;
	struct growth *growth;
};

/* Freed memory is taken from what samples are there, oldest first: as a map that is dropped. */
static void tell(const struct story *story, struct told *told)
{
	double held = 0, made = 0, truth = 0;

	*told = (struct told){0};
	for (uint32_t i = 0; i < POINTS; i++) {
		double fresh = samples_of(story->made[i]), before = truth + story->made[i];
		double gone = before > 0 ? fmin(story->freed[i] / before, 1) : 0;

		truth = before - fmin(story->freed[i], before);
		made += fresh;
		held = (held + fresh) * (1 - gone);
		held = gone == 0 ? held : floor(held + uniform());
		told->points[i] = (struct series_point){
			.path = "p", .time_ns = (int64_t)(i + 1) * 60 * NS, .period = PERIOD};
		told->values[i] = (struct site_value){
			i,
			{(int64_t)(estimate(made) / OBJECT), (int64_t)estimate(made),
			 (int64_t)(estimate(held) / OBJECT), (int64_t)estimate(held)}};
	}
	told->site = (struct allocation_site){
		.site = {.function = "main.f", .file = "main.go", .line = 1},
		.role = SITE_MAP_GROW,
		.map_type = "map[int]int",
		.map_function = "runtime.mapassign",
		.values = told->values,
		.value_count = POINTS,
	};
	told->series = (struct profile_series){.points = told->points,
					       .point_count = POINTS,
					       .sites = &told->site,
					       .site_count = 1,
					       .timed = true,
					       .has_alloc = true,
					       .checked = ""};
	told->growth = growth_derive(&told->series, NULL);
	assert_int_equal(told->growth->site_count, 1);
}

/* Rounds of ROUNDS in which the verdict was right and, when @change is given, so was the profile. */
static unsigned right(void (*write)(struct story *), enum growth_verdict verdict, size_t change)
{
	unsigned count = 0;

	seed = 7;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct story story = {0};
		struct told told;
		const struct growth_site *site;
		bool placed;

		write(&story);
		tell(&story, &told);
		site = &told.growth->sites[0];
		placed = change ? site->change_count > 0 &&
					  labs((long)site->changes[0].point - (long)change) <= 1
				: true;
		count += site->verdict == verdict && placed;
		growth_free(told.growth);
	}
	return count;
}

static void write_leak(struct story *s)
{
	for (size_t i = ONSET; i < POINTS; i++)
		s->made[i] = 20 * MB;
}

/* One map that doubles when it is full, from ONSET on; the old half goes. */
static void write_doubling(struct story *s)
{
	double room = 1 * MB;

	for (size_t i = ONSET; i < POINTS; i++)
		for (double used = (double)(i - ONSET + 1) * 10 * MB; used > room; room *= 2) {
			s->made[i] += 2 * room;
			s->freed[i] += room;
		}
}

static void write_old_leak(struct story *s)
{
	for (size_t i = 0; i < POINTS; i++)
		s->made[i] = i ? 20 * MB : 100 * MB;
}

static void write_churn(struct story *s)
{
	for (size_t i = ONSET; i < POINTS; i++)
		s->made[i] = s->freed[i] = 40 * MB;
}

/* Each profile finds some of it alive. */
static void write_churn_alive(struct story *s)
{
	double held = 0;

	for (size_t i = 0; i < POINTS; i++) {
		double next = (2 + 8 * uniform()) * MB;

		s->made[i] = 60 * MB;
		s->freed[i] = fmax(held + s->made[i] - next, 0);
		held = next;
	}
}

static void write_burst(struct story *s) { s->made[ONSET] = 60 * MB; }

static void write_burst_freed(struct story *s)
{
	s->made[ONSET] = s->made[ONSET + 1] = 40 * MB;
	s->freed[ONSET + 6] = 80 * MB;
}

static void write_steady(struct story *s)
{
	s->made[0] = 50 * MB;
	for (size_t i = 1; i < POINTS; i++)
		s->made[i] = s->freed[i] = 0.2 * MB;
}

static void leaks(void **state)
{
	assert_true(right(write_leak, GROWTH_LEAK, ONSET) >= ROUNDS * 98 / 100);
	assert_true(right(write_doubling, GROWTH_LEAK, ONSET) >= ROUNDS * 95 / 100);
	assert_true(right(write_old_leak, GROWTH_LEAK, 0) >= ROUNDS * 98 / 100);
}

static void churns(void **state)
{
	assert_true(right(write_churn, GROWTH_CHURN, ONSET) >= ROUNDS * 98 / 100);
	assert_true(right(write_churn_alive, GROWTH_CHURN, 0) >= ROUNDS * 95 / 100);
}

static void bursts(void **state)
{
	assert_true(right(write_burst, GROWTH_BURST, ONSET) >= ROUNDS * 98 / 100);
	assert_true(right(write_burst_freed, GROWTH_BURST, ONSET) >= ROUNDS * 95 / 100);
}

static void is_steady(void **state)
{
	assert_true(right(write_steady, GROWTH_STEADY, 0) >= ROUNDS * 98 / 100);
}

static void one_doubling_decides_nothing(void **state)
{
	struct story story = {.made = {[0] = 60 * MB, [ONSET] = 120 * MB},
			      .freed = {[ONSET] = 60 * MB}};
	struct told told;

	seed = 1;
	tell(&story, &told);
	assert_int_equal(told.growth->sites[0].verdict, GROWTH_UNKNOWN);
	assert_non_null(strstr(told.growth->sites[0].because, "doubles"));
	growth_free(told.growth);
}

static void few_profiles_decide_nothing(void **state)
{
	struct story story = {0};
	struct told told;
	struct growth *growth;

	write_old_leak(&story);
	tell(&story, &told);
	growth_free(told.growth);
	told.series.point_count = 3;
	told.site.value_count = 3;
	growth = growth_derive(&told.series, NULL);
	assert_int_equal(growth->sites[0].verdict, GROWTH_UNKNOWN);
	assert_int_equal(growth->gaps.count, 1);
	growth_free(growth);
}

static void sites_are_found_by_function_and_type(void **state)
{
	struct story story = {0};
	struct told told;

	write_leak(&story);
	tell(&story, &told);
	assert_non_null(growth_in_function(told.growth, "main.f", NULL));
	assert_non_null(growth_in_function(told.growth, "main.f", "map[int]int"));
	assert_null(growth_in_function(told.growth, "main.f", "map[int]bool"));
	assert_null(growth_in_function(told.growth, "main.g", NULL));
	assert_ptr_equal(growth_of_type(told.growth, "map[int]int", NULL), told.growth->sites);
	assert_null(growth_of_type(told.growth, "map[int]int", told.growth->sites));
	growth_free(told.growth);
}

/* Values at the ends of their range, and of the wrong sign, must not lead anywhere undefined. */
static void absurd_values(void **state)
{
	struct told told;
	struct story story = {0};
	struct growth *growth;

	tell(&story, &told);
	growth_free(told.growth);
	for (size_t i = 0; i < POINTS; i++)
		told.values[i].value = (struct allocation){i % 2 ? INT64_MAX : INT64_MIN,
							   i % 3 ? INT64_MIN : INT64_MAX, -1,
							   i % 2 ? INT64_MIN : INT64_MAX};
	growth = growth_derive(&told.series, NULL);
	assert_int_equal(growth->site_count, 1);
	growth_free(growth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaks),
		cmocka_unit_test(churns),
		cmocka_unit_test(bursts),
		cmocka_unit_test(is_steady),
		cmocka_unit_test(one_doubling_decides_nothing),
		cmocka_unit_test(few_profiles_decide_nothing),
		cmocka_unit_test(sites_are_found_by_function_and_type),
		cmocka_unit_test(absurd_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
