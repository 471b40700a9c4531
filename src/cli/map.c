// SPDX-License-Identifier: Apache-2.0
// One map: header, growth, whether its structure is sound, who holds it, and its keys when asked.
#include "cli/session.h"

#include "report/lists.h"

static struct error *read_address(const char *text, uint64_t *ret)
{
	const char *digits = text + (g_str_has_prefix(text, "0x") ? 2 : 0);
	guint64 value;

	if (!g_ascii_string_to_unsigned(digits, 16, 1, UINT64_MAX, &value, NULL))
		return error_with_hint(
			error_new(ERROR_USAGE, place_whole(""), "\"%s\" is no address", text),
			"mapfault map 0xc000012340 CORE BINARY");
	*ret = value;
	return NULL;
}

static struct error *map(const struct invocation *invocation, int *ret_status)
{
	const struct options *options = &invocation->options;
	struct map_request request = {.keys = options->values, .limit = (uint64_t)options->limit};
	scoped(session) struct session session = {0};
	bool found;

	TRY(read_address(invocation->arguments[0], &request.address));
	TRY(session_open(invocation, invocation->arguments + 1, invocation->argument_count - 1,
			 NEED_CORE, &session));
	if (options->format == FORMAT_JSON)
		found = report_map_json(session.program, &request, session.output.stream);
	else
		found = report_map_text(session.program, &request, &session.style,
					session.output.stream);
	if (!found)
		return error_with_hint(error_new(ERROR_NOT_FOUND, place_whole(""),
						 "no map stands at %#llx",
						 (unsigned long long)request.address),
				       "see `mapfault maps` for those that there are");
	return output_commit(&session.output);
}

const struct command command_map = {
	.name = "map",
	.arguments = "ADDRESS CORE [BINARY]",
	.summary = "show one map: header, growth, integrity, owners",
	.examples = "  mapfault map 0xc000012340 core ./server\n"
		    "  mapfault map 0xc000012340 --values --limit 20 core ./server\n"
		    "  mapfault map 0xc000012340 -p $(pidof server)\n",
	.about = "Keys are shown only with --values; elements never are.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_EVIDENCE | OPTIONS_PROCESS | OPTIONS_VALUES,
	.arguments_min = 2,
	.arguments_max = 3,
	.run = map,
};
