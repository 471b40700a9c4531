// SPDX-License-Identifier: Apache-2.0
// The machine code that the recorder puts into a process: one piece for each hook, which keeps the record,
// does what the replaced instructions did, and jumps back. It touches nothing but the flight memory, keeps
// every register, and needs less stack than the runtime leaves to its own functions.
#pragma once
#include "evidence/recorded/flight_format.h"
#include "record/plan.h"

/**
 * A page of the process's own that the kernel wipes in a process that is forked off: the child finds nothing in it,
 * and leaves its parent's record alone.
 */
struct trampoline_own {
	uint64_t recording; /**< 1 until a check has failed */
	uint64_t is_owner;  /**< 1 */
};

#define TRAMPOLINE_OWN_BYTES 4096u

/** Where things will stand in the process. Code and flight memory within 2 GiB of the text and of each other. */
struct trampoline_room {
	uint64_t code;   /**< of TRAMPOLINE_CODE_BYTES */
	uint64_t own;    /**< struct trampoline_own */
	uint64_t flight; /**< the shared memory's header */
	uint64_t copy;   /**< private memory for the copy at death, as large; 0: none is made */
};

#define TRAMPOLINE_CODE_BYTES (256u << 10)

struct trampolines {
	uint8_t *code; /**< free() it */
	size_t code_size;
	uint64_t *targets; /**< of each of the plan's hooks: where its piece begins; free() it */
};

/** False when something cannot be reached from where the room is. */
bool trampolines_make(const struct plan *plan, const struct flight_header *flight,
		      struct decoder *decoder, const struct trampoline_room *room,
		      struct trampolines *ret);
void trampolines_done(struct trampolines *trampolines);
