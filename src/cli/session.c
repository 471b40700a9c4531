// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include "cli/progress.h"

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
	TRY(gather(paths, count, need, options, &ret->evidence));
	return gathered_program(&ret->evidence, &ret->program);
}

void session_done(struct session *session)
{
	if (session->program)
		program_close(session->program);
	gathered_done(&session->evidence);
	output_done(&session->output);
}
