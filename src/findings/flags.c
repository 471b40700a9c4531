// SPDX-License-Identifier: Apache-2.0
// Who was in an operation on the map, what its check of the writing flag saw, and what that can
// prove.
#include "findings/rules.h"

static const char *saw_or_set(const struct map_call *call)
{
	if (call->in_fatal && call->check == MAP_CHECK_ENTRY)
		return "found the writing flag set at entry";
	if (call->in_fatal && call->check == MAP_CHECK_EXIT)
		return "found the writing flag cleared by another at exit";
	if (call->in_fatal)
		return "found the writing flag wrong";
	if (map_operation_writes(call->operation))
		return "was inside a write, which sets the flag";
	return "was reading, which only looks at the flag";
}

static const char *state_now(const struct reasoning *reasoning)
{
	const struct conflict_map *map = &reasoning->findings->map;

	if (!map->readable)
		return "the map's header was not dumped";
	return map->header.writing ? "the flag is set now"
				   : "the flag is clear now; its writer may have finished since: "
				     "that clears nobody";
}

void flags_tabulate(struct reasoning *reasoning)
{
	struct findings *findings = reasoning->findings;
	struct program *program = reasoning->program;

	if (!findings->map.address)
		return;
	findings->flags =
		arena_array(findings->arena, reasoning->calls->len, sizeof(*findings->flags));
	for (guint i = 0; i < reasoning->calls->len; i++) {
		const struct map_call *call = &g_array_index(reasoning->calls, struct map_call, i);

		if (call != reasoning->detected && call->map != findings->map.address)
			continue;
		findings->flags[findings->flag_count++] = (struct flag_row){
			&program->goroutines[call->goroutine],
			call->operation,
			saw_or_set(call),
			state_now(reasoning),
		};
	}
}
