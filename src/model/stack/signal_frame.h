// SPDX-License-Identifier: Apache-2.0
// What a thread was doing when a signal interrupted it, and which: the kernel's frame on the signal
// stack.
#pragma once
#include "model/stack/unwind.h"

struct signal_frame {
	struct unwind_start interrupted;
	int32_t signal;
	int32_t code;   /**< si_code: positive when the processor or the kernel raised it */
	int32_t sender; /**< process that sent it; 0 when nobody did */
	uint64_t fault; /**< address that was touched, of SIGSEGV and SIGBUS */
};

/**
 * When @a thread's stack pointer is on its gsignal stack, reads the frame that the outermost
 * handler interrupted: a handler may itself be interrupted by the signal that it dies of.
 * @return false when it is not in a signal handler, or the frame can't be found
 */
bool signal_frame_find(struct program *program, const struct thread *thread,
		       struct signal_frame *ret);
