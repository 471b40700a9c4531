// SPDX-License-Identifier: Apache-2.0
// A write to a map that was never made: one goroutine, one line, nobody else.
#include "findings/rules.h"

void nil_map_describe(struct reasoning *reasoning, const struct goroutine *goroutine, size_t panic)
{
	struct side *side = arena_take(reasoning->findings->arena, sizeof(*side));
	const struct stack *stack = &goroutine->stack;
	size_t user = stack_user_frame(stack, panic);

	if (user == stack->count)
		return;
	*side = (struct side){
		.role = SIDE_DETECTOR,
		.operation = MAP_ASSIGN,
		.goroutine = goroutine,
		.site = *stack->frames[user].site,
		.stack = stack,
		.confidence = CONFIDENCE_PROVEN,
		.rule = "",
		.check = MAP_CHECK_NONE,
	};
	witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, stack->frames[user].pc,
		    "the assignment itself panicked: the map is nil");
	reasoning->findings->detector = side;
}
