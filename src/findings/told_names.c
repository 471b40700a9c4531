// SPDX-License-Identifier: Apache-2.0
// A text without its binary: names, arguments and states are all that tells who may have written. Methods of the detector's
// own object come first, then its code, then who was started where the detector was, then who was at work in its package;
// and before most of them who ran on while the runtime printed, whose stack nobody saw. No more than candidates.
#include "findings/told.h"

#include "model/printout/printout.h"
#include "model/printout/printout_goroutine.h"

#include <string.h>

/** "main.(*index)" of "main.(*index).put": equal ones have receivers of one type; 0 without a receiver. */
static size_t receiver_bytes(const char *function)
{
	const char *open = strstr(function, "(*"), *close = open ? strstr(open, ").") : NULL;

	return close ? (size_t)(close - function) : 0;
}

bool told_same_receiver(const char *a, const char *b)
{
	size_t n = receiver_bytes(a);

	return n && receiver_bytes(b) == n && !strncmp(a, b, n);
}

/** A frame in a method of the same type, or in the very function. */
static bool same_code(const struct frame *a, const struct frame *b)
{
	if (receiver_bytes(a->site->function))
		return told_same_receiver(a->site->function, b->site->function);
	return g_str_equal(a->site->function, b->site->function);
}

/** The innermost frame of the program's own; one of the library when there is no other. */
static const struct frame *own_frame(const struct stack *stack)
{
	size_t user = stack_user_frame(stack, 0);

	for (size_t i = user; i < stack->count; i++)
		if (!go_is_library_function(stack->frames[i].site->function))
			return &stack->frames[i];
	return user < stack->count ? &stack->frames[user] : NULL;
}

static bool same_origin(const struct goroutine *a, const struct goroutine *b)
{
	return a->created_by.function && b->created_by.function &&
	       a->created_by.line == b->created_by.line &&
	       g_str_equal(a->created_by.function, b->created_by.function);
}

/** What it writes, if it does, was written a moment ago. */
static bool waits_for_long(const struct goroutine *goroutine)
{
	return goroutine->wait_ns >= NS_PER_MINUTE && !suspect_is_runnable(goroutine);
}

static void accuse(struct suspect *suspect, enum tier tier, const struct go_site *site,
		   size_t depth)
{
	suspect->tier = tier;
	suspect->operation = MAP_WRITE;
	suspect->site = site;
	suspect->depth = depth;
}

static bool by_code(const struct reasoning *reasoning, struct suspect *suspect)
{
	struct program *program = reasoning->program;
	const struct goroutine *detector = &program->goroutines[reasoning->detected->goroutine];
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];
	const struct frame *of = &detector->stack.frames[stack_user_frame(&detector->stack, 0)];
	bool runs = suspect_is_runnable(goroutine);

	for (size_t i = 0; i < MIN(goroutine->stack.count, TOLD_FRAMES_COMPARED); i++) {
		const struct frame *frame = &goroutine->stack.frames[i];

		if (frame->runtime || !same_code(of, frame))
			continue;
		suspect->relation = told_by_receivers(reasoning, detector, goroutine);
		accuse(suspect,
		       suspect->relation == PATH_SAME && runs ? TIER_SAME_OBJECT : TIER_SAME_CODE,
		       frame->site, i + (runs ? 0 : TOLD_FRAMES_COMPARED));
		return true;
	}
	return false;
}

/** Goroutines that were started by the same line do the same work: writers meet their like. */
static void by_place(const struct reasoning *reasoning, struct suspect *suspect)
{
	struct program *program = reasoning->program;
	const struct goroutine *detector = &program->goroutines[reasoning->detected->goroutine];
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];
	const struct frame *of = own_frame(&detector->stack), *own = own_frame(&goroutine->stack);
	bool runs = suspect_is_runnable(goroutine);

	if (!own)
		return;
	if (runs && map_operation_writes(reasoning->detected->operation) &&
	    same_origin(detector, goroutine)) {
		accuse(suspect, TIER_SAME_ORIGIN, own->site, 0);
		return;
	}
	for (size_t i = 0; i < goroutine->stack.count; i++) {
		const struct frame *frame = &goroutine->stack.frames[i];

		if (frame->runtime || !text_equal(go_package_of(of->site->function),
						  go_package_of(frame->site->function)))
			continue;
		accuse(suspect, runs ? TIER_SAME_PACKAGE : TIER_SAME_PACKAGE_PARKED, frame->site,
		       i);
		return;
	}
}

void told_by_names(const struct reasoning *reasoning, struct suspect *suspect)
{
	static const struct go_site nowhere = {0};
	struct program *program = reasoning->program;
	const struct goroutine *detector = &program->goroutines[reasoning->detected->goroutine];
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];

	if (stack_user_frame(&detector->stack, 0) >= detector->stack.count ||
	    waits_for_long(goroutine))
		return;
	if (!goroutine->stack.count && suspect_is_runnable(goroutine))
		accuse(suspect, TIER_UNSEEN, &nowhere, 0);
	else if (!by_code(reasoning, suspect))
		by_place(reasoning, suspect);
}

/** True when it said all that there is to say. */
bool told_names(struct reasoning *reasoning, const struct suspect *suspect, struct side *side)
{
	static const char *const facts[] = {
		[TIER_SAME_PACKAGE_PARKED] = "it was in code of the detector's package",
		[TIER_SAME_PACKAGE] = "it was at work in code of the detector's package",
		[TIER_SAME_ORIGIN] =
			"it was started by the same line as the detector, which writes",
		[TIER_SAME_CODE] = "it was in code of the same type as the detector",
		[TIER_SAME_OBJECT] = "it was in a method of the very object that the detector used",
		[TIER_UNSEEN] =
			"it ran on another thread as the runtime gave up, and its stack could "
			"not be printed",
	};
	const char *fact = suspect->tier <= TIER_UNSEEN ? facts[suspect->tier] : NULL;

	if (!fact)
		return false;
	if (suspect->tier == TIER_SAME_CODE && suspect->relation == PATH_SAME)
		fact = facts[TIER_SAME_OBJECT];
	if (suspect->tier == TIER_SAME_CODE && suspect->relation == PATH_OTHER)
		fact = "it was in the same code as the detector, on another object";
	witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, 0, "%s", fact);
	return true;
}
