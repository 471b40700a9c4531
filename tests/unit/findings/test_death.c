// SPDX-License-Identifier: Apache-2.0
// What counts as a map fatal, and what the other deaths are.
#include "crash.h"

#include <signal.h>

static struct crash crash;
static struct thread thread;
static uint64_t gopanic, throw, hash;

static int make(void **state)
{
	struct made *made = &crash.made;

	made_init(made, 22, GO_ARCH_AMD64);
	crash.assign = made_function(made, "runtime.mapassign_fast64", 32);
	crash.access = made_function(made, "runtime.mapaccess1_fast64", 32);
	crash.fatal = made_function(made, "runtime.fatal", 32);
	crash.write = made_function(made, "main.put", 64);
	gopanic = made_function(made, "runtime.gopanic", 32);
	throw = made_function(made, "runtime.throw", 32);
	hash = made_function(made, "runtime.nilinterhash", 32);
	made_open(made);
	thread = (struct thread){.tid = 1, .goroutine = 0};
	made->space.program.threads = &thread;
	made->space.program.thread_count = 1;
	crash.findings = NULL;
	return 0;
}

static int drop(void **state)
{
	crash_done(&crash);
	return 0;
}

/** The runtime prints a panic when nothing is kept of what it prints any more: its value is. */
static void panic_put(const struct made_stack *stack, const char *text)
{
	struct space *space = &crash.made.space;
	uint64_t panic = space_take(space, 256), header = space_take(space, 16);
	uint64_t bytes = space_take(space, 64);
	uint64_t arg = panic + (uint64_t)program_offset(&space->program, GO_PANIC_ARG);

	space_write(space, bytes, text, strlen(text));
	space_u64(space, header, bytes);
	space_u64(space, header + 8, strlen(text));
	space_u64(space, arg, type_put(space, GO_KIND_STRING, 16, "string", NULL));
	space_u64(space, arg + 8, header);
	space_field(space, stack->g, GO_G_PANIC, panic, 8);
}

/** Goroutine 1 dies in @a inner, called by main.put through @a outer (0: directly). */
static struct findings *dies_in(uint64_t outer, uint64_t inner, const char *says)
{
	size_t g = made_goroutine(&crash.made, 1, GO_STATUS_RUNNING, crash.write);

	made_push(&crash.made, g, crash.write + 0x20);
	if (outer)
		made_push(&crash.made, g, outer + 0x20);
	if (inner)
		made_push(&crash.made, g, inner + 0x20);
	if (inner == gopanic)
		panic_put(&crash.made.stacks[g], says);
	else
		made_say(&crash.made, says);
	return crash_explain(&crash);
}

static void a_fatal_inside_a_map_operation_is_one(void **state)
{
	struct findings *f = dies_in(crash.assign, crash.fatal,
				     "hello\nfatal error: concurrent map writes\ngoroutine 1");

	assert_int_equal(f->death, DEATH_MAP_FATAL);
	assert_int_equal(f->fatal, MAP_FATAL_WRITES);
	assert_string_equal(f->kind, "concurrent_map_writes");
	assert_string_equal(f->message, "fatal error: concurrent map writes");
}

static void without_words_the_operation_says_which(void **state)
{
	struct findings *f = dies_in(crash.access, crash.fatal, "");

	assert_int_equal(f->fatal, MAP_FATAL_READ_AND_WRITE);
	assert_string_equal(f->message, "fatal error: concurrent map read and map write");
}

static void words_alone_are_none(void **state)
{
	struct findings *f = dies_in(0, 0, "fatal error: concurrent map writes\n");

	assert_int_equal(f->death, DEATH_UNKNOWN);
	assert_string_equal(f->kind, "not_a_map_fatal");
	assert_int_equal(f->confidence, CONFIDENCE_UNKNOWN);
}

static void a_panic_in_an_assignment_is_the_nil_map(void **state)
{
	struct findings *f = dies_in(crash.assign, gopanic, "assignment to entry in nil map");

	assert_int_equal(f->death, DEATH_NIL_MAP_WRITE);
	assert_string_equal(f->kind, "nil_map_write");
	assert_string_equal(f->message, "panic: assignment to entry in nil map");
	assert_int_equal(f->advice_count, 1);
	assert_string_equal(f->advice[0].pattern, "nil-map");
	assert_non_null(f->detector);
	assert_int_equal(f->detector->goroutine->id, 1);
	assert_string_equal(f->detector->site.function, "main.put");
	assert_true(f->detector->goroutine->detector);
}

static void a_panic_in_what_an_assignment_calls_is_just_a_panic(void **state)
{
	size_t g = made_goroutine(&crash.made, 1, GO_STATUS_RUNNING, crash.write);
	struct findings *f;

	made_push(&crash.made, g, crash.write + 0x20);
	made_push(&crash.made, g, crash.assign + 0x20);
	made_push(&crash.made, g, hash + 0x20);
	made_push(&crash.made, g, gopanic + 0x20);
	panic_put(&crash.made.stacks[g], "hash of unhashable type");
	f = crash_explain(&crash);
	assert_int_equal(f->death, DEATH_PANIC);
	assert_string_equal(f->kind, "not_a_map_fatal");
}

static void a_panic_in_a_read_is_just_a_panic(void **state)
{
	struct findings *f = dies_in(crash.access, gopanic, "hash of unhashable type\nfor a key");

	assert_int_equal(f->death, DEATH_PANIC);
	assert_string_equal(f->message, "panic: hash of unhashable type");
	assert_int_equal(f->confidence, CONFIDENCE_PROVEN);
}

static void other_fatals_are_the_runtimes_own(void **state)
{
	struct findings *f = dies_in(0, throw, "fatal error: out of memory\n");

	assert_int_equal(f->death, DEATH_FATAL);
	assert_string_equal(f->message, "fatal error: out of memory");
	assert_null(f->detector);
	assert_int_equal(f->advice_count, 0);
}

/** The system stack shows a deadlock, no goroutine does. */
static void the_runtimes_words_tell_of_deaths_elsewhere(void **state)
{
	thread.goroutine = NO_INDEX;

	struct findings *f = dies_in(0, 0, "fatal error: all goroutines are asleep - deadlock!\n");

	assert_int_equal(f->death, DEATH_FATAL);
}

static void else_it_was_the_signal(void **state)
{
	thread.signal = SIGSEGV;

	struct findings *f = dies_in(0, 0, "");

	assert_int_equal(f->death, DEATH_SIGNAL);
	assert_string_equal(f->message, "killed by signal SIGSEGV (11)");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(a_fatal_inside_a_map_operation_is_one),
		TEST(without_words_the_operation_says_which),
		TEST(words_alone_are_none),
		TEST(a_panic_in_an_assignment_is_the_nil_map),
		TEST(a_panic_in_what_an_assignment_calls_is_just_a_panic),
		TEST(a_panic_in_a_read_is_just_a_panic),
		TEST(other_fatals_are_the_runtimes_own),
		TEST(the_runtimes_words_tell_of_deaths_elsewhere),
		TEST(else_it_was_the_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
