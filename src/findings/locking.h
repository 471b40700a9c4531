// SPDX-License-Identifier: Apache-2.0
// Which locks code takes.
#pragma once
#include "findings/reasoning.h"

enum lock_use {
	LOCK_NONE,
	LOCK_SHARED, /**< RWMutex.RLock and nothing stronger */
	LOCK_ALONE,  /**< Lock of a Mutex or RWMutex */
};

/** The strongest lock that the code of @a function takes, by the functions that it calls directly. */
enum lock_use locking_in(const struct program *program, const struct go_function *function);
/** Does the code of the stack's innermost few functions of the program's own call into sync.Mutex or sync.RWMutex? */
bool stack_takes_locks(const struct program *program, const struct stack *stack);
