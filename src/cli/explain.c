// SPDX-License-Identifier: Apache-2.0
// The reasoning behind a report, fact by fact.
#include "cli/command.h"
#include "cli/output.h"

#include "report/explain.h"

static struct error *explain(const struct invocation *invocation, int *ret_status)
{
	const struct options *options = &invocation->options;
	const struct report_style style = {.color = options->color, .width = options_width()};
	scoped(output) struct output output = {0};

	if (options->format == FORMAT_JSON)
		return error_new(
			ERROR_USAGE, place_whole(""),
			"explain reads JSON and writes text; the report itself is the JSON");
	TRY(output_open(options->output, &output));
	TRY(report_explain(invocation->arguments[0], &style, output.stream));
	return output_commit(&output);
}

const struct command command_explain = {
	.name = "explain",
	.arguments = "REPORT.json",
	.summary = "tell the reasoning behind a report, fact by fact",
	.examples =
		"  mapfault --json core ./server -o report.json && mapfault explain report.json\n"
		"  mapfault --json core ./server | mapfault explain -\n",
	.about = "Why this map, why these goroutines, who was ruled out and why, what is missing "
		 "and\n"
		 "what it would decide. Needs neither the core nor the program.\n",
	.takes = OPTIONS_OUTPUT,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = explain,
};
