// SPDX-License-Identifier: Apache-2.0
// Which words of a frame the compiler says hold pointers that are still needed: the stack maps of the garbage collector.
#pragma once
#include "model/process/program.h"

/**
 * Visits the pointers in locals and arguments of the physical frame @a frame that are live at its CALL: those that code after it
 * may use. Nothing is left over from earlier there. None where the function has no map for that place.
 */
void live_words(struct program *program, const struct frame *frame,
		void (*visit)(uint64_t value, void *context), void *context);
