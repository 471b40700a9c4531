// SPDX-License-Identifier: Apache-2.0
#include "cli/hold.h"

#include <glib.h>

static bool read_thread(struct tracee *tracee, pid_t tid, struct process_thread *ret)
{
	struct user_regs_struct registers;
	scoped(error) struct error *error = tracee_registers(tracee, tid, &registers);
	uint64_t words[sizeof(registers) / sizeof(uint64_t)];

	if (error)
		return false; // it did not stop, or has ended
	memcpy(words, &registers, sizeof(words));
	*ret = (struct process_thread){.tid = tid,
				       .registers = process_registers_from(GO_ARCH_AMD64, words)};
	return true;
}

struct error *hold_evidence(struct tracee *tracee, pid_t first, struct live **ret)
{
	size_t count;
	const pid_t *tids = tracee_threads(tracee, &count);
	g_autofree struct process_thread *threads = g_new0(struct process_thread, count + 1);
	size_t read = 0;

	if (first && read_thread(tracee, first, &threads[read]))
		read++;
	for (size_t i = 0; i < count; i++)
		if (tids[i] != first && read_thread(tracee, tids[i], &threads[read]))
			read++;
	return live_open(tracee_pid(tracee), threads, read, ret);
}
