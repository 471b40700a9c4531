// SPDX-License-Identifier: Apache-2.0
// The ring that the runtime prints into, before and after it has gone around.
#include "build_program.h"

#include "model/process/backlog.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct made made;

static int make(void **state)
{
	made_init(&made, 22, GO_ARCH_AMD64);
	made_open(&made);
	return 0;
}

static int drop(void **state)
{
	made_done(&made);
	return 0;
}

static void what_was_said_is_read(void **state)
{
	made_say(&made, "panic: boom\n\tmain.go:1");
	assert_string_equal(backlog_read(&made.space.program), "panic: boom\n\tmain.go:1");
}

static void a_full_ring_begins_at_its_index(void **state)
{
	uint8_t ring[512];

	memset(ring, '.', sizeof(ring));
	memcpy(ring, "last", 4);
	memcpy(ring + 4, "first", 5);
	space_write(&made.space, made.backlog, ring, sizeof(ring));
	space_u64(&made.space, made.backlog_index, 4);

	const char *text = backlog_read(&made.space.program);

	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "first...", 8);
	assert_string_equal(text + 508, "last");
}

static void terminals_are_safe_from_it(void **state)
{
	made_say(&made, "a\033[2Jb\x80"
			"c");
	assert_string_equal(backlog_read(&made.space.program), "a?[2Jb?c");
}

static void a_wild_index_is_taken_around(void **state)
{
	made_say(&made, "hello");
	space_u64(&made.space, made.backlog_index, UINT64_MAX - 600);
	assert_int_equal(strlen(backlog_read(&made.space.program)), 5);
}

static void a_ring_that_was_not_dumped_says_nothing(void **state)
{
	struct program *program = &made.space.program;
	struct memory *nothing = memory_new(), *all = program->memory;
	const char *text;

	program->memory = nothing;
	text = backlog_read(program);
	program->memory = all;
	memory_free(nothing);
	assert_string_equal(text, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(what_was_said_is_read),
		TEST(a_full_ring_begins_at_its_index),
		TEST(terminals_are_safe_from_it),
		TEST(a_wild_index_is_taken_around),
		TEST(a_ring_that_was_not_dumped_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
