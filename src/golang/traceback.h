// SPDX-License-Identifier: Apache-2.0
// GOTRACEBACK: what the runtime prints at a fatal error of the program's own, and whether it leaves a core.
#pragma once
#include "golang/version.h"

enum go_traceback {
	GO_TRACEBACK_NONE,
	GO_TRACEBACK_SINGLE, /**< the default */
	GO_TRACEBACK_ALL,
	GO_TRACEBACK_SYSTEM,
	GO_TRACEBACK_CRASH,
};

/**
 * As the runtime reads the variable (setTraceback, runtime/runtime1.go:403@1.22.12): "" is the default, a number is a
 * level. False, and none, for a word that it does not know: it takes that for level 0.
 */
bool go_traceback_parse(struct text text, enum go_traceback *ret);

/** What to set so that the next crash leaves everything. */
#define GO_TRACEBACK_ADVICE                                                                        \
	"to catch the next one whole, start it with GOTRACEBACK=crash and `ulimit -c unlimited` "  \
	"(systemd: Environment=GOTRACEBACK=crash, LimitCORE=infinity; Kubernetes: env "            \
	"GOTRACEBACK=crash and a volume for cores); `mapfault doctor` says what else is missing"

/** What a map fatal leaves. */
struct go_traceback_effect {
	bool stacks;         /**< of the detecting goroutine at least */
	bool others;         /**< of all goroutines */
	bool runtime_frames; /**< with the map function, its arguments and the check's line */
	bool core;           /**< the process aborts, so that the kernel may write one */
};
/** A version that is not known (minor 0) is taken for the newest. */
struct go_traceback_effect go_traceback_effect(enum go_traceback level, struct go_version version);
