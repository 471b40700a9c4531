// SPDX-License-Identifier: Apache-2.0
// The kernel's part (core(5)): what it does with a core, and for whom. The pattern is the machine's, for all containers
// on it; a path in it is looked up in the dying process's own root, a program after '|' in the machine's.
#include "doctor/examination.h"

#include <sys/statvfs.h>
#include <unistd.h>

#define CORE_PATTERN "/proc/sys/kernel/core_pattern"
#define ROOT_SHELL   "a root shell"
#define SET_PATTERN                                                                                \
	"mkdir -p /var/crash && chmod 1777 /var/crash\n"                                           \
	"sysctl -w kernel.core_pattern=/var/crash/core.%e.%p.%t\n"                                 \
	"echo 'kernel.core_pattern=/var/crash/core.%e.%p.%t' > "                                   \
	"/etc/sysctl.d/60-core-pattern.conf"
#define LITTLE_ROOM (1ull << 30)

/* Handlers by the end of their program's name, and where each keeps its cores. */
static const struct {
	const char *name;
	enum core_destination to;
	const char *directory;
} handlers[] = {
	{"/systemd-coredump", CORE_TO_SYSTEMD, "/var/lib/systemd/coredump"},
	{"/apport", CORE_TO_APPORT, "/var/lib/apport/coredump"},
	{"/abrt-hook-ccpp", CORE_TO_ABRT, "/var/spool/abrt"},
	{"/false", CORE_TO_NOWHERE, ""},
	{"/true", CORE_TO_NOWHERE, ""},
	{"/dev/null", CORE_TO_NOWHERE, ""},
};

static void settle_handler(struct examination *examination, const char *program)
{
	examination->to = CORE_TO_PROGRAM;
	examination->core_directory = "";
	for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++) {
		if (!g_str_has_suffix(program, handlers[i].name))
			continue;
		examination->to = handlers[i].to;
		examination->core_directory = handlers[i].directory;
	}
}

static void examine_pipe(struct examination *examination, const char *command, struct check *check)
{
	g_autofree char *program = g_strndup(command, strcspn(command, " \t"));

	settle_handler(examination, program);
	if (examination->to == CORE_TO_NOWHERE) {
		check->outcome = OUTCOME_LOST;
		check->means = "the kernel hands every core to a program that drops it";
		return;
	}
	if (access(host_path(examination, program), X_OK) != 0) {
		check->outcome = OUTCOME_LOST;
		check->means =
			KEEP(examination, "the program that should take cores, %s, is not there",
			     program);
		return;
	}
	check->set = check->set_in = NULL;
	check->outcome = examination->to == CORE_TO_PROGRAM ? OUTCOME_UNSURE : OUTCOME_KEPT;
	check->means =
		examination->to == CORE_TO_PROGRAM
			? KEEP(examination,
			       "cores go to %s: whether it keeps them whole is its own affair",
			       program)
			: KEEP(examination, "cores go to %s", program);
}

static void examine_path(struct examination *examination, const char *pattern, struct check *check)
{
	g_autofree char *directory = g_path_get_dirname(pattern);

	check->set = check->set_in = NULL;
	if (*pattern != '/') {
		examination->to = CORE_TO_CWD;
		check->outcome = OUTCOME_UNSURE;
		check->means = "a core goes to the directory that the process works in: it is lost "
			       "where that is read-only, not the process's own, or gone with its "
			       "container";
		return;
	}
	examination->to = CORE_TO_PATH;
	examination->core_directory = KEEP(examination, "%s", directory);
	if (strchr(directory, '%') || access(host_path(examination, directory), F_OK) == 0) {
		check->means = KEEP(examination, "cores go to %s", directory);
		return;
	}
	check->outcome = OUTCOME_LOST;
	check->means =
		KEEP(examination, "the directory %s does not exist, and the kernel makes none",
		     directory);
	check->set = KEEP(examination, "mkdir -p %s && chmod 1777 %s", directory, directory);
	check->set_in = ROOT_SHELL;
}

static void examine_pattern(struct examination *examination)
{
	const char *pattern = host_file(examination, CORE_PATTERN);
	struct check check = {.concern = CONCERN_CORE,
			      .setting = "kernel.core_pattern",
			      .value = pattern,
			      .set = SET_PATTERN,
			      .set_in = ROOT_SHELL};

	examination->core_directory = "";
	if (!pattern) {
		check.outcome = OUTCOME_UNSURE;
		check.means = CORE_PATTERN " can't be read";
		check.set = check.set_in = NULL;
	} else if (*pattern == '|') {
		examine_pipe(examination, pattern + 1, &check);
	} else if (!*pattern || g_str_equal(pattern, "/dev/null")) {
		examination->to = CORE_TO_NOWHERE;
		check.outcome = OUTCOME_LOST;
		check.means = "cores go nowhere";
	} else {
		examine_path(examination, pattern, &check);
	}
	check_add(examination, &check);
}

static void examine_suid(struct examination *examination)
{
	const char *value = host_file(examination, "/proc/sys/fs/suid_dumpable");
	struct check check = {.concern = CONCERN_CORE,
			      .setting = "fs.suid_dumpable",
			      .value = value,
			      .means = "a program that changes its user or has file capabilities "
				       "leaves no core; others are not concerned"};

	if (value && g_str_equal(value, "0"))
		check_add(examination, &check);
}

static void examine_ptrace(struct examination *examination)
{
	static const char *const meanings[] = {
		"every process of the same user can be attached to",
		"a process can be attached to by root and by its parent",
		"a process can be attached to by root only",
		"no process can be attached to, by root neither",
	};
	const char *value = host_file(examination, "/proc/sys/kernel/yama/ptrace_scope");
	struct check check = {
		.concern = CONCERN_LIVE, .setting = "kernel.yama.ptrace_scope", .value = value};
	guint64 scope;

	if (!value ||
	    !g_ascii_string_to_unsigned(value, 10, 0, G_N_ELEMENTS(meanings) - 1, &scope, NULL))
		return;
	check.means = meanings[scope];
	check.outcome = scope == 3 ? OUTCOME_LOST : OUTCOME_KEPT;
	if (scope == 3) {
		check.set =
			"echo 'kernel.yama.ptrace_scope=1' > /etc/sysctl.d/60-ptrace.conf\nreboot";
		check.set_in = ROOT_SHELL ", as this value can only be lowered by a restart";
	}
	check_add(examination, &check);
}

void examine_disk(struct examination *examination)
{
	const char *directory = examination->core_directory;
	struct check check = {.concern = CONCERN_CORE, .setting = "room for cores"};
	struct statvfs info;
	uint64_t free_bytes;

	if (!*directory || strchr(directory, '%') ||
	    statvfs(host_path(examination, directory), &info) != 0)
		return;
	free_bytes = (uint64_t)info.f_bavail * info.f_frsize;
	check.value =
		KEEP(examination, "%s free in %s", size_words(examination, free_bytes), directory);
	if (examination->core_bytes > free_bytes) {
		check.outcome = OUTCOME_LOST;
		check.means = KEEP(examination, "a core of about %s does not fit",
				   size_words(examination, examination->core_bytes));
	} else if (examination->core_bytes) {
		check.means = KEEP(examination, "a core of about %s fits",
				   size_words(examination, examination->core_bytes));
	} else {
		check.outcome = free_bytes < LITTLE_ROOM ? OUTCOME_UNSURE : OUTCOME_KEPT;
		check.means = "a core is about as large as the process's memory";
	}
	if (check.outcome != OUTCOME_KEPT) {
		check.set = KEEP(examination, "df -h %s", directory);
		check.set_in = "a shell, to see what to remove";
	}
	check_add(examination, &check);
}

void examine_machine(struct examination *examination)
{
	examination->subject = "machine";
	examination->host_known = true;
	examine_pattern(examination);
	examine_handler(examination);
	examine_suid(examination);
	examine_ptrace(examination);
}
