// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

static struct error *help(const struct invocation *invocation, int *ret_status)
{
	const struct command *command;

	*ret_status = 0;
	if (invocation->argument_count == 0) {
		commands_help(stdout);
		return NULL;
	}
	command = command_find(invocation->arguments[0]);
	if (!command)
		return error_new(ERROR_USAGE, place_whole(""), "there is no command \"%s\"",
				 invocation->arguments[0]);
	command_help(command, stdout);
	return NULL;
}

const struct command command_help_about = {
	.name = "help",
	.arguments = "[COMMAND]",
	.summary = "show what a command does",
	.examples = "  mapfault help\n  mapfault help diagnose\n",
	.about = "Without a command, lists all of them.\n",
	.arguments_max = 1,
	.run = help,
};
