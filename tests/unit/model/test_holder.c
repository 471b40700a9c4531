// SPDX-License-Identifier: Apache-2.0
// What a program without debug information tells of who holds a map.
#include "build_program.h"

#include "model/holder.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_alone_names_the_field),
		cmocka_unit_test(the_method_that_used_it_names_the_receiver),
		cmocka_unit_test(other_code_names_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
