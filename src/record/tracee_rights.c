// SPDX-License-Identifier: Apache-2.0
// ptrace answers a bare EPERM. The reasons that the kernel has for it (kernel/ptrace.c:
// __ptrace_may_access, ptrace_attach; security/yama/yama_lsm.c) can be told apart through /proc.
#include "record/tracee_thread.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

/** /proc/PID/FILE; NULL when it is not there. */
static char *read_proc(pid_t pid, const char *file)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, file);
	char *text;

	return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/** A number of /proc/PID/status; @a fallback when it is not there. */
static guint64 status_number(const char *status, const char *key, guint base, guint64 fallback)
{
	const char *at = status ? strstr(status, key) : NULL;

	return at ? g_ascii_strtoull(at + strlen(key), NULL, base) : fallback;
}

static bool has_ptrace_capability(void)
{
	g_autofree char *status = read_proc(getpid(), "status");
	guint64 effective = status_number(status, "\nCapEff:", 16, 0);

	return effective >> CAP_SYS_PTRACE & 1;
}

static bool in_other_user_namespace(pid_t pid)
{
	g_autofree char *theirs = g_strdup_printf("/proc/%d/ns/user", (int)pid);
	struct stat one, two;

	return stat(theirs, &one) == 0 && stat("/proc/self/ns/user", &two) == 0 &&
	       (one.st_ino != two.st_ino || one.st_dev != two.st_dev);
}

static struct error *traced_already(struct place where, pid_t tracer)
{
	g_autofree char *name = read_proc(tracer, "comm");
	struct error *error;

	if (name)
		g_strchomp(name);
	error = error_new(ERROR_REFUSED, where, "is traced already, by process %d (%s)",
			  (int)tracer, name ? name : "of another PID namespace");
	return error_with_hint(error, "one tracer at a time: end that one, or, if it is mapfault, "
				      "`mapfault detach -p PID`");
}

static struct error *by_yama(struct place where)
{
	g_autofree char *scope = NULL;
	int level;

	if (!g_file_get_contents("/proc/sys/kernel/yama/ptrace_scope", &scope, NULL, NULL))
		return NULL;
	level = *scope - '0';

	if (level == 3)
		return error_with_hint(error_new(ERROR_REFUSED, where,
						 "Yama forbids tracing altogether "
						 "(kernel.yama.ptrace_scope is 3)"),
				       "it can only be lowered by a reboot; take a core instead");
	if (level && !has_ptrace_capability())
		return error_with_hint(
			error_new(ERROR_REFUSED, where,
				  "Yama lets only a parent trace it (kernel.yama.ptrace_scope is "
				  "%d) and CAP_SYS_PTRACE is missing",
				  level),
			"use sudo, or start the program under `mapfault run -- PROG`, or "
			"`sudo sysctl kernel.yama.ptrace_scope=0`");
	return NULL;
}

static struct error *by_identity(struct place where, const char *status)
{
	guint64 uid = status_number(status, "\nUid:", 10, (guint64)getuid());
	g_autofree char *ours = read_proc(getpid(), "status");

	if (uid != (guint64)geteuid() && !has_ptrace_capability())
		return error_with_hint(
			error_new(ERROR_REFUSED, where,
				  "belongs to user %llu, and CAP_SYS_PTRACE is missing",
				  (unsigned long long)uid),
			"run mapfault as that user, or with sudo");
	if (status_number(ours, "\nSeccomp:", 10, 0) == 2)
		return error_with_hint(
			error_new(ERROR_REFUSED, where,
				  "cannot be traced from here: a seccomp filter is on mapfault"),
			"in a container allow ptrace: `docker run --cap-add SYS_PTRACE`, or run "
			"mapfault on the host");
	return error_with_hint(
		error_new(ERROR_REFUSED, where,
			  "cannot be traced: it forbids that itself (PR_SET_DUMPABLE, or it has "
			  "rights that mapfault lacks), or a security module does"),
		"run mapfault with sudo, or give it CAP_SYS_PTRACE");
}

struct error *tracee_refusal(pid_t pid, int number)
{
	g_autofree char *name = g_strdup_printf("process %d", (int)pid);
	g_autofree char *status = read_proc(pid, "status");
	struct place where = place_whole(name);
	pid_t tracer = (pid_t)status_number(status, "\nTracerPid:", 10, 0);
	struct error *error;

	if (number == ESRCH || !status)
		return error_with_hint(
			error_new(ERROR_NOT_FOUND, where, "there is no such process"),
			"see `ps ax` for those that there are");
	if (strstr(status, "\nState:\tZ") || strstr(status, "\nState:\tX"))
		return error_with_hint(error_new(ERROR_NOT_FOUND, where, "has ended"),
				       "its parent has not noticed yet");
	if (tracer)
		return traced_already(where, tracer);
	if (number != EPERM && number != EACCES)
		return error_system(number, where, "cannot be traced");
	if (pid == getpid())
		return error_new(ERROR_USAGE, where, "that is mapfault itself");
	if (in_other_user_namespace(pid) && !has_ptrace_capability())
		return error_with_hint(
			error_new(ERROR_REFUSED, where, "runs in another user namespace"),
			"run mapfault as root of the host, or inside that container");
	error = by_yama(where);
	return error ? error : by_identity(where, status);
}
