// SPDX-License-Identifier: Apache-2.0
// Runs a program under watch, as if it were run without.
#include "cli/supervise.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/** Ends this process as the program ended; its core, if any, is not to be overwritten by one of ours. */
static void end_as(int status)
{
	const struct rlimit none = {0};
	sigset_t set;

	if (!WIFSIGNALED(status))
		return;
	fflush(NULL);
	setrlimit(RLIMIT_CORE, &none);
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(WTERMSIG(status));
}

static struct error *run(const struct invocation *invocation, int *ret_status)
{
	char **arguments = invocation->arguments;
	scoped(tracee) struct tracee *tracee = NULL;
	struct supervised result = {0};
	struct error *error;

	if (*arguments && g_str_equal(*arguments, "--"))
		arguments++;
	if (!*arguments)
		return error_with_hint(error_new(ERROR_USAGE, place_whole(""), "run: no program"),
				       "mapfault run -- ./server --port 8080");
	TRY(supervise_check(&invocation->options));
	TRY(tracee_launch(arguments, &tracee));
	error = supervise(invocation, tracee, &result);
	if (!result.ended)
		return error;
	// the program's own status counts, whatever befell the watching
	if (error)
		fprintf(stderr, "mapfault: %s\n  next: %s\n", error_text(error), error_hint(error));
	error_free(error);
	*ret_status = WIFEXITED(result.status) ? WEXITSTATUS(result.status) : 0;
	end_as(result.status);
	return NULL;
}

const struct command command_run = {
	.name = "run",
	.arguments = "-- PROGRAM [ARGUMENT...]",
	.summary = "run a program, and name both sides at the instant of a map fatal",
	.examples = "  mapfault run -- ./server --port 8080\n"
		    "  mapfault run --record -- ./server             # proof, by the flight "
		    "recorder\n"
		    "  mapfault run --json -o report.json -- ./server\n"
		    "  mapfault run --core core.fatal -- ./server    # keep that moment, too\n"
		    "  mapfault run --hold -- ./server               # and stop there, for a "
		    "debugger\n",
	.about = "The program keeps its standard streams, signals, job control and exit status, "
		 "and runs\n"
		 "at full speed: one byte of its code is changed, at the function that raises the "
		 "fatal\n"
		 "error. There every thread is stopped within microseconds, the verdict is taken, "
		 "and the\n"
		 "program goes on to die as it would have. The verdict goes to standard error.\n"
		 "Programs that it starts are not watched; one that it becomes by exec is.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_SOURCE | OPTIONS_STOP | OPTIONS_RECORDED,
	.arguments_min = 1,
	.arguments_max = SIZE_MAX,
	.run = run,
};
