// SPDX-License-Identifier: Apache-2.0
// What a thread was doing when a signal interrupted it: the kernel's ucontext on the signal stack.
#pragma once
#include "model/unwind.h"

/**
 * When @a thread's stack pointer is on its gsignal stack, finds the PC and SP that the
 * outermost handler interrupted.
 * @return false when it is not in a signal handler, or the context can't be found
 */
bool signal_frame_find(struct program *program, const struct thread *thread,
		       struct unwind_start *ret);
