// SPDX-License-Identifier: Apache-2.0
// The map functions: order of the table, and signatures as the sources declare them.
// clang-format off: cmocka needs these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "golang/map_function.h"

static void sorted_and_found(void **state)
{
	size_t n = 0;
	const struct go_map_function *all = go_map_functions(&n);

	assert_true(n > 100);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			assert_true(strcmp(all[i - 1].name, all[i].name) < 0);
		assert_ptr_equal(go_map_function_find(all[i].name), &all[i]);
	}
	assert_null(go_map_function_find("runtime.mapassign_fast"));
	assert_null(go_map_function_find("main.main"));
	assert_null(go_map_function_find(""));
}

static void assert_function(const char *name, enum map_operation operation, int type, int map,
			    int iterator, bool user_facing)
{
	const struct go_map_function *function = go_map_function_find(name);

	assert_non_null(function);
	assert_int_equal(function->operation, operation);
	assert_int_equal(function->type_argument, type);
	assert_int_equal(function->map_argument, map);
	assert_int_equal(function->iter_argument, iterator);
	assert_int_equal(function->user_facing, user_facing);
}

static void signatures(void **state)
{
	assert_function("runtime.mapaccess2_faststr", MAP_READ, 0, 1, -1, true);
	assert_function("runtime.mapassign_fast64", MAP_ASSIGN, 0, 1, -1, true);
	assert_function("runtime.mapiterinit", MAP_ITERATE, 0, 1, 2, true);
	assert_function("runtime.mapiternext", MAP_ITERATE, -1, -1, 0, true);
	assert_function("runtime.mapIterStart", MAP_ITERATE, 0, 1, 2, true);
	assert_function("runtime.evacuate_fast32", MAP_GROW, 0, 1, -1, false);
	assert_function("runtime.(*hmap).newoverflow", MAP_GROW, 1, 0, -1, false);
	assert_function("runtime.makemap_small", MAP_MAKE, -1, -1, -1, true);
	assert_function("reflect.mapassign", MAP_ASSIGN, 0, 1, -1, true);
	assert_function("reflect.mapclear", MAP_CLEAR, 0, 1, -1, true);
	assert_function("internal/runtime/maps.(*Map).Delete", MAP_DELETE, 1, 0, -1, false);
	assert_function("internal/runtime/maps.(*Map).Clone", MAP_CLONE, 1, 0, -1, false);
	assert_function("internal/runtime/maps.(*Iter).Init", MAP_ITERATE, 1, 2, 0, false);
	assert_function("internal/runtime/maps.(*Iter).Next", MAP_ITERATE, -1, -1, 0, false);
	assert_function("internal/runtime/maps.(*table).rehash", MAP_GROW, 1, 2, -1, false);
}

static void operations(void **state)
{
	assert_string_equal(map_operation_name(MAP_READ), "read");
	assert_string_equal(map_operation_name(MAP_GROW), "grow");
	assert_true(map_operation_writes(MAP_ASSIGN));
	assert_true(map_operation_writes(MAP_DELETE));
	assert_true(map_operation_writes(MAP_CLEAR));
	assert_true(map_operation_writes(MAP_GROW));
	assert_false(map_operation_writes(MAP_READ));
	assert_false(map_operation_writes(MAP_ITERATE));
	assert_false(map_operation_writes(MAP_CLONE));
	assert_false(map_operation_writes(MAP_MAKE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted_and_found),
		cmocka_unit_test(signatures),
		cmocka_unit_test(operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
