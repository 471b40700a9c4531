// SPDX-License-Identifier: Apache-2.0
// A frame that stands at an arbitrary instruction, as the innermost one of a thread that was running: what its function
// was given is where the code up to that instruction has put it, in a register or on the stack.
#pragma once
#include "model/process/program.h"

/**
 * The @a index-th argument word of the function of an exact frame, under ABIInternal.
 * @return false when the code does not say where it is, or it is gone
 */
bool exact_frame_argument(struct program *program, const struct frame *frame, unsigned index,
			  uint64_t *ret);
/** Whether a register of the thread that stands there holds @a value. */
bool exact_frame_has(const struct program *program, const struct frame *frame, uint64_t value);
