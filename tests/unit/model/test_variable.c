// SPDX-License-Identifier: Apache-2.0
// Which shapes pass for the runtime's variables, and which do not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/process/variable_check.h"
#include "space.h"

static struct space space;

/** A fresh space; the one before is done with. */
static void space_renew(int minor)
{
	if (space.program.arena)
		space_done(&space);
	space_init(&space, minor, GO_ARCH_AMD64);
}

static int drop(void **state)
{
	space_done(&space);
	memset(&space, 0, sizeof(space));
	return 0;
}

static void word(uint64_t address, uint64_t value)
{
	memcpy(space.bytes + (address - SPACE_START), &value, sizeof(value));
}

static void field(uint64_t base, enum go_field name, uint64_t value)
{
	word(base + (uint64_t)program_offset(&space.program, name), value);
}

enum { ALLGS = 0x100, ARRAY = 0x200, FIRST_G = 0x10000, G_STEP = 0x400 };

/* Three goroutines, waiting, and the slice that lists them. */
static void allgs_build(int minor)
{
	space_renew(minor);
	word(SPACE_START + ALLGS, SPACE_START + ARRAY);
	word(SPACE_START + ALLGS + 8, 3);
	word(SPACE_START + ALLGS + 16, 4);
	for (uint64_t i = 0; i < 3; i++) {
		uint64_t g = SPACE_START + FIRST_G + i * G_STEP;

		word(SPACE_START + ARRAY + 8 * i, g);
		field(g, GO_G_STACK_LO, 0xc000100000);
		field(g, GO_G_STACK_HI, 0xc000102000);
		field(g, GO_G_ATOMICSTATUS, GO_STATUS_WAITING);
		field(g, GO_G_GOID, i + 1);
	}
}

static void three_goroutines_are_allgs(void **state)
{
	for (int minor = GO_MINOR_OLDEST; minor <= GO_MINOR_NEWEST; minor++) {
		allgs_build(minor);
		assert_true(variable_is_allgs(&space.program, SPACE_START + ALLGS));
		assert_false(variable_is_allgs(&space.program, SPACE_START + ALLGS + 8));
		assert_false(variable_is_allgs(&space.program, SPACE_START + ALLGS + 1));
	}
}

static void one_wrong_element_is_not(void **state)
{
	allgs_build(22);
	field(SPACE_START + FIRST_G + G_STEP, GO_G_STACK_HI, 0xc000000000); /* below stack.lo */
	assert_false(variable_is_allgs(&space.program, SPACE_START + ALLGS));
	allgs_build(22);
	field(SPACE_START + FIRST_G, GO_G_ATOMICSTATUS, 77);
	assert_false(variable_is_allgs(&space.program, SPACE_START + ALLGS));
	allgs_build(22);
	word(SPACE_START + ARRAY + 16, 0x10); /* not dumped */
	assert_false(variable_is_allgs(&space.program, SPACE_START + ALLGS));
	allgs_build(22);
	word(SPACE_START + ALLGS + 8, UINT64_MAX);
	assert_false(variable_is_allgs(&space.program, SPACE_START + ALLGS));
}

static void nobody_on_a_thread_is_no_allm(void **state)
{
	uint64_t m = SPACE_START + 0x20000, g0 = SPACE_START + 0x30000;

	space_renew(22);
	word(SPACE_START + 0x100, m);
	field(m, GO_M_G0, g0);
	field(g0, GO_G_M, m);
	field(m, GO_M_ALLLINK, m); /* a ring: must end */
	assert_false(variable_is_allm(&space.program, SPACE_START + 0x100));
}

static void backlog_and_its_index(void **state)
{
	static const char said[] = "fatal error: concurrent map writes\n";
	uint64_t ring = SPACE_START + 0x1000, index = SPACE_START + 0x2000;

	space_renew(22);
	memcpy(space.bytes + 0x1000, said, sizeof(said));
	word(index, sizeof(said) - 1);
	assert_true(variable_is_backlog(&space.program, ring));
	assert_true(variable_is_backlog_index(&space.program, ring, index));
	word(index, 7);
	assert_false(variable_is_backlog_index(&space.program, ring, index));
	word(index, 513);
	assert_false(variable_is_backlog_index(&space.program, ring, index));
	space.bytes[0x1100] = 1;
	assert_false(variable_is_backlog(&space.program, ring));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(three_goroutines_are_allgs, drop),
		cmocka_unit_test_teardown(one_wrong_element_is_not, drop),
		cmocka_unit_test_teardown(nobody_on_a_thread_is_no_allm, drop),
		cmocka_unit_test_teardown(backlog_and_its_index, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
