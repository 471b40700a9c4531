// SPDX-License-Identifier: Apache-2.0
// Who can get at a map: from the live stack, and from the variables that code names.
#include "build_program.h"

#include "model/data/reachability.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct made made;
static uint64_t work, names, map, box, box_variable;
static size_t g;

/** main.names loads the variable that leads to box, which leads to the map. */
static int make(void **state)
{
	static const uint8_t load[] = {0x48, 0x8b, 0x05}; // MOV variable, RAX
	int32_t distance;

	made_init(&made, 22, GO_ARCH_AMD64);
	work = made_function(&made, "main.work", 64);
	names = made_function(&made, "main.names", 64);
	map = made_map(&made);
	box = made_variable(&made, map);
	box_variable = made_variable(&made, box);
	space_write(&made.space, names + 0x20, load, sizeof(load));
	distance = (int32_t)(box_variable - (names + 0x27));
	space_write(&made.space, names + 0x23, &distance, sizeof(distance));
	made_open(&made);
	g = made_goroutine(&made, 1, GO_STATUS_RUNNABLE, work);
	made_push(&made, g, work + 0x20);
	return 0;
}

static int drop(void **state)
{
	made_done(&made);
	return 0;
}

static bool from_stack(unsigned hops)
{
	struct reachability *reachability;
	bool found;

	made_read(&made);
	reachability = reachability_new(&made.space.program, map);
	found = reachability_from_stack(reachability, made_goroutine_of(&made, 1), hops);
	reachability_free(reachability);
	return found;
}

static void a_word_of_the_live_stack_leads_there(void **state)
{
	assert_false(from_stack(4));
	made_local(&made, g, 3, map);
	assert_true(from_stack(1));
}

static void pointers_are_followed_so_far(void **state)
{
	made_local(&made, g, 3, box_variable); // to box, to the map
	assert_false(from_stack(1));
	assert_true(from_stack(3));
}

static void dead_stack_leads_nowhere(void **state)
{
	space_u64(&made.space, made.stacks[g].sp - 64, map);
	assert_false(from_stack(4));
}

static bool from_code(uint64_t pc, unsigned hops)
{
	struct program *program = &made.space.program;
	struct reachability *reachability = reachability_new(program, map);
	struct go_function function;
	uint32_t table;
	bool found;

	assert_true(program_function(program, pc, &function, &table));
	found = reachability_from_code(reachability, &function, hops);
	assert_int_equal(reachability_from_code(reachability, &function, hops), found); // kept
	reachability_free(reachability);
	return found;
}

static void code_leads_through_the_variables_it_names(void **state)
{
	assert_true(from_code(names, 3));
	assert_false(from_code(names, 1));
	assert_false(from_code(work, 4));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(a_word_of_the_live_stack_leads_there),
		TEST(pointers_are_followed_so_far),
		TEST(dead_stack_leads_nowhere),
		TEST(code_leads_through_the_variables_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
