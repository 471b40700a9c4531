// SPDX-License-Identifier: Apache-2.0
// What a program without debug information tells of who holds a map.
#include "build_program.h"

#include "model/data/holder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OWNERS_MAX 4

static struct made made;
static uint64_t map, word;
static struct owner owners[OWNERS_MAX];
static const struct map_site *site;

/** MOV 0x18(RAX), RBX before the type is loaded: RAX is the first argument still. */
static void put_receiver_read(uint64_t pc, uint64_t access, uint64_t type, uint8_t from)
{
	const uint8_t load[] = {0x48, 0x8b, from, 0x18};

	space_write(&made.space, pc, load, sizeof(load));
	made_map_call(&made, pc + sizeof(load), access, type, 0);
}

enum { FROM_RAX = 0x58, FROM_RCX = 0x59 };

static size_t owners_after(const char *function, uint8_t from)
{
	struct go_function f;
	uint64_t access, get, type;
	uint32_t table;
	size_t count;

	made_init(&made, 22, GO_ARCH_AMD64);
	access = made_function(&made, "runtime.mapaccess1_fast64", 32);
	get = made_function(&made, function, 64);
	type = made_map_type(&made, "map[int]int");
	map = made_map(&made);
	word = made_variable(&made, map);
	put_receiver_read(get + 0x20, access, type, from);
	made_open(&made);
	made.module.etypes = made.module.types; // the variables lie within; types are not searched
	assert_true(program_function(&made.space.program, get, &f, &table));
	site = sites_in(made.space.program.sites, &f, &count);
	assert_int_equal(count, 1);
	return owners_of(&made.space.program, map, site->type, site, owners, OWNERS_MAX);
}

static void assert_holder(const char *function, uint8_t from, const char *holder)
{
	assert_int_equal(owners_after(function, from), 1);
	assert_int_equal(owners[0].word, word);
	assert_string_equal(owners[0].holder_type, holder);
	made_done(&made);
}

static void the_method_that_used_it_names_the_receiver(void **state)
{
	assert_holder("example.com/x.(*table).get", FROM_RAX, "example.com/x.table");
	assert_holder("main.(*table[go.shape.int]).get", FROM_RAX, "main.table[...]");
}

static void other_code_names_nobody(void **state)
{
	assert_holder("main.(*table).get", FROM_RCX, ""); // loaded from another pointer
	assert_holder("main.(*table).get.func1", FROM_RAX,
		      ""); // a closure: its context is elsewhere
	assert_holder("main.get", FROM_RAX, "");
}

/** Without memory the code alone says whose field it is; where it is nobody's, nobody is named. */
static void the_code_alone_names_the_field(void **state)
{
	struct owner owner;

	owners_after("main.(*store).get", FROM_RAX);
	assert_true(holder_by_code(&made.space.program, site, &owner));
	assert_string_equal(owner.path, "main.store, the field at +24");
	assert_string_equal(owner.holder_type, "main.store");
	assert_int_equal(owner.word, 0);
	made_done(&made);
	owners_after("main.(*store).get", FROM_RCX);
	assert_false(holder_by_code(&made.space.program, site, &owner));
	assert_false(holder_by_code(&made.space.program, NULL, &owner));
	made_done(&made);
}

/** "struct { hits int; items M }" and its pointer; the pointer's descriptor. */
static uint64_t put_instance(const char *name, const char *pointer_name, uint64_t map_type)
{
	struct space *s = &made.space;
	uint64_t type = type_put(s, GO_KIND_STRUCT, 16, name, "main"),
		 pointer = type_put(s, GO_KIND_POINTER, 8, pointer_name, NULL),
		 hits = type_put(s, GO_KIND_INT, 8, "int", NULL), fields = space_take(s, 2 * 24);

	space_u64(s, pointer + 48, type);
	space_u64(s, type + 56, fields);
	space_u64(s, type + 64, 2);
	field_put(s, fields, "hits", hits, 0, false);
	field_put(s, fields + 24, "items", map_type, 8, false);
	return pointer;
}

/** The detector runs a method of main.cache[...], which stands among the variables; of two instances one has such a map. */
static void an_instance_has_the_map_that_was_used(void **state)
{
	struct moduledata list;
	uint64_t get, used, instances[2], links, object;
	size_t detector;

	made_init(&made, 22, GO_ARCH_AMD64);
	get = made_function(&made, "main.(*cache[go.shape.int]).get", 64);
	used = made_map_type(&made, "map[int]int");
	instances[0] = put_instance("main.cache[uint]", "*main.cache[uint]",
				    made_map_type(&made, "map[int]uint"));
	instances[1] = put_instance("main.cache[int]", "*main.cache[int]", used);
	links = space_take(&made.space, 8);
	for (unsigned i = 0; i < 2; i++)
		space_write(&made.space, links + 4 * i,
			    &(uint32_t){(uint32_t)(instances[i] - SPACE_START)}, 4);
	map = made_map(&made);
	object = made_variable(&made, 0);
	word = made_variable(&made, map);
	made_variable(&made, object);
	made_open(&made);
	detector = made_goroutine(&made, 7, GO_STATUS_RUNNABLE, get);
	made_push(&made, detector, get + 0x20);
	made_read(&made);
	made_goroutine_of(&made, 7)->detector = true;
	list = made.module;
	list.typelinks = links;
	list.typelink_count = 2;
	types_add_module(made.space.program.types, &list);
	made.module.etypes = made.module.types;
	assert_true(owners_of(&made.space.program, map, types_at(made.space.program.types, used),
			      NULL, owners, OWNERS_MAX) > 0);
	assert_string_equal(owners[0].path, "main.cache[int].items");
	assert_int_equal(owners[0].word, word);
	assert_true(owners_of(&made.space.program, map, NULL, NULL, owners, OWNERS_MAX) > 0);
	assert_string_equal(owners[0].holder_type, ""); // the map's type alone tells them apart
	made_done(&made);
}

/**
 * A struct among the variables, 0x18 bytes into which the map stands: a method of main.table, which uses a map there, is called
 * on it, or on @a target.
 */
static void owners_of_called(uint64_t (*target)(uint64_t object))
{
	uint64_t access, get, work, type, object;
	size_t count;

	made_init(&made, 22, GO_ARCH_AMD64);
	access = made_function(&made, "runtime.mapaccess1_fast64", 32);
	get = made_function(&made, "main.(*table).get", 64);
	work = made_function(&made, "main.work", 64);
	type = made_map_type(&made, "map[int]int");
	map = made_map(&made);
	object = made_variable(&made, 1);
	made_variable(&made, 2);
	made_variable(&made, 3);
	word = made_variable(&made, map);
	put_receiver_read(get + 0x20, access, type, FROM_RAX);
	made_address(&made, work + 0x20, target(object));
	made_call(&made, work + 0x27, get);
	made_open(&made);
	made.module.etypes = made.module.types;
	count = owners_of(&made.space.program, map, types_at(made.space.program.types, type), NULL,
			  owners, OWNERS_MAX);
	assert_int_equal(count, 1);
	assert_int_equal(owners[0].word, word);
}

static uint64_t the_object(uint64_t object) { return object; }
static uint64_t the_next_word(uint64_t object) { return object + 8; }

/** Nobody need stand in a method, and no descriptor tells the type: that its methods are called on it is enough. */
static void a_method_that_is_called_on_it_names_it(void **state)
{
	owners_of_called(the_object);
	assert_string_equal(owners[0].path, "main.table, the field at +24");
	assert_string_equal(owners[0].holder_type, "main.table");
	made_done(&made);
	owners_of_called(the_next_word); // a table has its map somewhere else
	assert_string_equal(owners[0].holder_type, "");
	made_done(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_alone_names_the_field),
		cmocka_unit_test(the_method_that_used_it_names_the_receiver),
		cmocka_unit_test(other_code_names_nobody),
		cmocka_unit_test(an_instance_has_the_map_that_was_used),
		cmocka_unit_test(a_method_that_is_called_on_it_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
