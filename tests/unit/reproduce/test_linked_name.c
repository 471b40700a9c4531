// SPDX-License-Identifier: Apache-2.0
#include "cmocka_first.h"

#include "reproduce/linked_name.h"

static void names_come_apart(void **state)
{
	static const struct {
		const char *name, *package, *receiver, *function;
		bool pointer, closure;
	} rows[] = {
		{"main.put", "main", "", "put", false, false},
		{"main.(*store).get", "main", "store", "get", true, false},
		{"example.com/a.b/cart.Store.Put", "example.com/a.b/cart", "Store", "Put", false,
		 false},
		{"main.collect.func1", "main", "", "collect", false, true},
		{"main.(*store).watch.func2.1", "main", "store", "watch", true, true},
		{"main.main.gowrap1", "main", "", "main", false, false},
		{"main.(*cache[go.shape.string,go.shape.struct { a.b int }]).get", "main", "cache",
		 "get", true, false},
		{"maps.Clone[go.shape.map[string]float64]", "maps", "", "Clone", false, false},
		{"gopkg.in/ini%2ev1.(*Section).NewKey", "gopkg.in/ini%2ev1", "Section", "NewKey",
		 true, false},
		{"main.init.0", "main", "", "init", false, false},
		{"main.(*store).get-fm", "main", "store", "get", true, false},
		{"", "", "", "", false, false},
		{"main.(*store", "main", "store", "", true, false},
	};
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct linked_name name = linked_name_parse(arena, rows[i].name);

		assert_string_equal(name.package, rows[i].package);
		assert_string_equal(name.receiver, rows[i].receiver);
		assert_string_equal(name.function, rows[i].function);
		assert_int_equal(name.pointer, rows[i].pointer);
		assert_int_equal(name.closure, rows[i].closure);
	}
	arena_free(arena);
}

static void the_library_is_known_by_its_path(void **state)
{
	assert_true(linked_name_is_standard("encoding/json"));
	assert_true(linked_name_is_standard("runtime"));
	assert_false(linked_name_is_standard("main"));
	assert_false(linked_name_is_standard("example.com/json"));
	assert_false(linked_name_is_standard(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_apart),
		cmocka_unit_test(the_library_is_known_by_its_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
