// SPDX-License-Identifier: Apache-2.0
// Joins what the kernel knows (thread id, registers) to what the runtime knows (m, g0, gsignal,
// curg).
#include "model/process/thread.h"

#include "base/limits.h"
#include "model/process/variable.h"

#include <glib.h>

static void join_thread(struct program *program, uint64_t m, struct thread *thread)
{
	thread->address = m;
	thread->g0 = program_word(program, m, GO_M_G0);
	thread->gsignal = program_word(program, m, GO_M_GSIGNAL);
}

static void join_all(struct program *program, GHashTable *by_tid)
{
	uint64_t allm = program_runtime_variable(program, "runtime.allm"), m = 0;
	size_t walked = 0;

	if (!allm || !memory_u64(program->memory, allm, &m)) {
		program_gap(program, "threads of the runtime (allm)", "runtime.allm was not found",
			    "which goroutine ran on which thread");
		return;
	}
	for (; m && walked < LIMIT_THREADS; walked++) {
		uint64_t procid = program_word(program, m, GO_M_PROCID);
		struct thread *thread = g_hash_table_lookup(by_tid, GSIZE_TO_POINTER(procid));

		if (thread && !thread->address)
			join_thread(program, m, thread);
		m = program_word(program, m, GO_M_ALLLINK);
	}
}

void threads_read(struct program *program)
{
	g_autoptr(GHashTable) by_tid = g_hash_table_new(NULL, NULL);
	const struct process_thread *threads = program->process->threads;
	size_t count = program->process->thread_count;

	program->threads = arena_array(program->arena, count, sizeof(*program->threads));
	program->thread_count = count;
	for (size_t i = 0; i < count; i++) {
		struct thread *thread = &program->threads[i];

		thread->tid = threads[i].tid;
		thread->signal = threads[i].signal;
		thread->registers = &threads[i].registers;
		thread->goroutine = NO_INDEX;
		g_hash_table_insert(by_tid, GSIZE_TO_POINTER((size_t)thread->tid), thread);
	}
	join_all(program, by_tid);
}
