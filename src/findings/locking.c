// SPDX-License-Identifier: Apache-2.0
// Knows code, not moments: that a function takes a lock says nothing of which lock, or whether it held it then.
#include "findings/locking.h"

#include <string.h>

#define FRAMES_SEARCHED                                                                            \
	4 /* of the user's own, innermost first: locks are taken near what they guard */

/* What is left to call of a method that was inlined counts for it; the shared first. */
static const struct {
	const char *prefix;
	enum lock_use use;
} lock_functions[] = {
	{"sync.(*RWMutex).RLock", LOCK_SHARED},
	{"sync.(*RWMutex).TryRLock", LOCK_SHARED},
	{"sync.(*RWMutex).RUnlock", LOCK_SHARED},
	{"sync.(*RWMutex).rUnlockSlow", LOCK_SHARED},
	{"sync.runtime_SemacquireRWMutexR", LOCK_SHARED},
	{"sync.(*RWMutex).", LOCK_ALONE},
	{"sync.(*Mutex).", LOCK_ALONE},
	{"internal/sync.(*Mutex).", LOCK_ALONE},
};

static enum lock_use lock_use_of(const struct program *program, uint64_t entry)
{
	struct go_function function;
	uint32_t table;

	if (!program_function(program, entry, &function, &table))
		return LOCK_NONE;
	for (size_t i = 0; i < G_N_ELEMENTS(lock_functions); i++)
		if (g_str_has_prefix(function.name, lock_functions[i].prefix))
			return lock_functions[i].use;
	return LOCK_NONE;
}

enum lock_use locking_in(const struct program *program, const struct go_function *function)
{
	enum lock_use most = LOCK_NONE;
	size_t count = 0;
	const uint64_t *callees =
		program->sites ? sites_callees(program->sites, function, &count) : NULL;

	for (size_t i = 0; i < count; i++)
		most = MAX(most, lock_use_of(program, callees[i]));
	return most;
}

static bool function_locks(const struct program *program, const struct go_function *function)
{
	return locking_in(program, function) != LOCK_NONE;
}

bool stack_takes_locks(const struct program *program, const struct stack *stack)
{
	size_t searched = 0;

	if (!program->sites)
		return false;
	for (size_t i = stack_user_frame(stack, 0); i < stack->count && searched < FRAMES_SEARCHED;
	     i++) {
		const struct frame *frame = &stack->frames[i];

		if (frame->site->inlined || go_is_runtime_function(frame->function->name))
			continue;
		if (function_locks(program, frame->function))
			return true;
		searched++;
	}
	return false;
}
