// SPDX-License-Identifier: Apache-2.0
// The words of locks, as the methods of sync.Mutex and sync.RWMutex leave them.
#include "golang/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MAX_READERS (1 << 30)

static struct go_lock_state mutex(uint32_t state)
{
	const uint32_t words[] = {state, 0};
	struct go_lock_state ret;

	assert_true(go_lock_read(GO_LOCK_MUTEX, (const uint8_t *)words, &ret));
	return ret;
}

/** The inner mutex, as a writer has it, says nothing by itself. */
static bool rwmutex(int32_t readers, int32_t departing, struct go_lock_state *ret)
{
	const int32_t words[] = {readers < 0, 0, 0, 0, readers, departing};

	return go_lock_read(GO_LOCK_RWMUTEX, (const uint8_t *)words, ret);
}

static void a_mutex(void **state)
{
	assert_int_equal(mutex(0).hold, GO_LOCK_FREE);
	assert_int_equal(mutex(1).hold, GO_LOCK_HELD);
	assert_int_equal(mutex(1).waiters, 0);
	assert_int_equal(mutex(1 | 3 << 3).waiters, 3);
	assert_int_equal(mutex(2 | 1 << 3).hold, GO_LOCK_FREE); // let go of, the next one was woken
	assert_int_equal(mutex(1 | 4 | 2 << 3).waiters, 2);     // starving
}

static void an_rwmutex(void **state)
{
	struct go_lock_state found;

	assert_true(rwmutex(0, 0, &found));
	assert_int_equal(found.hold, GO_LOCK_FREE);
	assert_true(rwmutex(2, 0, &found));
	assert_int_equal(found.hold, GO_LOCK_SHARED);
	assert_int_equal(found.readers, 2);
	assert_false(found.writer_waits);
	assert_true(rwmutex(-MAX_READERS, 0, &found));
	assert_int_equal(found.hold, GO_LOCK_HELD);
	assert_true(rwmutex(3 - MAX_READERS, 0, &found)); // three readers wait for the writer
	assert_int_equal(found.hold, GO_LOCK_HELD);
	assert_true(rwmutex(3 - MAX_READERS, 2,
			    &found)); // the writer waits for two that were there before
	assert_int_equal(found.hold, GO_LOCK_SHARED);
	assert_int_equal(found.readers, 2);
	assert_true(found.writer_waits);
}

static void what_no_lock_looks_like_is_refused(void **state)
{
	struct go_lock_state found;

	assert_false(rwmutex(-MAX_READERS - 1, 0, &found));
	assert_false(rwmutex(MAX_READERS, 0, &found));
	assert_false(rwmutex(-1, MAX_READERS, &found));
	assert_false(go_lock_read(GO_LOCK_NONE, (const uint8_t *)"", &found));
}

static void locks_are_known_by_type_and_size(void **state)
{
	assert_int_equal(go_lock_kind("sync.Mutex", 8), GO_LOCK_MUTEX);
	assert_int_equal(go_lock_kind("internal/sync.Mutex", 8), GO_LOCK_MUTEX);
	assert_int_equal(go_lock_kind("sync.RWMutex", 24), GO_LOCK_RWMUTEX);
	assert_int_equal(go_lock_kind("sync.RWMutex", 32), GO_LOCK_NONE); // of a release to come
	assert_int_equal(go_lock_kind("main.Mutex", 8), GO_LOCK_NONE);
	assert_string_equal(go_lock_kind_name(GO_LOCK_MUTEX), "sync.Mutex");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mutex),
		cmocka_unit_test(an_rwmutex),
		cmocka_unit_test(what_no_lock_looks_like_is_refused),
		cmocka_unit_test(locks_are_known_by_type_and_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
