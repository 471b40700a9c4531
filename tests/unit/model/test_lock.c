// SPDX-License-Identifier: Apache-2.0
// The locks in a struct: its own, those of structs in it, and those that it points to.
#include "model/data/lock.h"
#include "space.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct go_type mutex_type = {
	.size = 8, .kind = GO_KIND_STRUCT, .name = "sync.Mutex", .full_name = "sync.Mutex"};
static const struct go_type rwmutex_type = {
	.size = 24, .kind = GO_KIND_STRUCT, .name = "sync.RWMutex", .full_name = "sync.RWMutex"};
static const struct go_type mutex_pointer = {
	.size = 8, .pointer_bytes = 8, .kind = GO_KIND_POINTER, .elem = &mutex_type};
static const struct go_type map_type = {
	.size = 8, .pointer_bytes = 8, .kind = GO_KIND_MAP, .name = "map[int]int"};
static const struct go_type_field base_fields[] = {
	{.name = "RWMutex", .embedded = true, .offset = 0, .type = &rwmutex_type},
	{.name = "m", .offset = 24, .type = &map_type},
};
static const struct go_type base_type = {.size = 32,
					 .kind = GO_KIND_STRUCT,
					 .name = "main.base",
					 .full_name = "main.base",
					 .fields = base_fields,
					 .field_count = 2};
static const struct go_type_field server_fields[] = {
	{.name = "base", .embedded = true, .offset = 0, .type = &base_type},
	{.name = "unread", .offset = 32, .type = NULL},
	{.name = "mu", .offset = 40, .type = &mutex_type},
	{.name = "shared", .offset = 48, .type = &mutex_pointer},
};
static const struct go_type server_type = {.size = 56,
					   .kind = GO_KIND_STRUCT,
					   .name = "main.server",
					   .full_name = "main.server",
					   .fields = server_fields,
					   .field_count = 4};

static int make(void **state)
{
	static struct space space;

	space_init(&space, 22, GO_ARCH_AMD64);
	*state = &space;
	return 0;
}

static int drop(void **state)
{
	space_done(*state);
	return 0;
}

static void the_locks_of_a_struct(void **state)
{
	struct space *s = *state;
	uint64_t server = space_take(s, 64), other = space_take(s, 16);
	const struct lock *locks;

	space_u64(s, server + 16, 2);          // two readers
	space_u64(s, server + 40, 1 | 1 << 3); // taken, and one waits
	space_u64(s, server + 48, other);
	assert_int_equal(
		locks_in(&s->program, "srv", " (local of main.f)", &server_type, server, &locks),
		3);
	assert_string_equal(locks[0].path, "srv.base.RWMutex (local of main.f)");
	assert_int_equal(locks[0].kind, GO_LOCK_RWMUTEX);
	assert_int_equal(locks[0].address, server);
	assert_int_equal(locks[0].state.hold, GO_LOCK_SHARED);
	assert_int_equal(locks[0].state.readers, 2);
	assert_string_equal(locks[1].path, "srv.mu (local of main.f)");
	assert_int_equal(locks[1].state.hold, GO_LOCK_HELD);
	assert_int_equal(locks[1].state.waiters, 1);
	assert_int_equal(locks[2].address, other);
	assert_int_equal(locks[2].state.hold, GO_LOCK_FREE);
}

static void what_cannot_be_read_is_no_lock(void **state)
{
	struct space *s = *state;
	uint64_t server = space_take(s, 64);
	const struct lock *locks;

	space_u64(s, server + 16, 1u << 31 | 5); // no count of readers is so low
	space_u64(s, server + 48, 0x10);         // leads nowhere
	assert_int_equal(locks_in(&s->program, "srv", "", &server_type, server, &locks), 1);
	assert_string_equal(locks[0].path, "srv.mu");
	assert_int_equal(locks_in(&s->program, "m", "", &map_type, server, &locks), 0);
	assert_int_equal(locks_in(&s->program, "m", "", NULL, server, &locks), 0);
	assert_int_equal(locks_in(&s->program, "srv", "", &server_type, 0x10, &locks), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		CASE(the_locks_of_a_struct),
		CASE(what_cannot_be_read_is_no_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
