// SPDX-License-Identifier: Apache-2.0
// Where methods stand in itabs, of the linker's list (to Go 1.26) and of its table (since).
#include "build_program.h"

#include "model/code/itab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct made made;
static uint64_t get, put;

static uint64_t words(size_t count)
{
	uint64_t first = made_variable(&made, 0);

	for (size_t i = 1; i < count; i++)
		assert_int_equal(made_variable(&made, 0), first + 8 * i);
	return first;
}

static int32_t at(enum go_field field) { return made.space.program.layout->offset[field]; }

/** Fills in an itab for an interface of @a methods methods. */
static void itab(uint64_t itab, uint64_t interface, uint64_t methods)
{
	space_field(&made.space, itab, GO_ITAB_INTER, interface, 8);
	space_field(&made.space, interface, GO_INTERFACETYPE_METHODS, 0, 8);
	space_u64(&made.space, interface + (uint64_t)at(GO_INTERFACETYPE_METHODS) + 8, methods);
}

static int make(void **state)
{
	made_init(&made, 22, GO_ARCH_AMD64);
	get = made_function(&made, "main.(*store).get", 64);
	put = made_function(&made, "main.(*store).put", 64);
	made_open(&made);
	return 0;
}

static int drop(void **state)
{
	made_done(&made);
	return 0;
}

static void assert_slot(const struct itabs *itabs, uint64_t entry, unsigned method)
{
	size_t count;
	const struct itab_slot *slots = itabs_slots_of(itabs, entry, &count);

	assert_int_equal(count, 1);
	assert_int_equal(slots[0].offset, at(GO_ITAB_FUN) + 8 * (int64_t)method);
	assert_true(itabs_is_method(itabs, slots[0].offset));
}

static void each_method_has_its_place(void **state)
{
	uint64_t interface = words(10), first = words(6), links = words(3);
	struct itabs *itabs;
	size_t count;

	itab(first, interface, 2);
	space_u64(&made.space, first + (uint64_t)at(GO_ITAB_FUN), get);
	space_u64(&made.space, first + (uint64_t)at(GO_ITAB_FUN) + 8, put);
	space_u64(&made.space, links + 8, first); // the word before it is empty
	space_u64(&made.space, links + 16, first);
	made.module.itablinks = links;
	made.module.itablink_count = 3;
	itabs = itabs_new(&made.space.program);
	assert_slot(itabs, get, 0);
	assert_slot(itabs, put, 1);
	itabs_slots_of(itabs, put + 1, &count);
	assert_int_equal(count, 0);
	itabs_free(itabs);
}

static void itabs_stand_one_after_another(void **state)
{
	uint64_t interface = words(10), wide = words(10), first = words(9);
	uint64_t second = first + (uint64_t)at(GO_ITAB_FUN) + 8;
	struct itabs *itabs;

	itab(first, interface, 0); // room for one method is always there
	itab(second, wide, 2);
	space_u64(&made.space, second + (uint64_t)at(GO_ITAB_FUN) + 8, put);
	made.module.itabs = first;
	made.module.itabs_end = second + (uint64_t)at(GO_ITAB_FUN) + 16;
	itabs = itabs_new(&made.space.program);
	assert_slot(itabs, put, 1);
	itabs_free(itabs);
}

static void a_count_that_cannot_be_is_bounded(void **state)
{
	uint64_t interface = words(10), first = words(6), links = words(1);
	struct itabs *itabs;

	itab(first, interface, UINT64_MAX);
	space_u64(&made.space, first + (uint64_t)at(GO_ITAB_FUN), get);
	space_u64(&made.space, links, first);
	made.module.itablinks = links;
	made.module.itablink_count = UINT64_MAX / 8; // memory ends long before
	itabs = itabs_new(&made.space.program);
	assert_slot(itabs, get, 0);
	assert_false(itabs_is_method(itabs, 0));
	assert_false(itabs_is_method(itabs, at(GO_ITAB_FUN) + 4));
	itabs_free(itabs);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(each_method_has_its_place),
		TEST(itabs_stand_one_after_another),
		TEST(a_count_that_cannot_be_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
