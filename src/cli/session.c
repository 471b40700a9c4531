// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include "cli/progress.h"
#include "model/process/program_open.h"

static uint64_t now_ns(void) { return (uint64_t)g_get_monotonic_time() * 1000; }

static struct error *gather_process(const struct options *options, char *const *paths, size_t count,
				    struct session *ret)
{
	struct live *live;

	TRY(tracee_attach(options->pid, &ret->tracee));
	ret->stopped_ns = now_ns();
	TRY(hold_evidence(ret->tracee, 0, &live));
	return gather_live(live, paths, count, options, &ret->evidence);
}

struct error *session_open(const struct invocation *invocation, char *const *paths, size_t count,
			   enum gather_need need, struct session *ret)
{
	const struct options *options = &invocation->options;
	scoped(progress) struct progress progress = progress_start("reading the evidence", options);

	ret->style = (struct report_style){.color = options->color,
					   .width = options_width(),
					   .source_root = options->source_root,
					   .values = options->values};
	TRY(output_open(options->output, &ret->output));
	ret->quiet = options->quiet;
	if (options->pid)
		TRY(gather_process(options, paths, count, ret));
	else
		TRY(gather(paths, count, need, options, &ret->evidence));
	return gathered_program(&ret->evidence, &ret->program);
}

static void let_go(struct session *session)
{
	error_free(tracee_detach(session->tracee));
	if (!session->quiet && session->stopped_ns)
		fprintf(stderr, "mapfault: %s stood still for %.1f ms\n",
			tracee_name(session->tracee),
			(double)(now_ns() - session->stopped_ns) / 1e6);
	tracee_close(session->tracee);
}

void session_done(struct session *session)
{
	if (session->program)
		program_close(session->program);
	gathered_done(&session->evidence);
	if (session->tracee)
		let_go(session);
	output_done(&session->output);
}
