// SPDX-License-Identifier: Apache-2.0
// Every map that globals and stacks reach.
#include "cli/session.h"

#include "report/lists.h"

static struct error *maps(const struct invocation *invocation, int *ret_status)
{
	scoped(session) struct session session = {0};

	TRY(session_open(invocation, invocation->arguments, invocation->argument_count, NEED_CORE,
			 &session));
	if (invocation->options.format == FORMAT_JSON)
		report_maps_json(session.program, session.output.stream);
	else
		report_maps_text(session.program, &session.style, session.output.stream);
	return output_commit(&session.output);
}

const struct command command_maps = {
	.name = "maps",
	.arguments = "CORE [BINARY]",
	.summary = "list the maps that globals and stacks reach, largest first",
	.examples = "  mapfault maps core ./server\n"
		    "  mapfault maps -p $(pidof server)     # as it runs\n"
		    "  mapfault maps --json core ./server | jq '.maps[] | select(.count > 1000)'\n",
	.about = "A line a map: address, implementation, entries, type, and who holds it.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_EVIDENCE | OPTIONS_PROCESS,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = maps,
};
