// SPDX-License-Identifier: Apache-2.0
// The runtime stops the world before it prints, so a stack shows where a goroutine was stopped after the check had fired:
// inside a write of the same map is as good as in a core. An address that may be stale proves nothing, and neither does
// an address in a frame that does not write. Two fatal errors in one text convict both.
#include "findings/told.h"

#include "model/printout.h"

#include <string.h>

#define FRAMES_COMPARED 12u /* of each stack: what shares an object is near the map's use */

/** "32", "64" or "str" of a function that the compiler chose by the key's type; "" of all others. */
static const char *key_class(const struct map_call *call)
{
	static const char *const classes[] = {"32", "64", "str"};
	const char *at = call->function ? strstr(call->function->name, "_fast") : NULL;

	for (size_t i = 0; at && i < G_N_ELEMENTS(classes); i++)
		if (g_str_has_prefix(at + strlen("_fast"), classes[i]))
			return classes[i];
	return "";
}

/** Maps of different types, by the types themselves or by the functions that they call for. */
static bool differ(const struct map_call *a, const struct map_call *b)
{
	const char *x = key_class(a), *y = key_class(b);

	if (a->type && b->type)
		return a->type != b->type;
	return *x && *y && !g_str_equal(x, y);
}

static bool same_variable(const struct map_call *a, const struct map_call *b)
{
	return a->site && b->site && a->site->source.kind == MAP_SOURCE_GLOBAL &&
	       b->site->source.kind == MAP_SOURCE_GLOBAL &&
	       a->site->source.address == b->site->source.address;
}

static bool other_variable(const struct map_call *a, const struct map_call *b)
{
	return a->site && b->site && a->site->source.kind == MAP_SOURCE_GLOBAL &&
	       b->site->source.kind == MAP_SOURCE_GLOBAL &&
	       a->site->source.address != b->site->source.address;
}

static uint64_t sure_map(const struct map_call *call) { return call->map_inferred ? 0 : call->map; }

enum tier told_tier(const struct reasoning *reasoning, const struct map_call *call, bool *ret_same)
{
	const struct map_call *detected = reasoning->detected;
	uint64_t map = sure_map(call), its = sure_map(detected);

	if (map && its)
		return map == its ? TIER_IN_WRITE : TIER_NONE;
	if (differ(call, detected) || other_variable(call, detected))
		return TIER_NONE;
	*ret_same = same_variable(call, detected);
	return *ret_same || call->in_fatal ? TIER_IN_WRITE : TIER_WRITE_SAME_TYPE;
}

const char *told_map(const struct reasoning *reasoning, const struct suspect *suspect)
{
	const struct map_call *call = suspect->call;

	if (sure_map(call) && sure_map(call) == sure_map(reasoning->detected))
		return "this very map";
	if (suspect->same_variable)
		return "the map in this very variable";
	return call->type && call->type == reasoning->type ? "a map of this type"
							   : "a map that the text does not name";
}

/** The frame that stands in the function of @a site; stack.count when none does. */
static size_t frame_in(const struct stack *stack, const struct map_site *site)
{
	size_t i = 0;

	while (i < stack->count && (stack->frames[i].site->inlined ||
				    stack->frames[i].function->entry != site->caller.entry))
		i++;
	return i;
}

static const char *path_of(const struct reasoning *reasoning, uint32_t goroutine,
			   const struct map_site *site)
{
	struct program *program = reasoning->program;
	const struct goroutine *whose = &program->goroutines[goroutine];
	size_t frame;

	if (!site || !program->sites)
		return NULL;
	frame = frame_in(&whose->stack, site);
	return frame < whose->stack.count ? printout_map_path(program, whose, frame, site) : NULL;
}

/** "main.(*index)" of "main.(*index).put": equal ones have receivers of one type; 0 without a receiver. */
static size_t receiver_bytes(const char *function)
{
	const char *open = strstr(function, "(*"), *close = open ? strstr(open, ").") : NULL;

	return close ? (size_t)(close - function) : 0;
}

/** Methods of one type on both stacks: are they of the same object? */
static enum path_relation by_receivers(const struct reasoning *reasoning, const struct goroutine *a,
				       const struct goroutine *b)
{
	enum path_relation found = PATH_UNKNOWN;

	for (size_t i = 0; i < MIN(a->stack.count, FRAMES_COMPARED); i++) {
		const char *function = a->stack.frames[i].site->function;
		size_t n = receiver_bytes(function);
		const char *path = n && !a->stack.frames[i].site->inlined
					   ? printout_argument_path(reasoning->program, a, i, 0)
					   : NULL;

		for (size_t j = 0; path && j < MIN(b->stack.count, FRAMES_COMPARED); j++) {
			const char *other = b->stack.frames[j].site->function;
			enum path_relation relation;

			if (receiver_bytes(other) != n || strncmp(function, other, n) ||
			    b->stack.frames[j].site->inlined)
				continue;
			relation = printout_path_compare(
				path, printout_argument_path(reasoning->program, b, j, 0));
			if (relation == PATH_SAME)
				return relation;
			found = relation == PATH_OTHER ? relation : found;
		}
	}
	return found;
}

/** A frame of @a b that is in a method of the type, or in the very function, that frame @a of stands in. */
static bool same_code(const struct frame *of, const struct frame *b)
{
	size_t n = receiver_bytes(of->site->function);

	if (!n)
		return g_str_equal(of->site->function, b->site->function);
	return receiver_bytes(b->site->function) == n &&
	       !strncmp(of->site->function, b->site->function, n);
}

/** Without a binary, names are all that tells who may write: methods of the detector's own object first. */
static void examine_names(const struct reasoning *reasoning, struct suspect *suspect)
{
	struct program *program = reasoning->program;
	const struct goroutine *detector = &program->goroutines[reasoning->detected->goroutine];
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];
	size_t user = stack_user_frame(&detector->stack, 0);
	const struct frame *of = &detector->stack.frames[user];

	if (user >= detector->stack.count)
		return;
	for (size_t i = 0; i < MIN(goroutine->stack.count, FRAMES_COMPARED); i++) {
		const struct frame *frame = &goroutine->stack.frames[i];

		if (frame->runtime || !same_code(of, frame))
			continue;
		suspect->relation = by_receivers(reasoning, detector, goroutine);
		suspect->tier = suspect->relation == PATH_SAME && suspect_is_runnable(goroutine)
					? TIER_SAME_OBJECT
					: TIER_SAME_CODE;
		suspect->operation = MAP_WRITE;
		suspect->site = frame->site;
		suspect->depth = i + (suspect_is_runnable(goroutine) ? 0 : FRAMES_COMPARED);
		return;
	}
}

const struct map_site *told_site(const struct suspect *suspect)
{
	if (suspect->call && suspect->call->site && suspect->tier >= TIER_WRITE_SAME_TYPE)
		return suspect->call->site;
	return suspect->path.site ? suspect->path.site->site : NULL;
}

void told_relate(const struct reasoning *reasoning, struct suspect *suspect)
{
	const struct map_call *detected = reasoning->detected;
	const struct map_site *site = told_site(suspect);

	if (!reasoning->program->sites && !suspect->tier && !suspect->call)
		examine_names(reasoning, suspect);
	if (!suspect->tier || !reasoning->program->sites)
		return;
	suspect->relation =
		printout_path_compare(path_of(reasoning, detected->goroutine, detected->site),
				      path_of(reasoning, suspect->goroutine, site));
	if (suspect->relation == PATH_UNKNOWN)
		suspect->relation = by_receivers(
			reasoning, &reasoning->program->goroutines[detected->goroutine],
			&reasoning->program->goroutines[suspect->goroutine]);
	// a write of another object's map is no better than a way to a write
	if (suspect->relation == PATH_OTHER && suspect->tier == TIER_WRITE_SAME_TYPE)
		suspect->tier =
			suspect_is_runnable(&reasoning->program->goroutines[suspect->goroutine])
				? TIER_REACH_RUNNABLE
				: TIER_REACH_PARKED;
}

void told_relation(struct reasoning *reasoning, const struct suspect *suspect, struct side *side)
{
	if (suspect->tier == TIER_SAME_CODE || suspect->tier == TIER_SAME_OBJECT) {
		witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, 0,
			    suspect->relation == PATH_SAME
				    ? "it was in a method of the very object that the detector used"
			    : suspect->relation == PATH_OTHER
				    ? "it was in the same code as the detector, on another object"
				    : "it was in code of the same type as the detector");
		return;
	}
	if (suspect->relation == PATH_UNKNOWN)
		return;
	witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, 0,
		    suspect->relation == PATH_SAME
			    ? "its write takes the map from the same place as the detector's "
			      "operation does"
			    : "its write takes the map from another object than the detector's "
			      "operation does");
}

enum confidence told_confidence(const struct reasoning *reasoning, const struct suspect *suspect)
{
	if (suspect->tier != TIER_IN_WRITE)
		return CONFIDENCE_POSSIBLE;
	if (sure_map(suspect->call) && sure_map(suspect->call) == sure_map(reasoning->detected))
		return CONFIDENCE_PROVEN;
	return CONFIDENCE_LIKELY;
}

void told_caveat(struct reasoning *reasoning)
{
	struct findings *findings = reasoning->findings;
	const struct printout *printout = reasoning->program->printout;

	if (findings->death != DEATH_MAP_FATAL || printout->death == PRINTOUT_RACE)
		return;
	if (!printout->goroutines)
		findings->caveat = "the text has no stack at all: neither side is in it";
	else if (printout->goroutines == 1)
		findings->caveat =
			"the text has the goroutine that noticed and no other: the writer "
			"is not in it";
	else if (printout->cut)
		findings->caveat = "the text is cut off: the writer may be in what is gone";
}

void told_gaps(struct reasoning *reasoning)
{
	struct program *program = reasoning->program;
	const struct printout *printout = program->printout;

	if (printout->goroutines <= 1)
		program_gap(program, "the other goroutines",
			    "the text holds the goroutine that noticed and no other",
			    "who wrote the map");
	else if (!reasoning->findings->other)
		program_gap(program, "the other goroutine, beyond doubt",
			    "no goroutine was printed inside a write that is surely of this map",
			    "a core (GOTRACEBACK=crash) shows more than a text, a race build "
			    "(go build -race) names both sides");
	if (!program->image)
		program_gap(program, "the binary", "none was given",
			    "the type of the map, and which goroutines can come to a write of one");
}
