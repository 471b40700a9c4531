// SPDX-License-Identifier: Apache-2.0
#include "cmocka_first.h"

#include "reproduce/local_types.h"

struct world {
	struct arena *arena;
	struct names *names;
	struct notes notes;
	struct local_types *types;
};

static void open_world(struct world *world)
{
	*world = (struct world){.arena = arena_new()};
	world->notes.arena = world->arena;
	world->names = names_new(world->arena);
	world->types = local_types_new(world->arena, world->names, &world->notes);
}

static void close_world(struct world *world)
{
	local_types_free(world->types);
	names_free(world->names);
	arena_free(world->arena);
}

/* What the type becomes in a program without imports. */
static void check(const char *type, const char *function, const char *expected)
{
	struct world world;
	const struct shape *shape;

	open_world(&world);
	shape = shape_parse(world.arena, type);
	assert_non_null(shape);
	assert_string_equal(local_types_text(world.types, shape, function), expected);
	close_world(&world);
}

static void types_are_rewritten(void **state)
{
	check("map[string]int", "", "map[string]int");
	check("map[int32][]uint8", "", "map[int32][]uint8");
	check("map[string]interface {}", "", "map[string]interface{}");
	check("map[string]interface { Close() error }", "", "map[string]interface{}");
	check("map[string]func(int, ...string) (bool, error)", "",
	      "map[string]func(int, ...string) (bool, error)");
	check("map[[4]uint8]*main.bucket", "", "map[[4]uint8]*bucket");
	check("map[string]struct { A int; B string \"json:\\\"b\\\"\" }", "",
	      "map[string]struct{ A int; B string }");
	check("map[string]struct { sync.Mutex; n int }", "",
	      "map[string]struct{ field0 Mutex; n int }");
	check("map[*main.client]struct {}", "", "map[*client]struct{}");
	check("map[string]<-chan int", "", "map[string]<-chan (int)");
	check("map[string]main.cache[string,main.token]", "", "map[string]cache");
	check("map[string]map[string]go", "", "map[string]map[string]go2");
}

static void unknown_keys_follow_the_runtimes_function(void **state)
{
	static const struct {
		const char *function, *declaration;
	} rows[] = {
		{"runtime.mapassign_faststr", "type id string\n\n"},
		{"runtime.mapaccess2_fast64", "type id int64\n\n"},
		{"runtime.mapassign_fast32", "type id int32\n\n"},
		{"runtime.mapassign", "type id struct{ n int64; s string }\n\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world world;

		open_world(&world);
		local_types_text(world.types, shape_parse(world.arena, "map[main.id]int"),
				 rows[i].function);
		assert_string_equal(local_types_declarations(world.types), rows[i].declaration);
		assert_int_equal(world.notes.count, 1);
		close_world(&world);
	}
}

static void keys_differ(void **state)
{
	static const struct {
		const char *type, *key;
	} rows[] = {
		{"int", "int(n)"},
		{"string", "string(strconv.Itoa(n))"},
		{"*int", "(*int)(new(int))"},
		{"interface {}", "interface{}(n)"},
		{"[4]uint8",
		 "[4]uint8{uint8(n), uint8((n >> 8)), uint8((n >> 16)), uint8((n >> 24))}"},
		{"struct { X int32; Y int32 }", "struct{ X int32; Y int32 }{int32(n), int32(n)}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world world;

		open_world(&world);
		assert_string_equal(
			local_types_key(world.types, shape_parse(world.arena, rows[i].type), "n"),
			rows[i].key);
		close_world(&world);
	}
}

static void what_is_no_type_is_refused(void **state)
{
	static const char *const bad[] = {"",        "map[string", "map[]int",
					  "[4",      "struct { a", "func(int",
					  "int int", "*",          "map[string]int; import \"os\"",
					  "[x]int",  "interface {"};
	char deep[200] = "";
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_null(shape_parse(arena, bad[i]));
	memset(deep, '*', 100);
	memcpy(deep + 100, "int", 4);
	assert_null(shape_parse(arena, deep));
	assert_false(shape_is_comparable(shape_parse(arena, "struct { a []int }")));
	assert_true(shape_is_comparable(shape_parse(arena, "struct { a [2]string }")));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_rewritten),
		cmocka_unit_test(unknown_keys_follow_the_runtimes_function),
		cmocka_unit_test(keys_differ),
		cmocka_unit_test(what_is_no_type_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
