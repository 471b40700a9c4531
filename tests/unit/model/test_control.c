// SPDX-License-Identifier: Apache-2.0
// A function of NOPs with jumps in it: what execution can still come to.
#include "build_program.h"

#include "model/code/control.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RET 0xc3
#define JE  0x74 /* a byte of distance follows */

static struct made made;
static uint64_t entry, callee;
static struct code *code;

static int make(void **state)
{
	made_init(&made, 22, GO_ARCH_AMD64);
	entry = made_function(&made, "main.work", 32);
	callee = made_function(&made, "main.callee", 32);
	made_open(&made);
	code = code_new(GO_ARCH_AMD64);
	return 0;
}

static int drop(void **state)
{
	code_free(code);
	made_done(&made);
	return 0;
}

static void put(unsigned offset, uint8_t byte) { space_u8(&made.space, entry + offset, byte); }

static void branch(unsigned from, unsigned to)
{
	put(from, JE);
	put(from + 1, (uint8_t)(to - from - 2));
}

static struct control *control(void)
{
	struct go_function function;
	uint32_t table;

	assert_true(program_function(&made.space.program, entry, &function, &table));
	return control_read(&made.space.program, code, &function);
}

/** Can execution that stands at @a from come to @a to? */
static bool comes(unsigned from, unsigned to)
{
	struct control *read = control();
	GArray *ahead = control_ahead(read, entry + from);
	bool is_ahead = control_is_ahead(ahead, entry + to);

	g_array_free(ahead, TRUE);
	control_free(read);
	return is_ahead;
}

static void a_straight_line_leads_on_and_not_back(void **state)
{
	put(0x80, RET);
	assert_true(comes(0x10, 0x70));
	assert_true(comes(0x10, 0x10));
	assert_false(comes(0x10, 0x0f));
	assert_false(comes(0x10, 0x90)); // behind the RET
}

static void a_jump_back_is_a_loop(void **state)
{
	made_jump(&made, entry + 0x60, entry + 0x20);
	put(0x80, RET);
	assert_true(comes(0x40, 0x30));
	assert_false(comes(0x40, 0x10));
	assert_false(comes(0x40, 0x70)); // nobody jumps there
}

static void a_branch_leads_both_ways(void **state)
{
	branch(0x20, 0x60);
	put(0x40, RET);
	put(0x80, RET);
	assert_true(comes(0x10, 0x30));
	assert_true(comes(0x10, 0x70));
	assert_false(comes(0x10, 0x50));
	assert_false(comes(0x30, 0x70)); // past the branch
}

/** The way round the loop passes the stop; the way within it does not. */
static void a_stop_is_not_passed(void **state)
{
	const uint64_t stops[] = {entry + 0x90, entry + 0x18};
	struct control *read;
	GArray *ahead;

	made_jump(&made, entry + 0x60, entry + 0x20); // an inner loop
	branch(0x50, 0x68);
	made_jump(&made, entry + 0x70, entry + 0x10); // an outer one
	read = control();
	ahead = control_ahead_until(read, entry + 0x40, stops, G_N_ELEMENTS(stops));
	assert_true(control_is_ahead(ahead, entry + 0x30));
	assert_true(control_is_ahead(ahead, entry + 0x14));
	g_array_free(ahead, TRUE);
	ahead = control_ahead_until(read, entry + 0x68, stops, G_N_ELEMENTS(stops));
	assert_true(control_is_ahead(ahead, entry + 0x14));
	assert_false(control_is_ahead(ahead, entry + 0x30));
	g_array_free(ahead, TRUE);
	control_free(read);
}

/** After morestack the function begins anew; it had not begun before. */
static void the_jump_to_the_entry_is_no_loop(void **state)
{
	put(0x40, RET);
	made_jump(&made, entry + 0x60, entry);
	assert_false(comes(0x50, 0x20));
}

/** JMP RAX: through a table. */
static void a_jump_through_a_register_leads_anywhere(void **state)
{
	put(0x30, 0xff);
	put(0x31, 0xe0);
	assert_true(comes(0x20, 0x05));
	assert_true(comes(0x20, 0x90));
}

static void direct_calls_are_told_in_order(void **state)
{
	struct control *read;

	made_call(&made, entry + 0x50, entry);
	made_call(&made, entry + 0x20, callee);
	read = control();
	assert_int_equal(read->call_count, 2);
	assert_int_equal(read->calls[0].pc, entry + 0x20);
	assert_int_equal(read->calls[0].end, entry + 0x25);
	assert_int_equal(read->calls[0].target, callee);
	assert_int_equal(read->calls[1].target, entry);
	control_free(read);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(a_straight_line_leads_on_and_not_back),
		TEST(a_jump_back_is_a_loop),
		TEST(a_branch_leads_both_ways),
		TEST(a_stop_is_not_passed),
		TEST(the_jump_to_the_entry_is_no_loop),
		TEST(a_jump_through_a_register_leads_anywhere),
		TEST(direct_calls_are_told_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
