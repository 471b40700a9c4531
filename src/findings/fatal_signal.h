// SPDX-License-Identifier: Apache-2.0
// The signal that ended the process, when it was one.
#pragma once
#include "findings/reasoning.h"
#include "model/stack/signal_frame.h"

struct fatal_signal {
	const struct thread *thread; /**< that took it first */
	struct signal_frame frame;
};

/**
 * @return false when no thread is in a handler of a signal that the runtime dies of
 */
bool fatal_signal_find(struct program *program, struct fatal_signal *ret);
/** "SIGSEGV: segmentation violation at address 0x8, in code that is not Go's" */
const char *fatal_signal_text(struct reasoning *reasoning, const struct fatal_signal *signal);
