// SPDX-License-Identifier: Apache-2.0
// The core's threads joined to the runtime's.
#include "../evidence/core_build.h"

#include "build_program.h"

#include "evidence/process/core.h"
#include "model/process/thread.h"

static struct made made;
static struct core *core;

static int make(void **state)
{
	static struct elf_build b;
	struct test_file file;

	made_init(&made, 22, GO_ARCH_AMD64);
	made_open(&made);
	core_build_init(&b, EM_X86_64, CORE_BASE, NULL, 0);
	file = test_file_open(b.body, elf_build_make(&b));
	assert_null(core_open(file.path, &core));
	test_file_close(&file);
	made.space.program.process = core_process(core);
	return 0;
}

static int drop(void **state)
{
	core_close(core);
	made_done(&made);
	return 0;
}

/** An m of that thread, at the head of runtime.allm. */
static uint64_t m_put(uint64_t tid, uint64_t g0)
{
	uint64_t m = space_take(&made.space, 2048), next = 0;

	memory_u64(made.space.program.memory, made.allm, &next);
	space_field(&made.space, m, GO_M_PROCID, tid, 8);
	space_field(&made.space, m, GO_M_G0, g0, 8);
	space_field(&made.space, m, GO_M_ALLLINK, next, 8);
	space_u64(&made.space, made.allm, m);
	return m;
}

static void threads_meet_by_their_number(void **state)
{
	struct program *program = &made.space.program;
	uint64_t second = m_put(CORE_TID + 1, 0xc000002000), m = m_put(CORE_TID, 0xc000001000);

	m_put(99, 0xc000003000); // of no thread in the core
	threads_read(program);
	assert_int_equal(program->thread_count, 2);
	assert_int_equal(program->threads[0].tid, CORE_TID);
	assert_int_equal(program->threads[0].signal, 6);
	assert_int_equal(program->threads[0].address, m);
	assert_int_equal(program->threads[0].g0, 0xc000001000);
	assert_int_equal(program->threads[0].goroutine, NO_INDEX);
	assert_int_equal(program->threads[1].address, second);
	assert_int_equal(program->threads[1].registers->sp, 0x1000 + 19); // rsp, the 20th in pr_reg
}

static void a_thread_of_nobody_has_no_m(void **state)
{
	m_put(CORE_TID, 0xc000001000);
	threads_read(&made.space.program);
	assert_int_equal(made.space.program.threads[1].address, 0);
	assert_int_equal(made.space.program.threads[1].tid, CORE_TID + 1);
}

static void a_circle_of_ms_ends(void **state)
{
	uint64_t m = m_put(CORE_TID, 0xc000001000);

	space_field(&made.space, m, GO_M_ALLLINK, m, 8);
	threads_read(&made.space.program);
	assert_int_equal(made.space.program.threads[0].address, m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(threads_meet_by_their_number),
		TEST(a_thread_of_nobody_has_no_m),
		TEST(a_circle_of_ms_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
