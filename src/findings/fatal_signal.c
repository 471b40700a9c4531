// SPDX-License-Identifier: Apache-2.0
// With GOTRACEBACK=crash a dying program sends SIGQUIT to itself, once for every thread, and SIGABRT at
// the end (sighandler and crash, runtime/signal_unix.go): neither is the cause.
#include "findings/fatal_signal.h"

#include <signal.h>
#include <string.h>

static bool is_own(const struct program *program, int32_t sender)
{
	for (size_t i = 0; i < program->thread_count; i++)
		if (program->threads[i].tid == sender)
			return true;
	return false;
}

static bool stands_in(const struct program *program, uint64_t pc, const char *name)
{
	struct go_function function;
	uint32_t table;

	return program_function(program, pc, &function, &table) && !strcmp(function.name, name);
}

static bool is_relayed(const struct program *program, const struct signal_frame *frame)
{
	if (frame->code > 0 || !is_own(program, frame->sender))
		return false;
	return frame->signal == SIGQUIT ||
	       (frame->signal == SIGABRT &&
		stands_in(program, frame->interrupted.pc, "runtime.raise"));
}

bool fatal_signal_find(struct program *program, struct fatal_signal *ret)
{
	for (size_t i = 0; i < program->thread_count; i++) {
		struct fatal_signal found = {.thread = &program->threads[i]};

		if (!signal_frame_find(program, found.thread, &found.frame) ||
		    !go_signal_text(found.frame.signal) || is_relayed(program, &found.frame))
			continue;
		*ret = found;
		return true;
	}
	return false;
}

const char *fatal_signal_text(struct reasoning *reasoning, const struct fatal_signal *signal)
{
	struct program *program = reasoning->program;
	struct arena *arena = reasoning->findings->arena;
	const struct signal_frame *frame = &signal->frame;
	const char *name = go_signal_text(frame->signal);
	struct go_function function;
	uint32_t table;

	if (frame->code <= 0 && is_own(program, frame->sender))
		return arena_format(arena, "%s, raised by the program itself", name);
	if (frame->code <= 0 && frame->sender > 0)
		return arena_format(arena, "%s, sent by process %d", name, frame->sender);
	if (frame->code <= 0)
		return name;
	return arena_format(arena, "%s at address %#llx, in %s", name,
			    (unsigned long long)frame->fault,
			    program_function(program, frame->interrupted.pc, &function, &table)
				    ? function.name
				    : "code that is not Go's");
}
