// SPDX-License-Identifier: Apache-2.0
#include "build_type.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/** Type data of one module, built piece by piece in the space. */
struct typed {
	struct space space;
	struct moduledata module;
	struct types *types;
};

static void typed_init(struct typed *t, int minor)
{
	space_init(&t->space, minor, GO_ARCH_AMD64);
	t->module = (struct moduledata){.types = SPACE_START, .etypes = SPACE_START + SPACE_BYTES};
	t->types =
		types_new(t->space.program.memory, t->space.program.layout, t->space.program.arena);
	types_add_module(t->types, &t->module);
}

static void typed_done(struct typed *t)
{
	types_free(t->types);
	space_done(&t->space);
}

/** type node struct { next *node; base }, type base struct { n, m int }: a circle. */
static uint64_t node_put(struct typed *t, uint64_t *ret_pointer)
{
	uint64_t word = type_put(&t->space, GO_KIND_INT, 8, "int", NULL);
	uint64_t base =
		type_put(&t->space, GO_KIND_STRUCT, 16, "config.base", "example.com/a/config");
	uint64_t node =
		type_put(&t->space, GO_KIND_STRUCT, 24, "config.node", "example.com/a/config");
	uint64_t pointer = type_put(&t->space, GO_KIND_POINTER, 8, "*config.node", NULL);
	uint64_t fields = space_take(&t->space, 2 * 24), inner = space_take(&t->space, 2 * 24);

	space_u64(&t->space, pointer + 48, node);
	space_u64(&t->space, base + 56, inner);
	space_u64(&t->space, base + 64, 2);
	field_put(&t->space, inner, "n", word, 0, false);
	field_put(&t->space, inner + 24, "m", word, 8, false);
	space_u64(&t->space, node + 56, fields);
	space_u64(&t->space, node + 64, 2);
	field_put(&t->space, fields, "next", pointer, 0, false);
	field_put(&t->space, fields + 24, "base", base, 8, true);
	*ret_pointer = pointer;
	return node;
}

static void test_circle(void **state)
{
	for (int minor = GO_MINOR_OLDEST; minor <= GO_MINOR_NEWEST; minor++) {
		const struct go_type *node, *part;
		char path[64] = "node";
		uint64_t pointer;
		struct typed t;

		typed_init(&t, minor);
		node = types_at(t.types, node_put(&t, &pointer));
		assert_non_null(node);
		assert_string_equal(node->name, "config.node");
		assert_string_equal(node->full_name, "example.com/a/config.node");
		assert_int_equal(node->field_count, 2);
		assert_ptr_equal(node->fields[0].type->elem, node);
		assert_string_equal(node->fields[0].type->full_name, "*example.com/a/config.node");
		assert_false(node->fields[0].embedded);
		assert_true(node->fields[1].embedded);
		assert_ptr_equal(types_at(t.types, pointer), node->fields[0].type);
		assert_true(go_type_path(node, 16, path, sizeof(path), &part));
		assert_string_equal(path, "node.base.m");
		assert_string_equal(part->name, "int");
		typed_done(&t);
	}
}

static uint64_t map_put(struct typed *t)
{
	uint64_t pointer, key = type_put(&t->space, GO_KIND_INT, 8, "int", NULL);
	uint64_t map = type_put(&t->space, GO_KIND_MAP, 8, "map[int]*config.node", NULL);

	node_put(t, &pointer);
	space_field(&t->space, map, GO_MAPTYPE_KEY, key, 8);
	space_field(&t->space, map, GO_MAPTYPE_ELEM, pointer, 8);
	map_shape_put(&t->space, map);
	return map;
}

static void test_map(void **state)
{
	for (int minor = GO_MINOR_OLDEST; minor <= GO_MINOR_NEWEST; minor++) {
		const struct go_type *map;
		struct typed t;

		typed_init(&t, minor);
		map = types_at(t.types, map_put(&t));
		assert_non_null(map);
		assert_string_equal(map->full_name, "map[int]*example.com/a/config.node");
		assert_string_equal(map->key->name, "int");
		assert_int_equal(map->map.swiss, minor >= 24);
		assert_false(map->map.indirect_key);
		assert_true(map->map.indirect_elem);
		assert_int_equal(map->map.bucket_size, minor < 24 ? 144 : 0);
		assert_int_equal(map->map.elems_offset, minor < 24 ? 0 : 16);
		assert_int_equal(map->map.elem_stride, minor < 24 ? 0 : 16);
		typed_done(&t);
	}
}

/** Not types: odd addresses, no kind, sizes that contradict, a map whose key leads nowhere. */
static void test_refuses(void **state)
{
	uint64_t map, pointer, node;
	struct typed t;

	typed_init(&t, 22);
	node = node_put(&t, &pointer);
	assert_null(types_at(t.types, node + 4));
	assert_null(types_at(t.types, SPACE_START));
	assert_null(types_at(t.types, 8));
	space_field(&t.space, node, GO_TYPE_PTRDATA, 1 << 20, 8);
	assert_null(types_at(t.types, node));
	assert_null(types_at(t.types, pointer));
	map = map_put(&t);
	space_field(&t.space, map, GO_MAPTYPE_KEY, 0x1234, 8);
	assert_null(types_at(t.types, map));
	typed_done(&t);
}

/** reflect.PtrTo of a pointer of a pointer ...: deeper than any name, and a pointer to itself. */
static void test_depth(void **state)
{
	const struct go_type *type;
	uint64_t at = 0, inner;
	struct typed t;

	typed_init(&t, 22);
	inner = type_put(&t.space, GO_KIND_INT, 8, "int", NULL);
	for (int i = 0; i < 200; i++, inner = at) {
		at = type_put(&t.space, GO_KIND_POINTER, 8, "*deep", NULL);
		space_u64(&t.space, at + 48, inner);
	}
	type = types_at(t.types, at);
	assert_non_null(type);
	for (int i = 0; i < 200; i++)
		type = type->elem;
	assert_string_equal(type->name, "int");
	at = type_put(&t.space, GO_KIND_POINTER, 8, "*self", NULL);
	space_u64(&t.space, at + 48, at);
	type = types_at(t.types, at);
	assert_ptr_equal(type->elem, type);
	typed_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_circle), cmocka_unit_test(test_map),
		cmocka_unit_test(test_refuses), cmocka_unit_test(test_depth)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
