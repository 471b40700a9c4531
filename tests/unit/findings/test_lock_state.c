// SPDX-License-Identifier: Apache-2.0
// What the state of a lock says of two sides, and what it does not: goroutine 1 noticed, goroutine 2 is the other.
#include "findings/rules.h"

#include "model/data/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct goroutine goroutines[] = {{.id = 1}, {.id = 2}};
static struct side detector, other;
static struct lock locks[3];
static struct owner owners[2];
static struct findings findings;

static int make(void **state)
{
	detector = (struct side){.operation = MAP_READ,
				 .goroutine = &goroutines[0],
				 .rule = "",
				 .confidence = CONFIDENCE_PROVEN};
	other = (struct side){.operation = MAP_ASSIGN,
			      .goroutine = &goroutines[1],
			      .rule = "in_write_op",
			      .confidence = CONFIDENCE_PROVEN};
	memset(locks, 0, sizeof(locks));
	for (size_t i = 0; i < 3; i++)
		locks[i] = (struct lock){
			.path = "main.store.mu", .kind = GO_LOCK_RWMUTEX, .address = 0x1000 + i};
	owners[0] = (struct owner){.locks = locks, .lock_count = 1};
	findings = (struct findings){.arena = arena_new(), .detector = &detector, .other = &other};
	findings.map = (struct conflict_map){
		.owners = owners, .owner_count = 1, .sure = CONFIDENCE_PROVEN};
	return 0;
}

static int drop(void **state)
{
	arena_free(findings.arena);
	return 0;
}

static void read_locks(void)
{
	struct reasoning reasoning = {.findings = &findings};

	lock_state_read(&reasoning);
}

static void assert_says(const char *words)
{
	read_locks();
	assert_int_equal(findings.map.lock_count, 1);
	assert_string_equal(findings.map.locks[0].says, words);
}

static void what_nobody_has_neither_side_has(void **state)
{
	assert_says("unlocked: neither goroutine 1 nor goroutine 2, both in the middle of an "
		    "operation on the map, holds "
		    "it");
}

/** Its write may be over by now. */
static void of_who_is_not_seen_inside_nothing_is_said(void **state)
{
	other.rule = "flight_record";
	assert_says("unlocked: goroutine 1, in the middle of its operation on the map, does not "
		    "hold it");
}

static void nor_of_who_is_not_proven(void **state)
{
	other.confidence = CONFIDENCE_LIKELY;
	assert_says("unlocked: goroutine 1, in the middle of its operation on the map, does not "
		    "hold it");
}

static void read_locks_let_a_writer_in(void **state)
{
	locks[0].state = (struct go_lock_state){.hold = GO_LOCK_SHARED, .readers = 1};
	assert_says("1 read lock, no write lock: goroutine 2 is in the middle of a write without "
		    "the write lock");
}

static void also_one_that_noticed_itself(void **state)
{
	findings.other = NULL;
	detector.operation = MAP_DELETE;
	locks[0].state =
		(struct go_lock_state){.hold = GO_LOCK_SHARED, .readers = 2, .writer_waits = true};
	assert_says("2 read locks, no write lock: goroutine 1 is in the middle of a write without "
		    "the write lock; a "
		    "writer waits for it");
}

static void read_locks_around_a_read_accuse_nobody(void **state)
{
	findings.other = NULL;
	locks[0].state = (struct go_lock_state){.hold = GO_LOCK_SHARED, .readers = 2};
	assert_says("2 read locks, no write lock");
}

static void who_has_it_is_not_said(void **state)
{
	locks[0].kind = GO_LOCK_MUTEX;
	locks[0].state = (struct go_lock_state){.hold = GO_LOCK_HELD, .waiters = 3};
	assert_says(
		"locked; by whom is not recorded: by one of the two sides at most; 3 wait for it");
}

static void beside_a_map_that_may_be_another_nothing_is_said(void **state)
{
	findings.map.sure = CONFIDENCE_LIKELY;
	read_locks();
	assert_int_equal(findings.map.lock_count, 0);
}

static void a_lock_by_two_ways_is_one(void **state)
{
	owners[0].lock_count = 2;
	owners[1] = (struct owner){.locks = locks + 1, .lock_count = 2};
	findings.map.owner_count = 2;
	read_locks();
	assert_int_equal(findings.map.lock_count, 3);
	assert_int_equal(findings.map.locks[2].lock->address, 0x1002);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		CASE(what_nobody_has_neither_side_has),
		CASE(of_who_is_not_seen_inside_nothing_is_said),
		CASE(nor_of_who_is_not_proven),
		CASE(read_locks_let_a_writer_in),
		CASE(also_one_that_noticed_itself),
		CASE(read_locks_around_a_read_accuse_nobody),
		CASE(who_has_it_is_not_said),
		CASE(beside_a_map_that_may_be_another_nothing_is_said),
		CASE(a_lock_by_two_ways_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
