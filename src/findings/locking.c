// SPDX-License-Identifier: Apache-2.0
// Knows code, not moments: that a function takes a lock says nothing of which lock, or whether it held it then.
#include "findings/locking.h"

#include <string.h>

#define FRAMES_SEARCHED                                                                            \
	4 /* of the user's own, innermost first: locks are taken near what they guard */

static const char *const lock_functions[] = {"sync.(*Mutex).", "sync.(*RWMutex).",
					     "internal/sync.(*Mutex)."};

static bool is_lock(const struct program *program, uint64_t entry)
{
	struct go_function function;
	uint32_t table;

	if (!program_function(program, entry, &function, &table))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(lock_functions); i++)
		if (g_str_has_prefix(function.name, lock_functions[i]))
			return true;
	return false;
}

static bool function_locks(const struct program *program, const struct go_function *function)
{
	size_t count;
	const uint64_t *callees = sites_callees(program->sites, function, &count);

	for (size_t i = 0; i < count; i++)
		if (is_lock(program, callees[i]))
			return true;
	return false;
}

static bool stack_locks(const struct program *program, const struct stack *stack)
{
	size_t searched = 0;

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

bool both_take_locks(const struct reasoning *reasoning, const struct suspect *suspect)
{
	const struct program *program = reasoning->program;
	const struct goroutine *detector = &program->goroutines[reasoning->detected->goroutine];
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];

	if (!program->sites)
		return false;
	if (!stack_locks(program, &detector->stack))
		return false;
	return stack_locks(program, &goroutine->stack) ||
	       (suspect->ghost_count && function_locks(program, &suspect->ghost->site->caller)) ||
	       (suspect->path.site && function_locks(program, &suspect->path.site->site->caller));
}
