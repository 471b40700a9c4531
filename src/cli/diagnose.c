// SPDX-License-Identifier: Apache-2.0
// The command that the program exists for: whose fault was it?
#include "findings/derive.h"
#include "cli/session.h"

#include "evidence/file/mapping.h"

static void write_report(const struct findings *findings, const struct session *session,
			 enum output_format format)
{
	const struct report_input input = {findings, session->evidence.listed,
					   session->evidence.listed_count};

	if (format == FORMAT_JSON)
		report_json(&input, session->output.stream);
	else
		report_text(&input, &session->style, session->output.stream);
}

static bool is_conflict(const struct findings *findings)
{
	return findings->death == DEATH_MAP_FATAL || findings->death == DEATH_NIL_MAP_WRITE;
}

/* 1: as bad as --fail-on asked about. 4: what is missing kept a verdict from being reached. */
static int exit_status(const struct findings *findings, const struct options *options)
{
	if (findings->death == DEATH_UNKNOWN)
		return findings->program->process && findings->program->process->live ? 0 : 4;
	if (!is_conflict(findings))
		return 0;
	if (options->fail && findings->confidence >= options->fail_on)
		return 1;
	return findings->confidence == CONFIDENCE_UNKNOWN && findings->program->gaps.count ? 4 : 0;
}

static struct error *diagnose(const struct invocation *invocation, int *ret_status)
{
	scoped(session) struct session session = {0};
	scoped(findings) struct findings *findings = NULL;

	TRY(session_open(invocation, invocation->arguments, invocation->argument_count, NEED_DEATH,
			 &session));
	findings = findings_derive(session.program);
	TRY(mappings_check()); // before anything is printed that does not hold
	write_report(findings, &session, invocation->options.format);
	*ret_status = exit_status(findings, &invocation->options);
	return output_commit(&session.output);
}

const struct command command_diagnose = {
	.name = "diagnose",
	.arguments = "EVIDENCE...",
	.summary = "name the map, both goroutines and both lines of a map fatal (the default)",
	.examples =
		"  mapfault core ./server\n"
		"  mapfault core                    # the binary at the path that the core names\n"
		"  mapfault --json core ./server -o report.json\n"
		"  mapfault --source-root ~/src/server core ./server\n"
		"  mapfault --fail-on likely core ./server\n"
		"  gunzip -c core.gz | mapfault - ./server\n"
		"  kubectl logs -p pod | mapfault - ./server\n"
		"  mapfault crash.log ./server heap.pb.gz goroutine.pb.gz\n"
		"  mapfault diagnose -p $(pidof server)  # as it runs: who is in which map\n",
	.about =
		"Reads a core file and the Go program that left it, in any order. The core may be\n"
		"compressed with zstd, lz4 or xz, and the program stripped. Without a core, the "
		"text\n"
		"of the crash as any log kept it, better with the program, and with heap and\n"
		"goroutine profiles of it.\n"
		"Exit status: 0 done; 1 as --fail-on asks; 2 wrong usage; 3 unreadable evidence;\n"
		"4 done, but what is missing kept a verdict from being reached.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_EVIDENCE | OPTIONS_PROCESS | OPTIONS_SOURCE |
		 OPTIONS_VERDICT,
	.arguments_min = 1,
	.arguments_max = 64,
	.run = diagnose,
};
