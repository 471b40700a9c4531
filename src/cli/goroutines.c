// SPDX-License-Identifier: Apache-2.0
// Every goroutine with its stack, or one of them.
#include "cli/session.h"

#include "report/lists.h"

static struct error *list(const struct invocation *invocation, char *const *paths, size_t count,
			  uint64_t id)
{
	const struct options *options = &invocation->options;
	const struct goroutine_filter filter = {.id = id,
						.system = options->system,
						.each = options->all,
						.blocked = options->blocked};
	scoped(session) struct session session = {0};

	TRY(session_open(invocation, paths, count, NEED_GOROUTINES, &session));
	if (id && !program_goroutine(session.program, id))
		return error_with_hint(error_new(ERROR_USAGE, place_whole(""),
						 "there is no goroutine %llu",
						 (unsigned long long)id),
				       "see `mapfault goroutines` for those that there are");
	if (options->format == FORMAT_JSON)
		report_goroutines_json(session.program, &filter, session.output.stream);
	else
		report_goroutines_text(session.program, &filter, &session.style,
				       session.output.stream);
	return output_commit(&session.output);
}

static struct error *goroutines(const struct invocation *invocation, int *ret_status)
{
	return list(invocation, invocation->arguments, invocation->argument_count, 0);
}

static struct error *goroutine(const struct invocation *invocation, int *ret_status)
{
	guint64 id;

	if (!g_ascii_string_to_unsigned(invocation->arguments[0], 10, 1, UINT64_MAX, &id, NULL))
		return error_with_hint(error_new(ERROR_USAGE, place_whole(""),
						 "\"%s\" is no goroutine's number",
						 invocation->arguments[0]),
				       "mapfault goroutine 18 CORE BINARY");
	return list(invocation, invocation->arguments + 1, invocation->argument_count - 1, id);
}

const struct command command_goroutines = {
	.name = "goroutines",
	.arguments = "CORE|TEXT [BINARY]",
	.summary = "list goroutines, grouped by equal stacks",
	.examples = "  mapfault goroutines core ./server\n"
		    "  mapfault goroutines --all core ./server\n"
		    "  mapfault goroutines -p $(pidof server)     # as it runs\n"
		    "  mapfault goroutines --json core ./server | jq '.goroutines[].state'\n",
	.about = "The largest group comes first, with how long its goroutines have waited.\n"
		 "The runtime's own goroutines are left out without --system.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_EVIDENCE | OPTIONS_PROCESS | OPTIONS_ALL | OPTIONS_SYSTEM,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = goroutines,
};

const struct command command_goroutine = {
	.name = "goroutine",
	.arguments = "N CORE|TEXT [BINARY]",
	.summary = "show one goroutine",
	.examples = "  mapfault goroutine 18 core ./server\n"
		    "  mapfault goroutine 18 -p $(pidof server)\n",
	.about = "N is the goroutine's number, as crash output and reports have it.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_EVIDENCE | OPTIONS_PROCESS,
	.arguments_min = 2,
	.arguments_max = 3,
	.run = goroutine,
};
