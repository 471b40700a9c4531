// SPDX-License-Identifier: Apache-2.0
// Walks by type over a hand-made heap: paths, and what must not lead anywhere.
#include "model/data/reach.h"
#include "space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct go_type map_type = {
	.size = 8, .pointer_bytes = 8, .kind = GO_KIND_MAP, .name = "map[string]int"};
static struct go_type node_type, pointer_type, slice_type, array_type, maps_type, shelf_type;
static const struct go_type_field node_fields[] = {
	{.name = "next", .offset = 0, .type = &pointer_type},
	{.name = "entries", .offset = 8, .type = &map_type},
	{.name = "shards", .offset = 16, .type = &slice_type},
	{.name = "pair", .offset = 40, .type = &array_type},
};

static const struct go_type_field shelf_fields[] = {
	{.name = "rows", .offset = 0, .type = &maps_type}};

#define NODE_BYTES 56
#define MAP_AT     0xc0000ff000ull

static void types_init(void)
{
	node_type = (struct go_type){.size = NODE_BYTES,
				     .pointer_bytes = NODE_BYTES,
				     .kind = GO_KIND_STRUCT,
				     .name = "main.node",
				     .full_name = "example.com/x/main.node",
				     .fields = node_fields,
				     .field_count = 4};
	pointer_type = (struct go_type){
		.size = 8, .pointer_bytes = 8, .kind = GO_KIND_POINTER, .elem = &node_type};
	slice_type = (struct go_type){
		.size = 24, .pointer_bytes = 8, .kind = GO_KIND_SLICE, .elem = &pointer_type};
	array_type = (struct go_type){.size = 16,
				      .pointer_bytes = 16,
				      .kind = GO_KIND_ARRAY,
				      .elem = &map_type,
				      .length = 2};
	maps_type = (struct go_type){
		.size = 24, .pointer_bytes = 8, .kind = GO_KIND_SLICE, .elem = &map_type};
	shelf_type = (struct go_type){.size = 24,
				      .pointer_bytes = 8,
				      .kind = GO_KIND_STRUCT,
				      .name = "main.shelf",
				      .full_name = "main.shelf",
				      .fields = shelf_fields,
				      .field_count = 1};
}

struct hit {
	uint64_t target, word;
	char path[128], holder[64];
	unsigned hops, visits;
};

static bool look(struct reach *reach, const struct reach_edge *edge, void *context)
{
	struct hit *hit = context;

	hit->visits++;
	if (edge->target != hit->target)
		return true;
	hit->word = edge->word;
	hit->hops = edge->hops;
	snprintf(hit->path, sizeof(hit->path), "%s", reach_path(reach));
	snprintf(hit->holder, sizeof(hit->holder), "%s", edge->holder);
	return false;
}

static struct hit walk(struct space *space, const struct go_type *type, uint64_t root)
{
	struct hit hit = {.target = MAP_AT};
	scoped(reach) struct reach *reach = reach_new(&space->program, look, &hit);

	reach_root(reach, "main.root", "", "global", type, root);
	assert_true(reach_walk(reach));
	return hit;
}

static int make(void **state)
{
	types_init();
	*state = malloc(sizeof(struct space));
	space_init(*state, 22, GO_ARCH_AMD64);
	return 0;
}

static int drop(void **state)
{
	space_done(*state);
	free(*state);
	return 0;
}

static void put(struct space *space, uint64_t address, uint64_t value)
{
	space_write(space, address, &value, sizeof(value));
}

static void through_pointers(void **state)
{
	struct space *space = *state;
	uint64_t root = space_take(space, 8), a = space_take(space, NODE_BYTES),
		 b = space_take(space, NODE_BYTES);

	put(space, root, a);
	put(space, a, b);
	put(space, b + 8, MAP_AT);

	struct hit hit = walk(space, &pointer_type, root);

	assert_string_equal(hit.path, "main.root.next.entries");
	assert_string_equal(hit.holder, "example.com/x/main.node");
	assert_int_equal(hit.word, b + 8);
	assert_int_equal(hit.hops, 2);
}

static void through_slice_and_array(void **state)
{
	struct space *space = *state;
	uint64_t root = space_take(space, NODE_BYTES), list = space_take(space, 3 * 8),
		 a = space_take(space, NODE_BYTES);

	put(space, root + 16, list);
	put(space, root + 24, 3);
	put(space, root + 32, 3);
	put(space, list + 16, a);
	put(space, a + 48, MAP_AT);
	assert_string_equal(walk(space, &node_type, root).path, "main.root.shards[2].pair[1]");
}

static uint64_t shelf_with_map(struct space *space)
{
	uint64_t shelf = space_take(space, 24), rows = space_take(space, 16);

	put(space, shelf, rows);
	put(space, shelf + 8, 2);
	put(space, shelf + 16, 2);
	put(space, rows + 8, MAP_AT);
	return shelf;
}

static void elements_are_their_struct_s(void **state)
{
	struct space *space = *state;
	struct hit hit = walk(space, &shelf_type, shelf_with_map(space));

	assert_string_equal(hit.path, "main.root.rows[1]");
	assert_string_equal(hit.holder, "main.shelf");
}

static void pointer_leaves_the_struct(void **state)
{
	struct space *space = *state;
	uint64_t root = space_take(space, NODE_BYTES), a = space_take(space, 8);
	struct go_type to_map = {
		.size = 8, .pointer_bytes = 8, .kind = GO_KIND_POINTER, .elem = &map_type};
	struct go_type_field field = {.name = "next", .type = &to_map};
	struct go_type box = {.size = 8,
			      .pointer_bytes = 8,
			      .kind = GO_KIND_STRUCT,
			      .full_name = "main.box",
			      .fields = &field,
			      .field_count = 1};

	put(space, root, a);
	put(space, a, MAP_AT);
	assert_string_equal(walk(space, &box, root).holder, "");
}

static void runtime_owns_nothing(void **state)
{
	struct space *space = *state;
	uint64_t shelf = shelf_with_map(space);

	shelf_type.full_name = "runtime._defer";
	assert_int_equal(walk(space, &shelf_type, shelf).word, 0);
	shelf_type.full_name = "k8s.io/apimachinery/pkg/runtime.Scheme";
	assert_int_not_equal(walk(space, &shelf_type, shelf).word, 0);
}

static void shortest_wins(void **state)
{
	struct space *space = *state;
	uint64_t root = space_take(space, NODE_BYTES), a = space_take(space, NODE_BYTES);

	put(space, root, a);
	put(space, a + 8, MAP_AT);
	put(space, root + 40, MAP_AT);
	assert_string_equal(walk(space, &node_type, root).path, "main.root.pair[0]");
}

static void circles_end(void **state)
{
	struct space *space = *state;
	uint64_t a = space_take(space, NODE_BYTES), b = space_take(space, NODE_BYTES);

	put(space, a, b);
	put(space, b, a);

	struct hit hit = walk(space, &node_type, a);

	assert_int_equal(hit.word, 0);
	assert_true(hit.visits <= 3);
}

static void nonsense_leads_nowhere(void **state)
{
	struct space *space = *state;
	uint64_t root = space_take(space, NODE_BYTES);

	put(space, root, 0x1234567890abcdefull); // not dumped
	put(space, root + 16, SPACE_START + SPACE_BYTES - 8);
	put(space, root + 24, UINT64_MAX); // length of the slice
	assert_int_equal(walk(space, &node_type, root).word, 0);
	assert_int_equal(walk(space, &node_type, UINT64_MAX - 7).word, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(through_pointers, make, drop),
		cmocka_unit_test_setup_teardown(through_slice_and_array, make, drop),
		cmocka_unit_test_setup_teardown(elements_are_their_struct_s, make, drop),
		cmocka_unit_test_setup_teardown(pointer_leaves_the_struct, make, drop),
		cmocka_unit_test_setup_teardown(runtime_owns_nothing, make, drop),
		cmocka_unit_test_setup_teardown(shortest_wins, make, drop),
		cmocka_unit_test_setup_teardown(circles_end, make, drop),
		cmocka_unit_test_setup_teardown(nonsense_leads_nowhere, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
