// SPDX-License-Identifier: Apache-2.0
// Lets go of a watched process: asks its watcher to, or repairs what a watcher that was killed left behind.
#include "cli/supervise.h"

#include "cli/fatal_entry.h"
#include "evidence/process/proc_maps.h"
#include "record/recorder.h"

#include <signal.h>

#define PATIENCE_MS 10000

/** Who traces it; 0 when nobody does. */
static struct error *tracer_of(pid_t pid, pid_t *ret)
{
	g_autofree char *status = NULL;
	const char *at;

	TRY(proc_file_read(pid, "status", &status, NULL));
	at = strstr(status, "\nTracerPid:");
	*ret = at ? (pid_t)g_ascii_strtoll(at + strlen("\nTracerPid:"), NULL, 10) : 0;
	return NULL;
}

static bool is_mapfault(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int)pid);
	g_autofree char *name = NULL;

	return g_file_get_contents(path, &name, NULL, NULL) && g_str_has_prefix(name, "mapfault");
}

static struct error *ask(pid_t pid, pid_t tracer)
{
	pid_t now = tracer;

	if (!is_mapfault(tracer))
		return error_with_hint(error_new(ERROR_REFUSED, place_whole(""),
						 "process %d is traced by process %d, which is not "
						 "mapfault",
						 (int)pid, (int)tracer),
				       "end that one");
	if (kill(tracer, supervise_detach_signal()) != 0)
		return error_with_hint(error_new(ERROR_REFUSED, place_whole(""),
						 "mapfault, process %d, cannot be asked to let go",
						 (int)tracer),
				       "run this as the same user, or with sudo");
	for (int ms = 0; now == tracer && ms < PATIENCE_MS; ms++) {
		g_usleep(1000);
		TRY(tracer_of(pid, &now));
	}
	if (now != tracer)
		return NULL;
	return error_new(ERROR_SYSTEM, place_whole(""), "mapfault, process %d, does not let go",
			 (int)tracer);
}

static struct error *repair(const struct invocation *invocation, pid_t pid, size_t *ret)
{
	scoped(gathered) struct gathered gathered = {0};
	struct fatal_stop stop;
	struct live *live;

	TRY(live_open(pid, NULL, 0, &live));
	TRY(gather_live(live, NULL, 0, &invocation->options, &gathered));
	TRY(fatal_entries(&gathered, &stop));
	TRY(fatal_stop_repair(&stop, pid, ret));
	return fatal_stop_repair_shields(pid, ret);
}

/** `record -p` leaves one that nobody watches. */
static struct error *take_recorder_out(pid_t pid)
{
	scoped(tracee) struct tracee *tracee = NULL;

	TRY(tracee_attach(pid, &tracee));
	TRY(recorder_remove(tracee));
	return tracee_detach(tracee);
}

static struct error *detach(const struct invocation *invocation, int *ret_status)
{
	pid_t pid = invocation->options.pid, tracer;
	size_t repaired = 0;
	bool recorded;

	if (pid <= 0)
		return error_with_hint(
			error_new(ERROR_USAGE, place_whole(""), "detach: from which process?"),
			"mapfault detach -p PID");
	TRY(tracer_of(pid, &tracer));
	if (tracer)
		TRY(ask(pid, tracer));
	TRY(repair(invocation, pid, &repaired));
	recorded = recorder_is_in(pid);
	if (recorded)
		TRY(take_recorder_out(pid));
	if (!invocation->options.quiet)
		fprintf(stderr, "mapfault: process %d is not watched%s%s%s\n", (int)pid,
			tracer ? " any more" : "",
			recorded ? "; the flight recorder was taken out of it" : "",
			repaired ? "; what a killed watcher had left in it is repaired" : "");
	return NULL;
}

const struct command command_detach = {
	.name = "detach",
	.arguments = "-p PID",
	.summary = "let go of a process that is watched, and leave it as it was",
	.examples = "  mapfault detach -p $(pidof server)\n",
	.about = "Asks the mapfault that watches it to let go. When that one was killed, the bytes "
		 "that it\n"
		 "had changed in the process are restored from the binary. A flight recorder that\n"
		 "`mapfault record -p` put in is taken out; its record stays.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_PROCESS,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = detach,
};
