// SPDX-License-Identifier: Apache-2.0
// Who can run a function: what the code's `go` statements say, and when they leave it open.
#include "build_program.h"

#include "model/code/origin.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RET 0xc3

static struct made made;
static uint64_t runtime_main, main_main, newproc, put, task, initializer, method, fallback;
static struct callers *callers;
static struct origins *origins;
static const struct origin *found;
static size_t count;

/** runtime.main calls main.main, which starts main.task with a `go` statement, which calls main.put. */
static int make(void **state)
{
	made_init(&made, 22, GO_ARCH_AMD64);
	runtime_main = made_function(&made, "runtime.main", 32);
	newproc = made_function(&made, "runtime.newproc", 32);
	main_main = made_function(&made, "main.main", 32);
	task = made_function(&made, "main.task", 32);
	put = made_function(&made, "main.put", 32);
	initializer = made_function(&made, "main.init.0", 32);
	fallback = made_function(&made, "main.fallback", 32);
	method = made_function(&made, "main.other", 32);
	made_address(&made, runtime_main + 0x20, main_main);
	made_address(&made, main_main + 0x20, task);
	made_call(&made, main_main + 0x30, newproc);
	made_call(&made, task + 0x20, put);
	space_u8(&made.space, task + 0xa0, RET);
	callers = NULL;
	return 0;
}

static int drop(void **state)
{
	origins_free(origins);
	callers_free(callers);
	made_done(&made);
	return 0;
}

static bool told(uint64_t entry)
{
	if (!callers) {
		made_open(&made);
		callers = callers_new(&made.space.program);
		origins = origins_new(&made.space.program, callers);
	}
	return origins_of(origins, entry, &found, &count);
}

static void assert_one(uint64_t start, bool once, bool endless)
{
	assert_true(told(put));
	assert_int_equal(count, 1);
	assert_int_equal(found[0].start, start);
	assert_int_equal(found[0].once, once);
	assert_int_equal(found[0].endless, endless);
	assert_true(origins_hold(origins));
}

static void a_go_statement_says_who(void **state) { assert_one(task, true, false); }

static void one_in_a_loop_starts_many(void **state)
{
	made_jump(&made, main_main + 0x60, main_main + 0x10);
	assert_one(task, false, false);
}

static void two_of_them_start_two(void **state)
{
	made_address(&made, main_main + 0x40, task);
	made_call(&made, main_main + 0x50, newproc);
	assert_one(task, false, false);
}

static void one_in_a_function_that_is_called_twice_starts_two(void **state)
{
	made_address(&made, main_main + 0x20, method); // main.other starts it now
	made_call(&made, main_main + 0x30, method);
	made_call(&made, main_main + 0x40, method);
	made_address(&made, method + 0x20, task);
	made_call(&made, method + 0x30, newproc);
	assert_true(told(put));
	assert_int_equal(count, 1);
	assert_false(found[0].once);
}

static void the_jump_after_a_stack_check_is_no_second_run(void **state)
{
	made_jump(&made, main_main + 0xb0, main_main);
	made_jump(&made, task + 0xb0, task);
	assert_one(task, true, false);
}

static void a_call_of_itself_is(void **state)
{
	made_call(&made, main_main + 0x60, main_main);
	assert_true(told(put));
	assert_false(found[0].once);
}

static void what_has_no_way_out_is_endless(void **state)
{
	made_jump(&made, task + 0x60, task + 0x10);
	assert_one(task, true, true);
}

static void a_direct_call_from_main_is_the_main_goroutines(void **state)
{
	made_call(&made, main_main + 0x60, put);
	assert_true(told(put));
	assert_int_equal(count, 2);
	assert_int_equal(found[0].start + found[1].start, task + runtime_main);
	assert_true(found[0].once && found[1].once);
}

static void an_initializer_is_nobodys(void **state)
{
	made_call(&made, initializer + 0x20, put);
	assert_one(task, true, false);
}

static void a_function_that_is_handed_over_may_be_run_by_anybody(void **state)
{
	made_address(&made, fallback + 0x20, task);
	made_call(&made, fallback + 0x30, method);
	assert_false(told(put));
}

static void so_may_what_calls_it(void **state)
{
	made_address(&made, fallback + 0x20, method);
	made_call(&made, method + 0x20, put);
	assert_false(told(put));
}

static void what_nothing_calls_is_called_in_a_way_unknown(void **state)
{
	made_call(&made, fallback + 0x20, put);
	assert_false(told(put));
}

/** `var table = []func(){put}` has no code: the linker writes it down. */
static void a_function_in_a_variable_may_be_run_by_anybody(void **state)
{
	made_variable(&made, made_variable(&made, put));
	assert_true(told(put));
	assert_false(origins_hold(origins));
}

static void a_method_of_an_interface_may_be_called_by_anybody(void **state)
{
	int32_t fun = made.space.program.layout->offset[GO_ITAB_FUN];
	uint64_t itab = made_variable(&made, 0), interface = itab, links;

	for (unsigned i = 1; i < 16; i++)
		made_variable(&made, 0);
	space_field(&made.space, itab, GO_ITAB_INTER, interface + 64, 8);
	space_u64(&made.space, itab + (uint64_t)fun, put);
	links = made_variable(&made, itab);
	made.module.itablinks = links;
	made.module.itablink_count = 1;
	assert_false(told(put));
}

static void nothing_is_endless_that_somebody_can_end(void **state)
{
	uint64_t goexit = made_function(&made, "runtime.Goexit", 32);

	made_jump(&made, task + 0x60, task + 0x10);
	made_call(&made, fallback + 0x20, goexit);
	assert_one(task, true, false);
}

static void an_exported_method_may_be_called_by_its_name(void **state)
{
	uint64_t set = made_function(&made, "main.(*store).Set", 32);

	made_call(&made, task + 0x30, set);
	assert_true(told(set));
}

static void where_reflection_calls_methods(void **state)
{
	uint64_t set = made_function(&made, "main.(*store).Set", 32);

	made_function(&made, "reflect.Value.call", 32);
	made_call(&made, task + 0x30, set);
	assert_false(told(set));
	assert_true(told(put));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(a_go_statement_says_who),
		TEST(one_in_a_loop_starts_many),
		TEST(two_of_them_start_two),
		TEST(one_in_a_function_that_is_called_twice_starts_two),
		TEST(the_jump_after_a_stack_check_is_no_second_run),
		TEST(a_call_of_itself_is),
		TEST(what_has_no_way_out_is_endless),
		TEST(a_direct_call_from_main_is_the_main_goroutines),
		TEST(an_initializer_is_nobodys),
		TEST(a_function_that_is_handed_over_may_be_run_by_anybody),
		TEST(so_may_what_calls_it),
		TEST(what_nothing_calls_is_called_in_a_way_unknown),
		TEST(a_function_in_a_variable_may_be_run_by_anybody),
		TEST(a_method_of_an_interface_may_be_called_by_anybody),
		TEST(nothing_is_endless_that_somebody_can_end),
		TEST(an_exported_method_may_be_called_by_its_name),
		TEST(where_reflection_calls_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
