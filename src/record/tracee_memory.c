// SPDX-License-Identifier: Apache-2.0
// The process's memory: reads, writes, and the traps that breakpoints put into its code.
#include "record/tracee_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define INT3           0xcc
#define STEP_TRIES_MAX 100 /* signals may come before the step */

struct error *memory_reopen(struct tracee *tracee)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/mem", (int)tracee->pid);

	if (tracee->memory >= 0)
		close(tracee->memory);
	tracee->memory = open(path, O_RDWR | O_CLOEXEC);
	if (tracee->memory < 0)
		return error_system(errno, place_whole(tracee->name),
				    "its memory cannot be opened");
	return NULL;
}

bool tracee_read(const struct tracee *tracee, uint64_t address, void *ret, size_t size)
{
	struct iovec here = {ret, size}, there = {(void *)(uintptr_t)address, size};

	return size == 0 || process_vm_readv(tracee->pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

static bool write_all(int memory, uint64_t address, const void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pwrite(memory, (const uint8_t *)bytes + done, size - done,
				   (off_t)(address + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

struct error *tracee_write(struct tracee *tracee, uint64_t address, const void *bytes, size_t size)
{
	if (write_all(tracee->memory, address, bytes, size))
		return NULL;
	return error_system(errno, place_whole(tracee->name),
			    "its memory at %#llx cannot be written", (unsigned long long)address);
}

const struct breakpoint *breakpoint_at(const struct tracee *tracee, uint64_t address)
{
	for (guint i = 0; i < tracee->breakpoints->len; i++) {
		const struct breakpoint *b =
			&g_array_index(tracee->breakpoints, struct breakpoint, i);

		if (b->address == address)
			return b;
	}
	return NULL;
}

struct error *breakpoint_plant(struct tracee *tracee, const struct breakpoint *breakpoint, bool set)
{
	uint8_t byte = set ? INT3 : breakpoint->original;

	return tracee_write(tracee, breakpoint->address, &byte, sizeof(byte));
}

struct error *tracee_add_breakpoint(struct tracee *tracee, uint64_t address)
{
	struct breakpoint breakpoint = {.address = address};

	if (breakpoint_at(tracee, address))
		return NULL;
	if (!tracee_read(tracee, address, &breakpoint.original, sizeof(breakpoint.original)))
		return error_new(ERROR_NOT_FOUND, (struct place){tracee->name, address},
				 "no code is mapped there");
	TRY(breakpoint_plant(tracee, &breakpoint, true));
	g_array_append_val(tracee->breakpoints, breakpoint);
	return NULL;
}

struct error *tracee_remove_breakpoint(struct tracee *tracee, uint64_t address)
{
	for (guint i = 0; i < tracee->breakpoints->len; i++) {
		struct breakpoint breakpoint =
			g_array_index(tracee->breakpoints, struct breakpoint, i);

		if (breakpoint.address != address)
			continue;
		g_array_remove_index(tracee->breakpoints, i);
		return breakpoint_plant(tracee, &breakpoint, false);
	}
	return NULL;
}

void tracee_remove_breakpoints(struct tracee *tracee)
{
	while (tracee->breakpoints->len)
		error_free(tracee_remove_breakpoint(
			tracee, g_array_index(tracee->breakpoints, struct breakpoint, 0).address));
}

static struct error *step(struct tracee *tracee, struct tracee_thread *thread)
{
	int status, held = thread->signal;

	for (int i = 0; i < STEP_TRIES_MAX; i++) {
		if (ptrace(PTRACE_SINGLESTEP, thread->tid, NULL, NULL) != 0 ||
		    waitpid(thread->tid, &status, __WALL) != thread->tid)
			return NULL; // it was killed: its exit status will say so
		if (!WIFSTOPPED(status)) {
			tracee->ended = thread->tid == tracee->pid;
			tracee->end_status = status;
			thread_forget(tracee, thread->tid);
			return NULL;
		}
		if (!(status >> 16) && WSTOPSIG(status) == SIGTRAP) {
			thread->signal = held;
			return NULL;
		}
		if (!(status >> 16))
			held = WSTOPSIG(status);
	}
	return error_new(ERROR_SYSTEM, place_whole(tracee->name),
			 "thread %d does not step over a breakpoint", (int)thread->tid);
}

struct error *breakpoint_step_over(struct tracee *tracee, struct tracee_thread *thread)
{
	struct user_regs_struct registers;
	const struct breakpoint *found;
	struct breakpoint breakpoint;
	struct error *error;

	if (ptrace(PTRACE_GETREGS, thread->tid, NULL, &registers) != 0)
		return NULL;
	found = breakpoint_at(tracee, registers.rip);
	if (!found)
		return NULL;
	breakpoint = *found;
	TRY(breakpoint_plant(tracee, &breakpoint, false));
	error = step(tracee, thread);
	if (!error && !tracee->ended)
		error = breakpoint_plant(tracee, &breakpoint, true);
	return error;
}

void child_release(struct tracee *tracee, pid_t child, bool shares)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/mem", (int)child);
	int memory = shares ? -1 : open(path, O_RDWR | O_CLOEXEC);

	for (guint i = 0; memory >= 0 && i < tracee->breakpoints->len; i++) {
		const struct breakpoint *b =
			&g_array_index(tracee->breakpoints, struct breakpoint, i);

		write_all(memory, b->address, &b->original, sizeof(b->original));
	}
	if (memory >= 0)
		close(memory);
	ptrace(PTRACE_DETACH, child, NULL, NULL);
}

struct error *tracee_registers(struct tracee *tracee, pid_t tid, struct user_regs_struct *ret)
{
	if (ptrace(PTRACE_GETREGS, tid, NULL, ret) != 0)
		return error_system(errno, place_whole(tracee->name),
				    "registers of thread %d cannot be read", (int)tid);
	return NULL;
}

struct error *tracee_set_registers(struct tracee *tracee, pid_t tid,
				   const struct user_regs_struct *registers)
{
	if (ptrace(PTRACE_SETREGS, tid, NULL, registers) != 0)
		return error_system(errno, place_whole(tracee->name),
				    "registers of thread %d cannot be set", (int)tid);
	return NULL;
}

static bool watch_stopped(struct tracee *tracee)
{
	GHashTableIter all;
	gpointer value;
	bool done = true;

	g_hash_table_iter_init(&all, tracee->threads);
	while (g_hash_table_iter_next(&all, NULL, &value))
		if (((struct tracee_thread *)value)->state == THREAD_STOPPED)
			done = thread_watch(tracee, value) && done;
	return done;
}

struct error *tracee_watch(struct tracee *tracee, uint64_t address, unsigned size)
{
	if ((size != 1 && size != 2 && size != 4 && size != 8) || address % size)
		return error_new(ERROR_USAGE, place_whole(tracee->name),
				 "a watchpoint covers 1, 2, 4 or 8 aligned bytes");
	tracee->watch.address = address;
	tracee->watch.size = size;
	if (watch_stopped(tracee))
		return NULL;
	tracee_unwatch(tracee);
	return error_with_hint(
		error_new(ERROR_REFUSED, place_whole(tracee->name),
			  "cannot be watched: the kernel gives no debug register"),
		"some virtual machines and sandboxes have none; another tracer may hold them");
}

void tracee_unwatch(struct tracee *tracee)
{
	tracee->watch.size = 0;
	watch_stopped(tracee);
}
