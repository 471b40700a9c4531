// SPDX-License-Identifier: Apache-2.0
// What a crash would leave behind today, on this machine, of a process, or as a unit or a container is described.
#include "cli/command.h"

#include "cli/output.h"
#include "doctor/doctor.h"
#include "report/doctor.h"

/* The evidence that a verdict needs: a loss here is what the exit status tells. */
static bool loses_evidence(const struct diagnosis *diagnosis)
{
	return diagnosis_outcome(diagnosis, CONCERN_CORE) == OUTCOME_LOST ||
	       diagnosis_outcome(diagnosis, CONCERN_TEXT) == OUTCOME_LOST ||
	       diagnosis_outcome(diagnosis, CONCERN_BINARY) == OUTCOME_LOST;
}

static struct error *doctor(const struct invocation *invocation, int *ret_status)
{
	const struct options *options = &invocation->options;
	const struct report_style style = {.color = options->color, .width = options_width()};
	const struct doctor_request request = {
		.root = options->root ? options->root : "",
		.pid = options->pid,
		.paths = invocation->arguments,
		.path_count = invocation->argument_count,
	};
	scoped(output) struct output output = {0};
	scoped(diagnosis) struct diagnosis diagnosis = {0};

	if (options->pid < 0)
		return error_new(ERROR_USAGE, place_whole(""), "--pid must be a process's number");
	TRY(output_open(options->output, &output));
	TRY(doctor_examine(&request, &diagnosis));
	if (options->format == FORMAT_JSON)
		report_doctor_json(&diagnosis, output.stream);
	else
		report_doctor_text(&diagnosis, &style, output.stream);
	*ret_status = loses_evidence(&diagnosis) ? 4 : 0;
	return output_commit(&output);
}

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "[UNIT.service | POD.yaml | COMPOSE.yaml | INSPECT.json]...",
	.summary = "say what a crash would leave behind today, and what to set",
	.examples = "  mapfault doctor                        # this machine and this shell\n"
		    "  mapfault doctor --pid $(pidof server)  # a running process\n"
		    "  mapfault doctor server.service\n"
		    "  mapfault doctor deployment.yaml\n"
		    "  docker inspect web > web.json && mapfault doctor web.json\n",
	.about =
		"Looks at everything that decides whether a crash leaves a core file and a whole\n"
		"text: the kernel's core pattern and its handler, limits, GOTRACEBACK, log rates,\n"
		"volumes, room on disk, and the binary itself. Changes nothing.\n"
		"Exit status: 0 when nothing is lost; 4 when a core, the other goroutines' stacks\n"
		"or the binary would be.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_DOCTOR,
	.arguments_min = 0,
	.arguments_max = 64,
	.run = doctor,
};
