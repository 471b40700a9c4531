// SPDX-License-Identifier: Apache-2.0
// A running process by its files in /proc (proc(5)).
#include "doctor/examination.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB           1024u
#define FILTER_MEMORY 0x01u /* anonymous private memory: heap and stacks */
#define FILTER_ELF    0x10u /* the first page of each ELF file: proof of which binary it was */
#define FILTER_NORMAL "0x33"

struct process {
	struct examination *examination;
	pid_t pid;
};

static const char *proc_path(const struct process *process, const char *name)
{
	return KEEP(process->examination, "/proc/%d/%s", (int)process->pid, name);
}

static const char *proc_link(const struct process *process, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlink(host_path(process->examination, proc_path(process, name)), target,
			     sizeof(target) - 1);

	if (n < 0)
		return NULL;
	target[n] = '\0';
	return KEEP(process->examination, "%s", target);
}

/** A field of /proc/PID/status in KiB; 0 when absent. */
static uint64_t status_bytes(const char *status, const char *name)
{
	const char *at = status ? strstr(status, name) : NULL;

	return at ? g_ascii_strtoull(at + strlen(name), NULL, 10) * KIB : 0;
}

uint64_t proc_core_bytes(const struct examination *examination, pid_t pid)
{
	const char *status = host_file(examination, KEEP(examination, "/proc/%d/status", (int)pid));
	uint64_t anonymous = status_bytes(status, "RssAnon:") + status_bytes(status, "RssShmem:");

	if (!anonymous)
		anonymous = status_bytes(status, "VmRSS:");
	return anonymous + status_bytes(status, "VmSwap:");
}

/* "Max core file size     0     unlimited     bytes" */
#define CORE_LIMIT "Max core file size"

const char *proc_core_limit(const struct examination *examination, const char *path)
{
	const char *limits = host_file(examination, path);
	const char *at = limits ? strstr(limits, CORE_LIMIT) : NULL;

	if (!at)
		return NULL;
	at += strlen(CORE_LIMIT);
	at += strspn(at, " ");
	return KEEP(examination, "%.*s", (int)strcspn(at, " \n"), at);
}

static void examine_limit(struct process *process)
{
	struct examination *examination = process->examination;
	const char *soft = proc_core_limit(examination, proc_path(process, "limits"));

	if (soft)
		examine_core_limit(
			examination, "core limit", soft,
			KEEP(examination, "prlimit --pid %d --core=unlimited:unlimited",
			     (int)process->pid),
			"a root shell, for this very process; `ulimit -c unlimited` before the "
			"next start, LimitCORE=infinity in its unit");
}

static void examine_filter(struct process *process)
{
	struct examination *examination = process->examination;
	const char *value = host_file(examination, proc_path(process, "coredump_filter"));
	guint64 bits;
	struct check check = {.concern = CONCERN_CORE,
			      .setting = "coredump_filter",
			      .value = value,
			      .set = KEEP(examination,
					  "echo " FILTER_NORMAL " > /proc/%d/coredump_filter",
					  (int)process->pid),
			      .set_in = "a root shell"};

	if (!value || !g_ascii_string_to_unsigned(value, 16, 0, UINT64_MAX, &bits, NULL))
		return;
	if (!(bits & FILTER_MEMORY)) {
		check.outcome = OUTCOME_LOST;
		check.means = "heap and stacks are left out of a core";
	} else if (!(bits & FILTER_ELF)) {
		check.outcome = OUTCOME_UNSURE;
		check.means = "a core then can't show which binary it belongs to";
	} else {
		check.means = "heap, stacks and the proof of which binary it was are in a core";
		check.set = check.set_in = NULL;
	}
	check_add(examination, &check);
}

/** The value of GOTRACEBACK in the environment that it was started with; NULL when not set. */
static void examine_environment(struct process *process)
{
	static const char name[] = "GOTRACEBACK=";
	struct examination *examination = process->examination;
	g_autofree char *environment = NULL;
	const char *value = NULL;
	gsize size = 0;

	if (!g_file_get_contents(host_path(examination, proc_path(process, "environ")),
				 &environment, &size, NULL)) {
		check_add(examination,
			  &(struct check){.concern = CONCERN_TEXT,
					  .outcome = OUTCOME_UNSURE,
					  .setting = "GOTRACEBACK",
					  .means = "its environment can't be read: ask as its user "
						   "or as root"});
		return;
	}
	for (const char *at = environment; at < environment + size; at += strlen(at) + 1)
		if (g_str_has_prefix(at, name))
			value = at + strlen(name);
	examine_traceback(
		examination, value, "export GOTRACEBACK=crash",
		"whatever starts it, before the next start: a running process keeps the "
		"value that it began with, unless it calls debug.SetTraceback(\"crash\")");
}

static void examine_executable(struct process *process)
{
	static const char deleted[] = " (deleted)";
	struct examination *examination = process->examination;
	const char *exe = proc_link(process, "exe");
	struct check check = {.concern = CONCERN_BINARY, .setting = "program", .value = exe};

	if (!exe)
		return;
	examine_program(examination, host_path(examination, proc_path(process, "exe")), exe);
	if (!g_str_has_suffix(exe, deleted))
		return;
	check.outcome = OUTCOME_LOST;
	check.means = "the file was removed or replaced: when the process is gone, so is the only "
		      "copy of the binary that its core belongs to";
	check.set = KEEP(examination, "cp /proc/%d/exe ./running-binary", (int)process->pid);
	check.set_in = "a shell, now";
	check_add(examination, &check);
}

/** The kernel gives the files of a process that may not be dumped to root. */
static void examine_dumpable(struct process *process)
{
	struct examination *examination = process->examination;
	const char *status = host_file(examination, proc_path(process, "status"));
	const char *at = status ? strstr(status, "\nUid:") : NULL;
	struct stat info;
	unsigned real, effective;

	if (!at || sscanf(at, "\nUid: %u %u", &real, &effective) != 2 || effective == 0 ||
	    stat(host_path(examination, proc_path(process, "environ")), &info) != 0 ||
	    info.st_uid == effective)
		return;
	check_add(examination,
		  &(struct check){.concern = CONCERN_CORE,
				  .outcome = OUTCOME_LOST,
				  .setting = "dumpable",
				  .value = "no",
				  .means = "it changed its user or has file capabilities, so that "
					   "the kernel writes no core of it",
				  .set = "sysctl -w fs.suid_dumpable=2",
				  .set_in = "a root shell, with an absolute path or a handler in "
					    "kernel.core_pattern"});
}

static void examine_output(struct process *process)
{
	const char *target = proc_link(process, "fd/2");

	if (!target || !g_str_equal(target, "/dev/null"))
		return;
	check_add(process->examination,
		  &(struct check){.concern = CONCERN_TEXT,
				  .outcome = OUTCOME_LOST,
				  .setting = "standard error",
				  .value = target,
				  .means =
					  "the crash text is written to standard error, which goes "
					  "nowhere",
				  .set = "2>>crash.log",
				  .set_in = "the command that starts it"});
}

static void examine_directory(struct process *process)
{
	struct examination *examination = process->examination;
	const char *cwd = proc_link(process, "cwd");

	if (examination->to == CORE_TO_CWD && cwd)
		examination->core_directory = cwd;
}

struct error *examine_process(struct examination *examination, pid_t pid)
{
	struct process process = {examination, pid};

	if (access(host_path(examination, proc_path(&process, "status")), R_OK) != 0)
		return error_with_hint(error_system(errno,
						    place_whole(proc_path(&process, "status")),
						    "there is no such process"),
				       "see `pgrep -a NAME` for its number");
	examination->subject = KEEP(examination, "process %d", (int)pid);
	examine_executable(&process);
	examine_environment(&process);
	examine_limit(&process);
	examine_filter(&process);
	examine_dumpable(&process);
	examine_output(&process);
	examine_directory(&process);
	return NULL;
}
