// SPDX-License-Identifier: Apache-2.0
// Every map operation in a program's code; no core needed.
#include "cli/session.h"

#include "report/lists.h"

static struct error *sites(const struct invocation *invocation, int *ret_status)
{
	scoped(session) struct session session = {0};
	bool system = invocation->options.system;

	TRY(session_open(invocation, invocation->arguments, invocation->argument_count, NEED_IMAGE,
			 &session));
	if (invocation->options.format == FORMAT_JSON)
		report_sites_json(session.program, system, session.output.stream);
	else
		report_sites_text(session.program, system, &session.style, session.output.stream);
	return output_commit(&session.output);
}

const struct command command_sites = {
	.name = "sites",
	.arguments = "BINARY",
	.summary = "list every map operation in a program's code",
	.examples = "  mapfault sites ./server\n"
		    "  mapfault sites ./server | grep 'map\\[string\\]int'\n",
	.about = "A line an operation: address, operation, place, function, map type, and where "
		 "the\n"
		 "code has the map from. Operations of the runtime itself are left out without "
		 "--system.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_EVIDENCE | OPTIONS_SYSTEM,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = sites,
};
