// SPDX-License-Identifier: Apache-2.0
// Before Go 1.21 a goroutine does not know who started it, only where: of the main goroutine alone, whose code runs once,
// that is enough.
#include "findings/sequence.h"

#define ANCESTORS_MAX  16
#define MAIN_GOROUTINE 1

/** The function's code at @a end or later calls @a callee. */
static bool calls_later(struct write_reach *reach, const struct go_function *function, uint64_t end,
			uint64_t callee)
{
	size_t count;
	const struct caller *callers = callers_of(write_reach_callers(reach), callee, &count);

	for (size_t i = 0; i < count; i++)
		if (!callers[i].value && callers[i].end > end && callers[i].end <= function->end)
			return true;
	return false;
}

/** Was @a started by that goroutine, after frame @a index had passed @a end for good? */
static bool started_after(const struct reasoning *reasoning, struct write_reach *reach,
			  const struct goroutine *started, const struct goroutine *by, size_t index,
			  uint64_t end)
{
	struct go_function creator;
	uint32_t table;

	if (!started->go_pc ||
	    !program_function(reasoning->program, started->go_pc - 1, &creator, &table))
		return false;
	for (size_t i = 0; i <= index && i < by->stack.count; i++) {
		const struct frame *frame = &by->stack.frames[i];

		if (frame->site->inlined || frame->function->entry != creator.entry)
			continue;
		return i < index || started->go_pc >= end;
	}
	return calls_later(reach, by->stack.frames[index].function, end, creator.entry);
}

bool sequence_before_detector(const struct reasoning *reasoning, struct write_reach *reach,
			      const struct goroutine *goroutine, size_t index,
			      const struct write_path *path)
{
	const struct goroutine *started =
		&reasoning->program->goroutines[reasoning->detected->goroutine];
	uint64_t end = path->way.count ? path->way.steps[0].end : path->site->site->call_pc + 1;

	for (unsigned i = 0; i < ANCESTORS_MAX && started && started != goroutine; i++) {
		if (started->parent_id ? started->parent_id == goroutine->id
				       : goroutine->id == MAIN_GOROUTINE)
			return started_after(reasoning, reach, started, goroutine, index, end);
		started = program_goroutine(reasoning->program, started->parent_id);
	}
	return false;
}
