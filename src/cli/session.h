// SPDX-License-Identifier: Apache-2.0
// What every command that reads a crashed program begins and ends with.
#pragma once
#include "cli/command.h"
#include "cli/gather.h"
#include "cli/hold.h"
#include "cli/output.h"
#include "report/report.h"

struct session {
	struct output output;
	struct gathered evidence;
	struct program *program;
	struct report_style style;
	struct tracee *tracee; /**< of --pid: stands still until session_done() */
	uint64_t stopped_ns;   /**< when it was stopped */
	bool quiet;
};

/**
 * Opens the output, gathers @a paths and rebuilds the program, with progress; with --pid from that process, which it
 * stops. Zeroed before.
 */
struct error *session_open(const struct invocation *invocation, char *const *paths, size_t count,
			   enum gather_need need, struct session *ret);
void session_done(struct session *session);

static inline void session_free_at(struct session *session) { session_done(session); }
