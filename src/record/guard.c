// SPDX-License-Identifier: Apache-2.0
// The kernel closes a dead process's files before it lets go of what that process traced (kernel/exit.c,
// do_exit: exit_files, then exit_notify), so the guard hears of it first. One byte at a time is written,
// which a thread that runs there sees whole. What else is to be put
// back waits for the process to be free for another tracer; the shield makes it safe until then.
#include "record/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_MIN     10
#define ATTACH_TRIES 500
#define ATTACH_US    10000
#define INT3         0xcc
#define ALL_IS_WELL  'w'

static void repair(const struct guarded *guarded, int memory)
{
	for (size_t i = 0; i < guarded->count; i++) {
		uint8_t there = 0;

		if (pread(memory, &there, 1, (off_t)guarded->addresses[i]) == 1 && there == INT3)
			(void)!pwrite(memory, &guarded->bytes[i], 1, (off_t)guarded->addresses[i]);
	}
}

/** Debug registers and the shield, once the dead watcher has lost its hold of the process. */
static void take_out(pid_t pid, struct trap_shield shield)
{
	for (int i = 0; i < ATTACH_TRIES && kill(pid, 0) == 0; i++) {
		scoped(tracee) struct tracee *tracee = NULL;
		scoped(error) struct error *error = tracee_attach(pid, &tracee);

		if (!error) {
			tracee_unwatch(tracee);
			trap_shield_drop(&shield, tracee);
			return;
		}
		g_usleep(ATTACH_US);
	}
}

static void keep_only(int one, int two)
{
	int low = MIN(one, two), high = MAX(one, two);

	close_range(0, (unsigned)low - 1, 0);
	if (high > low + 1)
		close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0u, 0);
}

static _Noreturn void stand_guard(pid_t pid, const struct guarded *guarded, int memory, int alive)
{
	sigset_t all;
	char word;
	ssize_t n;

	setsid(); // Ctrl-C is for the watcher
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "mapfault-guard");
	keep_only(memory, alive);
	do
		n = read(alive, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1 || word != ALL_IS_WELL) {
		repair(guarded, memory);
		take_out(pid, guarded->shield);
	}
	_exit(0);
}

/** The guard gives up the streams that it inherits. */
static int above_standard_streams(int file)
{
	int moved = fcntl(file, F_DUPFD_CLOEXEC, FILE_MIN);

	close(file);
	return moved;
}

struct error *guard_start(pid_t pid, const struct guarded *guarded, struct guard *ret)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/mem", (int)pid);
	int memory = open(path, O_RDWR | O_CLOEXEC), ends[2];
	struct error *error = NULL;

	*ret = (struct guard){.alive = -1};
	if (memory < 0)
		return error_system(errno, place_whole(path), "cannot be opened");
	memory = above_standard_streams(memory);
	if (memory < 0 || pipe2(ends, O_CLOEXEC) != 0)
		return error_system(errno, place_whole(path), "no guard can be set");
	ret->pid = fork();
	if (ret->pid == 0)
		stand_guard(pid, guarded, memory, above_standard_streams(ends[0]));
	if (ret->pid < 0)
		error = error_system(errno, place_whole(path), "no guard can be set");
	close(memory);
	close(ends[0]);
	ret->alive = ends[1];
	return error;
}

void guard_end(struct guard *guard)
{
	const char word = ALL_IS_WELL;

	if (guard->alive < 0)
		return;
	(void)!write(guard->alive, &word, 1);
	close(guard->alive);
	guard->alive = -1;
	waitpid(guard->pid, NULL, 0);
}
