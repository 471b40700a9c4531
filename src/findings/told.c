// SPDX-License-Identifier: Apache-2.0
// The runtime stops the world before it prints, so a stack shows where a goroutine was stopped after the check had fired:
// inside a write of the same map is as good as in a core. An address that may be stale proves nothing, and neither does
// an address in a frame that does not write. Two fatal errors in one text convict both.
#include "findings/told.h"

#include "model/printout.h"

#include <string.h>

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

enum confidence told_confidence(const struct reasoning *reasoning, const struct suspect *suspect)
{
	if (suspect->tier != TIER_IN_WRITE)
		return CONFIDENCE_POSSIBLE;
	if (sure_map(suspect->call) && sure_map(suspect->call) == sure_map(reasoning->detected))
		return CONFIDENCE_PROVEN;
	return CONFIDENCE_LIKELY;
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
