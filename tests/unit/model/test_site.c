// SPDX-License-Identifier: Apache-2.0
// Map operations in a made program's code: where they stand, on which type, from where the map
// comes, and what is next to them but is none.
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "build_program.h"

static struct made made;

struct scene {
	uint64_t put, get, idle, assign, access, type, global;
	uint64_t put_returns, get_returns;
};

/*
 * main.put: a call of mapassign_fast64 on the map in a variable, at +0x10.
 * main.get: one of mapaccess1_fast64 on a field of what RCX points to, at +0x20; then a call of
 * main.put, and a jump to it.
 */
static struct scene scene_open(void)
{
	struct scene s = {0};

	made_init(&made, 24, GO_ARCH_AMD64);
	s.put = made_function(&made, "main.put", 32);
	s.get = made_function(&made, "main.get", 32);
	s.idle = made_function(&made, "main.idle", 0);
	s.assign = made_function(&made, "runtime.mapassign_fast64", 32);
	s.access = made_function(&made, "runtime.mapaccess1_fast64", 32);
	s.type = made_map_type(&made, "map[int]int");
	s.global = made_variable(&made, 0);
	s.put_returns = made_map_call(&made, s.put + 0x10, s.assign, s.type, s.global);
	s.get_returns = made_field_call(&made, s.get + 0x20, s.access, s.type, 0x18);
	made_call(&made, s.get + 0x60, s.put);
	made_jump(&made, s.get + 0x70, s.put);
	made_open(&made);
	return s;
}

static struct sites *sites(void) { return made.space.program.sites; }

static struct go_function function_at(uint64_t entry)
{
	struct go_function f;
	uint32_t table;

	assert_true(program_function(&made.space.program, entry, &f, &table));
	return f;
}

static void a_call_on_a_variable(void **state)
{
	struct scene s = scene_open();
	struct go_function f = function_at(s.put);
	size_t count;
	const struct map_site *found = sites_in(sites(), &f, &count);

	assert_int_equal(count, 1);
	assert_int_equal(found->return_pc, s.put_returns);
	assert_int_equal(found->call_pc, s.put_returns - 5); /* E8 and four bytes */
	assert_string_equal(found->function->name, "runtime.mapassign_fast64");
	assert_int_equal(found->source.kind, MAP_SOURCE_GLOBAL);
	assert_int_equal(found->source.address, s.global);
	assert_non_null(found->type);
	assert_int_equal(found->type->address, s.type);
	assert_int_equal(found->caller.entry, s.put);
	made_done(&made);
}

static void a_call_on_a_field(void **state)
{
	struct scene s = scene_open();
	struct go_function f = function_at(s.get);
	size_t count;
	const struct map_site *found = sites_in(sites(), &f, &count);

	assert_int_equal(count, 1);
	assert_int_equal(found->source.kind, MAP_SOURCE_FIELD);
	assert_int_equal(found->source.offset, 0x18);
	assert_int_equal(found->source.address, 0);
	made_done(&made);
}

static void by_return_address(void **state)
{
	struct scene s = scene_open();
	uint64_t target;

	assert_ptr_not_equal(sites_returning_to(sites(), s.put_returns), NULL);
	assert_null(sites_returning_to(sites(), s.put_returns - 1));
	assert_null(sites_returning_to(sites(), s.get + 0x65)); /* a call, of no map function */
	assert_null(sites_returning_to(sites(), s.idle + 0x10));
	assert_null(sites_returning_to(sites(), 0));
	assert_null(sites_returning_to(sites(), UINT64_MAX));
	assert_true(sites_is_return_address(sites(), s.get + 0x65, &target));
	assert_int_equal(target, s.put);
	assert_true(sites_is_call_boundary(sites(), s.get + 0x65, &target));
	assert_int_equal(target, s.put);
	assert_false(sites_is_call_boundary(sites(), s.get + 0x66, &target));
	made_done(&made);
}

static void callees_without_repeats(void **state)
{
	struct scene s = scene_open();
	struct go_function f = function_at(s.get);
	size_t count;
	const uint64_t *callees = sites_callees(sites(), &f, &count);

	assert_int_equal(count, 2);
	assert_int_equal(callees[0], s.access);
	assert_int_equal(callees[1], s.put);
	f = function_at(s.idle);
	sites_callees(sites(), &f, &count);
	assert_int_equal(count, 0);
	made_done(&made);
}

static void data_that_code_names(void **state)
{
	struct scene s = scene_open();
	struct go_function f = function_at(s.put);
	size_t count;
	const uint64_t *references = sites_data_references(sites(), &f, &count);

	assert_int_equal(count, 2);
	assert_int_equal(references[0], s.type);
	assert_int_equal(references[1], s.global);
	made_done(&made);
}

struct visits {
	uint64_t pcs[4];
	size_t count;
};

static void visit(const struct map_site *site, void *context)
{
	struct visits *visits = context;

	assert_true(visits->count < 4);
	visits->pcs[visits->count++] = site->call_pc;
}

static void all_in_address_order(void **state)
{
	struct scene s = scene_open();
	struct visits visits = {0};

	sites_each(sites(), visit, &visits);
	assert_int_equal(visits.count, 2);
	assert_int_equal(visits.pcs[0], s.put_returns - 5);
	assert_int_equal(visits.pcs[1], s.get_returns - 5);
	made_done(&made);
}

static void what_a_call_finds(void **state)
{
	struct scene s = scene_open();
	struct flow_call call;

	assert_true(sites_call_returning_to(sites(), s.put_returns, &call));
	assert_int_equal(call.operation.value, s.assign);
	assert_int_equal(call.state.registers[0].kind, FLOW_CONSTANT); /* RAX */
	assert_int_equal(call.state.registers[0].number, s.type);
	assert_int_equal(call.state.registers[3].kind, FLOW_LOADED); /* RBX */
	assert_int_equal(call.state.registers[3].number, s.global);
	assert_false(sites_call_returning_to(sites(), s.put_returns + 1, &call));
	assert_false(sites_call_returning_to(sites(), 0x10, &call));
	made_done(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_on_a_variable), cmocka_unit_test(a_call_on_a_field),
		cmocka_unit_test(by_return_address),    cmocka_unit_test(callees_without_repeats),
		cmocka_unit_test(data_that_code_names), cmocka_unit_test(all_in_address_order),
		cmocka_unit_test(what_a_call_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
