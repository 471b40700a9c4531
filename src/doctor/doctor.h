// SPDX-License-Identifier: Apache-2.0
// What a crash would leave behind today, and what to set so that it leaves more: asked of a machine, a process, a
// systemd unit, or a container's description. Reads settings only; changes nothing.
#pragma once
#include "base/arena.h"
#include "base/error.h"

#include <sys/types.h>

enum outcome {
	OUTCOME_KEPT,   /**< nothing is lost here */
	OUTCOME_UNSURE, /**< depends on what can't be seen from here */
	OUTCOME_LOST,
};

/** What a setting decides about. */
enum concern {
	CONCERN_CORE,   /**< the core file: proof of who wrote */
	CONCERN_TEXT,   /**< the crash text: the detector, at best all goroutines */
	CONCERN_BINARY, /**< the program that belongs to them */
	CONCERN_LIVE,   /**< looking at the process before it dies */
};
#define CONCERNS 4

/** "kept", "unsure", "lost". */
const char *outcome_name(enum outcome outcome);
/** "core", "text", "binary", "live". */
const char *concern_name(enum concern concern);

/** One setting and what it does to a crash. */
struct check {
	enum concern concern;
	enum outcome outcome;
	const char *
		subject; /**< whose setting: "machine", "process 12", "web.service", "container web" */
	const char *setting; /**< "kernel.core_pattern" */
	const char *value;   /**< as it stands; "" when it is not set */
	const char *means;   /**< a sentence without its full stop */
	const char *set;     /**< the exact lines, '\n' between; "" when there is nothing to do */
	const char *
		set_in; /**< where they go: "a root shell", "[Service] of web.service"; "" with set "" */
};

struct doctor_request {
	const char *root; /**< the tree to look at instead of "/"; "" for the machine itself */
	pid_t pid;        /**< 0: none */
	char *const *paths;
	size_t path_count;
};

struct diagnosis {
	struct arena *arena;
	struct check *checks;
	size_t count, room;
};

/** @a ret must be zeroed; diagnosis_done() frees it, after a failure too. */
struct error *doctor_examine(const struct doctor_request *request, struct diagnosis *ret);
void diagnosis_done(struct diagnosis *diagnosis);
/** The worst of all checks of @a concern; KEPT when there is none. */
enum outcome diagnosis_outcome(const struct diagnosis *diagnosis, enum concern concern);

static inline void diagnosis_free_at(struct diagnosis *diagnosis) { diagnosis_done(diagnosis); }
