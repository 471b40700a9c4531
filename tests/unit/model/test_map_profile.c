// SPDX-License-Identifier: Apache-2.0
// What profiles say of a program's map writes.
#include "build_program.h"

#include "evidence/profile/profile.h"
#include "model/profile/map_profile.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct made made;
static uint64_t assign, grow_returns, put_returns, read_returns, caller_returns;
static struct write_reach *reach;

static int make(void **state)
{
	uint64_t access, grow, put, caller, type, variable, map;

	made_init(&made, 22, GO_ARCH_AMD64);
	assign = made_function(&made, "runtime.mapassign_fast64", 32);
	access = made_function(&made, "runtime.mapaccess1_fast64", 32);
	grow = made_function(&made, "runtime.hashGrow", 32);
	put = made_function(&made, "main.put", 64);
	caller = made_function(&made, "main.caller", 64);
	type = made_map_type(&made, "map[int]int");
	map = made_map(&made);
	variable = made_variable(&made, map);
	put_returns = made_map_call(&made, put + 0x20, assign, type, variable);
	read_returns = made_map_call(&made, put + 0x60, access, type, variable);
	grow_returns = made_call(&made, assign + 0x20, grow);
	caller_returns = made_call(&made, caller + 0x20, put);
	made_open(&made);
	reach = write_reach_new(
		&made.space.program,
		&(struct write_target){.map = map,
				       .type = types_at(made.space.program.types, type)});
	return 0;
}

static int drop(void **state)
{
	write_reach_free(reach);
	made_done(&made);
	return 0;
}

#define VALUE_TYPES 2

/** One stack of at most two calls that return to @a inner and @a outer (0: there is none). */
static struct map_profile *profile_of(enum profile_kind kind, uint64_t inner, uint64_t outer,
				      const char *name)
{
	static const struct profile_value_type heap[VALUE_TYPES] = {{{"alloc_space", 11}, {"", 0}},
								    {{"inuse_space", 11}, {"", 0}}};
	static const struct profile_value_type goroutine[VALUE_TYPES] = {
		{{"goroutine", 9}, {"", 0}}, {{"", 0}, {"", 0}}};
	static const int64_t values[VALUE_TYPES] = {4096, 1024};
	static const uint32_t locations[] = {0, 1, 0, 0, 0, 0, 0, 0};
	static const struct profile_line line = {.function = 0, .line = 1};
	const struct profile_location location[] = {
		{.address = inner - 1, .mapping = PROFILE_NONE, .line_count = name ? 1 : 0},
		{.address = outer - 1, .mapping = PROFILE_NONE, .line_count = name ? 1 : 0}};
	const struct profile_function function = {.name = text_of(name ? name : "")};
	const struct profile_sample sample = {.location_count = outer ? 2 : 1,
					      .value_count = VALUE_TYPES};
	struct profile profile = {
		.path = "made.pb.gz",
		.kind = kind,
		.types = kind == PROFILE_HEAP ? heap : goroutine,
		.type_count = VALUE_TYPES,
		.samples = &sample,
		.sample_count = 1,
		.values = values,
		.locations = locations,
		.location_bytes = sizeof(*locations),
		.location = location,
		.location_count = 2,
		.line = &line,
		.line_count = 1,
		.function = &function,
		.function_count = 1,
	};
	struct profile *profiles[] = {&profile};
	struct map_profile *read;

	made.space.program.profiles = profiles;
	made.space.program.profile_count = 1;
	read = map_profile_new(&made.space.program, reach);
	made.space.program.profile_count = 0;
	return read;
}

static struct map_site_profile ask(struct map_profile *profile, uint64_t returns)
{
	struct map_site_profile found =
		map_profile_of(profile, sites_returning_to(made.space.program.sites, returns));

	map_profile_free(profile);
	return found;
}

static void growth_shows_as_the_writing_line(void **state)
{
	struct map_site_profile found =
		ask(profile_of(PROFILE_HEAP, put_returns, caller_returns, NULL), put_returns);

	assert_int_equal(found.alloc_bytes, 4096);
	assert_int_equal(found.inuse_bytes, 1024);
	assert_int_equal(found.goroutines, 0);
	// with the runtime's own frame, as text profiles have it
	found = ask(profile_of(PROFILE_HEAP, assign + 0x41, put_returns, NULL), put_returns);
	assert_int_equal(found.alloc_bytes, 4096);
	// what the map's own code calls on the way is part of the write
	found = ask(profile_of(PROFILE_HEAP, grow_returns, put_returns, NULL), put_returns);
	assert_int_equal(found.alloc_bytes, 4096);
}

/** A read allocates nothing; the writer's caller allocates for itself. */
static void other_memory_is_no_growth(void **state)
{
	assert_int_equal(
		ask(profile_of(PROFILE_HEAP, read_returns, 0, NULL), put_returns).alloc_bytes, 0);
	assert_int_equal(
		ask(profile_of(PROFILE_HEAP, caller_returns, 0, NULL), put_returns).alloc_bytes, 0);
}

static void goroutines_count_for_the_write_they_can_come_to(void **state)
{
	struct map_site_profile found =
		ask(profile_of(PROFILE_GOROUTINE, caller_returns - 8, 0, NULL), put_returns);

	assert_int_equal(found.goroutines, 4096);
	assert_int_equal(found.alloc_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(growth_shows_as_the_writing_line, make, drop),
		cmocka_unit_test_setup_teardown(other_memory_is_no_growth, make, drop),
		cmocka_unit_test_setup_teardown(goroutines_count_for_the_write_they_can_come_to,
						make, drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
