// SPDX-License-Identifier: Apache-2.0
// What counts as a write in dead stack, and what does not.
#include "build_program.h"

#include "model/stack/ghost.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct made made;
static uint64_t work, writes, reads, map;
static size_t g;

static int make(void **state)
{
	uint64_t assign, access, put, type;

	made_init(&made, 22, GO_ARCH_AMD64);
	assign = made_function(&made, "runtime.mapassign_fast64", 32);
	access = made_function(&made, "runtime.mapaccess1_fast64", 32);
	put = made_function(&made, "main.put", 64);
	work = made_function(&made, "main.work", 64);
	type = made_map_type(&made, "map[int]int");
	map = made_map(&made);
	writes = made_map_call(&made, put + 0x20, assign, type, 0);
	reads = made_map_call(&made, put + 0x60, access, type, 0);
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

static size_t count(const struct ghost **ret)
{
	made_read(&made);
	return ghosts_of_writes(&made.space.program, made_goroutine_of(&made, 1), map, ret);
}

static void writes_are_listed_nearest_first(void **state)
{
	const struct ghost *ghosts;

	made_ghost(&made, g, 512, writes, map);
	made_ghost(&made, g, 128, writes, map);
	assert_int_equal(count(&ghosts), 2);
	assert_int_equal(ghosts[0].slot, made.stacks[g].sp - 128);
	assert_int_equal(ghosts[1].slot, made.stacks[g].sp - 512);
	assert_int_equal(ghosts[0].site->return_pc, writes);
	assert_int_equal(ghosts[0].map, map);
}

static void live_stack_has_no_ghosts(void **state)
{
	const struct ghost *ghosts;

	space_u64(&made.space, made.stacks[g].sp, writes);
	space_u64(&made.space, made.stacks[g].sp + 16, map);
	assert_int_equal(count(&ghosts), 0);
}

static void reads_and_other_maps_and_other_words_are_none(void **state)
{
	const struct ghost *ghosts;

	made_ghost(&made, g, 128, reads, map);
	made_ghost(&made, g, 256, writes, map + 8);
	made_ghost(&made, g, 384, writes + 1, map); // no call ends there
	made_ghost(&made, g, 512, work + 0x20, map);
	assert_int_equal(count(&ghosts), 0);
}

static void arm64_is_not_understood(void **state)
{
	const struct ghost *ghosts;

	made_ghost(&made, g, 128, writes, map);
	made.space.program.arch = GO_ARCH_ARM64;
	assert_int_equal(count(&ghosts), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(writes_are_listed_nearest_first),
		TEST(live_stack_has_no_ghosts),
		TEST(reads_and_other_maps_and_other_words_are_none),
		TEST(arm64_is_not_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
