// SPDX-License-Identifier: Apache-2.0
// Stack walks by Go's own frame sizes (pcsp tables), as the runtime's traceback does them.
#pragma once
#include "model/process/program.h"

/** Where a walk begins. */
struct unwind_start {
	uint64_t pc, sp;
	uint64_t lr; /**< arm64: the link register; 0 when unknown */
	bool exact;  /**< pc is the instruction it stopped at (registers), not a return address */
};

/**
 * Where the goroutine's own stack is to be walked from: its thread's registers when it was running
 * on it, the interrupted context when a signal handler was on top, the syscall's or scheduler's
 * saved state else.
 * @return false when none of them lies on the goroutine's stack
 */
bool unwind_start_of(struct program *program, const struct goroutine *goroutine,
		     struct unwind_start *ret);

/**
 * Walks from @a start to the top of the stack [@a lo, @a hi). Frames are allocated in the program's
 * arena; a walk that can't go on ends with stack.broken saying why.
 */
struct stack unwind_stack(struct program *program, const struct unwind_start *start, uint64_t lo,
			  uint64_t hi);

/** The goroutine's stack, unwound at the first call. */
const struct stack *program_stack(struct program *program, struct goroutine *goroutine);

/** What is known of an argument read from a frame. */
enum argument_trust {
	ARGUMENT_MISSING, /**< its slot is not dumped */
	/** The register was not, or is not shown to have been, written to its slot */
	ARGUMENT_STALE,
	ARGUMENT_UNRECORDED, /**< this compiler keeps no record: it may be from an earlier call */
	ARGUMENT_LIVE, /**< the slot holds the argument at this PC, by the compiler's own record */
};

/**
 * Argument @a index (pointer-sized, counted from 0, only pointer-sized ones before it) of the
 * function whose physical frame this is: on the stack up to Go 1.16, in the spill slot of its
 * register since.
 */
enum argument_trust frame_argument(struct program *program, const struct frame *frame,
				   unsigned index, uint64_t *ret);
