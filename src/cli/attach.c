// SPDX-License-Identifier: Apache-2.0
// Watches a process that runs already.
#include "cli/supervise.h"

static struct error *need_pid(const struct invocation *invocation)
{
	if (invocation->options.pid > 0)
		return NULL;
	return error_with_hint(error_new(ERROR_USAGE, place_whole(""), "%s: which process?",
					 invocation->command->name),
			       "mapfault %s -p PID", invocation->command->name);
}

static struct error *attach(const struct invocation *invocation, int *ret_status)
{
	scoped(tracee) struct tracee *tracee = NULL;
	struct supervised result = {0};

	TRY(need_pid(invocation));
	TRY(supervise_check(&invocation->options));
	TRY(tracee_attach(invocation->options.pid, &tracee));
	TRY(supervise(invocation, tracee, &result));
	*ret_status = result.fail ? 1 : 0;
	return NULL;
}

const struct command command_attach = {
	.name = "attach",
	.arguments = "-p PID",
	.summary = "watch a running process for a map fatal, and name both sides at that instant",
	.examples = "  mapfault attach -p $(pidof server)\n"
		    "  mapfault attach -p $(pidof server) --json -o report.json --fail-on likely\n"
		    "  mapfault attach -p $(pidof server) --core core.fatal\n",
	.about = "Needs the right to trace it: the same user, or CAP_SYS_PTRACE. The process runs "
		 "at full\n"
		 "speed; see `mapfault help run` for what is done to it. Ctrl-C, SIGTERM and "
		 "`mapfault\n"
		 "detach` let go of it, and it runs on unchanged.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_SOURCE | OPTIONS_VERDICT | OPTIONS_PROCESS |
		 OPTIONS_STOP | OPTIONS_RECORDED,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = attach,
};
