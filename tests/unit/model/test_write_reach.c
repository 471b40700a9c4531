// SPDX-License-Identifier: Apache-2.0
// From where a write of one map can be reached, and how surely it is that map.
#include "build_program.h"

#include "model/code/write_reach.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct made made;
static uint64_t put, put_other, put_field, put_method, put_own, put_any, caller, loop, far, handing,
	starting, task, branching, newproc, map, other;
static const struct go_type *type;

static int make(void **state)
{
	uint64_t assign, access, at, variable, second, wrong;

	made_init(&made, 22, GO_ARCH_AMD64);
	assign = made_function(&made, "runtime.mapassign_fast64", 32);
	access = made_function(&made, "runtime.mapaccess1_fast64", 32);
	put = made_function(&made, "main.put", 64);
	put_other = made_function(&made, "main.putOther", 64);
	put_field = made_function(&made, "main.putField", 64);
	put_method = made_function(&made, "main.(*table).put", 64);
	put_own = made_function(&made, "main.(*decoy).put", 64);
	put_any = made_function(&made, "main.putAny", 64);
	caller = made_function(&made, "main.caller", 64);
	loop = made_function(&made, "main.loop", 64);
	far = made_function(&made, "main.far", 64);
	newproc = made_function(&made, "runtime.newproc", 32);
	task = made_function(&made, "main.handing.func1", 64);
	handing = made_function(&made, "main.handing", 64);
	starting = made_function(&made, "main.starting", 64);
	branching = made_function(&made, "main.branching", 64);
	at = made_map_type(&made, "map[int]int");
	wrong = made_map_type(&made, "map[int]int64");
	map = made_map(&made);
	other = made_map(&made);
	variable = made_variable(&made, map);
	second = made_variable(&made, other);
	made_map_call(&made, put + 0x20, assign, at, variable);
	made_map_call(&made, put + 0x80, access, at, variable);
	made_map_call(&made, put_other + 0x20, assign, at, second);
	made_map_call(&made, put_other + 0x60, assign, wrong, 0);
	made_field_call(&made, put_field + 0x20, assign, at, 0x18);
	made_field_call(&made, put_method + 0x20, assign, at, 0x18);
	made_field_call(&made, put_own + 0x20, assign, at, 0x18);
	made_map_call(&made, put_any + 0x20, assign, at, 0);
	made_call(&made, caller + 0x20, put);
	made_call(&made, loop + 0x40, put);
	made_jump(&made, loop + 0x80, loop + 0x20);
	made_call(&made, far + 0x20, caller);
	made_call(&made, task + 0x20, put);
	made_address(&made, handing + 0x20, task);
	made_address(&made, starting + 0x20, task);
	made_call(&made, starting + 0x40, newproc);
	// a way back that stands after the end of the straight line is no loop
	made_call(&made, branching + 0x10, put);
	made_jump(&made, branching + 0x40, branching + 0x38);
	made_jump(&made, branching + 0x60, branching + 0x8);
	made_open(&made);
	type = types_at(made.space.program.types, at);
	assert_non_null(type);
	return 0;
}

static int drop(void **state)
{
	made_done(&made);
	return 0;
}

static bool reaches_knowing(uint64_t pc, int64_t known_offset, struct write_path *ret)
{
	static const uint64_t holder = 0x1000;
	static const char *const holder_type = "main.table";
	const struct map_site known = {.source = {MAP_SOURCE_FIELD, 0, known_offset},
				       .caller = {.name = "main.known"}};
	const struct write_target target = {map,          type, &holder,
					    &holder_type, 1,    known_offset ? &known : NULL};
	struct program *program = &made.space.program;
	struct write_reach *reach = write_reach_new(program, &target);
	struct go_function function;
	static struct write_site site;
	uint32_t table;
	bool found;

	assert_true(program_function(program, pc, &function, &table));
	found = write_reach_from(reach, &function, pc, ret);
	if (found) { // outlives the search
		site = *ret->site;
		ret->site = &site;
	}
	write_reach_free(reach);
	return found;
}

static bool reaches(uint64_t pc, struct write_path *ret) { return reaches_knowing(pc, 0x18, ret); }

static void assert_path(uint64_t pc, enum site_match match, unsigned calls, bool again)
{
	struct write_path path;

	assert_true(reaches(pc, &path));
	assert_int_equal(path.site->match, match);
	assert_int_equal(path.calls, calls);
	assert_int_equal(path.again, again);
}

static void only_writes_that_may_be_of_this_map_count(void **state)
{
	const struct write_target target = {.map = map, .type = type};
	struct write_reach *reach = write_reach_new(&made.space.program, &target);
	const struct write_site *sites;
	size_t count;

	sites = write_reach_sites(reach, &count);
	assert_int_equal(count, 5);
	assert_int_equal(sites[0].site->caller.entry, put);
	assert_int_equal(sites[0].match, SITE_SAME_MAP);
	assert_int_equal(sites[1].site->caller.entry, put_field);
	assert_int_equal(sites[1].match, SITE_SAME_TYPE); // nobody knows who holds the map
	assert_int_equal(sites[4].site->caller.entry, put_any);
	assert_int_equal(sites[4].match, SITE_SAME_TYPE);
	write_reach_free(reach);
}

static void the_variable_or_field_says_which_map(void **state)
{
	struct write_path path;

	assert_path(put + 4, SITE_SAME_MAP, 0, true);
	assert_path(put_field + 4, SITE_SAME_FIELD, 0, true);
	assert_path(put_any + 4, SITE_SAME_TYPE, 0, true);
	assert_false(reaches(put_other + 4, &path));
}

static void a_field_of_an_object_without_known_bounds_needs_the_offset_that_was_used(void **state)
{
	struct write_path path;

	assert_true(reaches_knowing(put_field + 4, 0x18, &path));
	assert_int_equal(path.site->match, SITE_SAME_FIELD);
	assert_true(reaches_knowing(put_field + 4, 0x10, &path));
	assert_int_equal(path.site->match, SITE_SAME_TYPE);
	assert_true(reaches_knowing(put_field + 4, 0, &path)); // no site that used it is known
	assert_int_equal(path.site->match, SITE_SAME_TYPE);
}

static void a_method_of_another_type_has_a_field_of_its_own(void **state)
{
	assert_path(put_method + 4, SITE_SAME_FIELD, 0, true);
	assert_path(put_own + 4, SITE_SAME_TYPE, 0, true);
}

static void calls_are_counted(void **state)
{
	assert_path(caller + 4, SITE_SAME_MAP, 1, true);
	assert_path(far + 4, SITE_SAME_MAP, 2, true);
}

static void past_the_write_only_a_loop_leads_back(void **state)
{
	assert_path(put + 0x60, SITE_SAME_MAP, 0, false);
	assert_path(caller + 0x60, SITE_SAME_MAP, 1, false);
	assert_path(loop + 0x60, SITE_SAME_MAP, 1, true);
	assert_path(loop + 0xa0, SITE_SAME_MAP, 1, false); // behind the loop's jump
}

static void what_is_handed_over_or_started_is_reached(void **state)
{
	struct write_path path;

	assert_path(task + 4, SITE_SAME_MAP, 1, true);
	assert_path(handing + 4, SITE_SAME_MAP, 2, true);
	assert_true(reaches(handing + 4, &path));
	assert_int_equal(path.way.steps[0].kind, WAY_HANDED);
	assert_int_equal(path.way.steps[0].callee, task);
	assert_false(write_path_starts(&path));
	assert_true(reaches(starting + 4, &path));
	assert_int_equal(path.way.steps[0].kind, WAY_STARTED);
	assert_true(write_path_starts(&path));
	// who has started it all can't do so again
	assert_path(starting + 0x60, SITE_SAME_MAP, 2, false);
}

static void only_what_control_comes_to_is_a_loop(void **state)
{
	assert_path(branching + 4, SITE_SAME_MAP, 1, true);
	assert_path(branching + 0x3a, SITE_SAME_MAP, 1, false);
}

static void what_is_likelier_has_more_points(void **state)
{
	struct write_path near, far_off, past, started;

	assert_true(reaches(caller + 4, &near));
	assert_true(reaches(far + 4, &far_off));
	assert_true(reaches(caller + 0x60, &past));
	assert_true(reaches(starting + 4, &started));
	assert_true(write_path_points(&near) > write_path_points(&far_off));
	assert_true(write_path_points(&far_off) > write_path_points(&started));
	assert_true(write_path_points(&started) > write_path_points(&past));
}

static void without_a_type_nothing_is_searched(void **state)
{
	const struct write_target target = {.map = map};
	struct write_reach *reach = write_reach_new(&made.space.program, &target);
	size_t count;

	write_reach_sites(reach, &count);
	assert_int_equal(count, 0);
	write_reach_free(reach);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(only_writes_that_may_be_of_this_map_count),
		TEST(the_variable_or_field_says_which_map),
		TEST(a_field_of_an_object_without_known_bounds_needs_the_offset_that_was_used),
		TEST(a_method_of_another_type_has_a_field_of_its_own),
		TEST(calls_are_counted),
		TEST(past_the_write_only_a_loop_leads_back),
		TEST(what_is_handed_over_or_started_is_reached),
		TEST(only_what_control_comes_to_is_a_loop),
		TEST(what_is_likelier_has_more_points),
		TEST(without_a_type_nothing_is_searched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
