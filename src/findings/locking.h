// SPDX-License-Identifier: Apache-2.0
// Do both sides take locks? Then each may well be guarded against the other, and a third party is the one to look for.
#pragma once
#include "findings/suspect.h"

enum lock_use {
	LOCK_NONE,
	LOCK_SHARED, /**< RWMutex.RLock and nothing stronger */
	LOCK_ALONE,  /**< Lock of a Mutex or RWMutex */
};

/** The strongest lock that the code of @a function takes, by the functions that it calls directly. */
enum lock_use locking_in(const struct program *program, const struct go_function *function);
/** Does the code of the stack's innermost few functions of the program's own call into sync.Mutex or sync.RWMutex? */
bool stack_takes_locks(const struct program *program, const struct stack *stack);
/**
 * Both the detector's code and the suspect's call into sync.Mutex or sync.RWMutex: in the functions that they stand in,
 * a few calls up, or in the function of the write.
 */
bool both_take_locks(const struct reasoning *reasoning, const struct suspect *suspect);
