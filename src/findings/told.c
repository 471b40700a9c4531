// SPDX-License-Identifier: Apache-2.0
// The runtime stops the world before it prints, so a stack shows where a goroutine was stopped after the check had fired:
// inside a write of the same map is as good as in a core. An address that may be stale proves nothing, and neither does
// an address in a frame that does not write. Two fatal errors in one text convict both where they were of one map: code
// that uses two maps without a lock may trip over both at once.
#include "findings/told.h"

#include "model/printout/printout.h"
#include "model/printout/printout_start.h"

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

static const struct go_site *user_site(const struct reasoning *reasoning,
				       const struct map_call *call)
{
	const struct stack *stack = &reasoning->program->goroutines[call->goroutine].stack;

	return call->user < stack->count ? stack->frames[call->user].site : NULL;
}

static bool same_line(const struct reasoning *reasoning, const struct map_call *a,
		      const struct map_call *b)
{
	const struct go_site *x = user_site(reasoning, a), *y = user_site(reasoning, b);

	return x && y && site_equal(x, y);
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
	return *ret_same || (call->in_fatal && same_line(reasoning, call, detected))
		       ? TIER_IN_WRITE
		       : TIER_WRITE_SAME_TYPE;
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

enum path_relation told_by_receivers(const struct reasoning *reasoning, const struct goroutine *a,
				     const struct goroutine *b)
{
	enum path_relation found = PATH_UNKNOWN;

	for (size_t i = 0; i < MIN(a->stack.count, TOLD_FRAMES_COMPARED); i++) {
		const char *function = a->stack.frames[i].site->function;
		const char *path =
			told_same_receiver(function, function) && !a->stack.frames[i].site->inlined
				? printout_argument_path(reasoning->program, a, i, 0)
				: NULL;

		for (size_t j = 0; path && j < MIN(b->stack.count, TOLD_FRAMES_COMPARED); j++) {
			const char *other = b->stack.frames[j].site->function;
			enum path_relation relation;

			if (!told_same_receiver(function, other) ||
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

const struct map_site *told_site(const struct suspect *suspect)
{
	if (suspect->call && suspect->call->site && suspect->tier >= TIER_WRITE_SAME_TYPE)
		return suspect->call->site;
	return suspect->path.site ? suspect->path.site->site : NULL;
}

static const struct go_site *site_of_entry(const struct reasoning *reasoning,
					   const struct go_function *function)
{
	struct go_site sites[PCLNTAB_MAX_INLINED];
	size_t count = program_sites(reasoning->program, function->entry, sites);

	return arena_copy(reasoning->findings->arena,
			  count ? &sites[count - 1] : &(struct go_site){.function = function->name},
			  sizeof(*sites));
}

/** Its stack was not printed: what it was started to do may come to a write. */
static void examine_unseen(const struct reasoning *reasoning, struct write_reach *reach,
			   struct suspect *suspect)
{
	static const struct go_site nowhere = {0};
	struct program *program = reasoning->program;
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];
	struct go_function function;
	struct write_path path;

	if (goroutine->stack.count || !suspect_is_runnable(goroutine))
		return;
	suspect->tier = TIER_UNSEEN;
	suspect->operation = MAP_WRITE;
	suspect->site = &nowhere;
	if (!printout_started(program, &goroutine->created_by, &function) ||
	    !write_reach_from(reach, &function, function.entry, &path))
		return;
	suspect->tier = TIER_REACH_RUNNABLE;
	suspect->path = path;
	suspect->operation = path.site->site->function->operation;
	suspect->stands = site_of_entry(reasoning, &function);
	suspect->site = suspect_user_site(program, path.site->site->call_pc);
}

/** Fields of one offset may be one field, whoever writes it; but what a method takes from its own receiver is its own. */
static bool may_be_one_field(const struct map_site *write, const struct map_site *known)
{
	return known && write->source.kind == MAP_SOURCE_FIELD &&
	       known->source.kind == MAP_SOURCE_FIELD && !write->source.first_argument &&
	       write->source.offset == known->source.offset;
}

/** A write of another object, or of a map of which the code does not say that it is this one while it says so of others. */
static bool is_of_other_map(const struct reasoning *reasoning, const struct write_reach *reach,
			    const struct suspect *suspect)
{
	const struct map_site *site = suspect->call->site;

	return suspect->relation == PATH_OTHER ||
	       (site && site->type && write_reach_is_exact(reach) &&
		!may_be_one_field(site, reasoning->detected->site) &&
		write_reach_match(reach, site) < SITE_SAME_FIELD);
}

/** A write of another map is no better than a way to a write of this one. */
static void demote(struct program *program, struct suspect *suspect)
{
	suspect->tier = suspect_is_runnable(&program->goroutines[suspect->goroutine])
				? TIER_REACH_RUNNABLE
				: TIER_REACH_PARKED;
	if (suspect->path.site && suspect->stands)
		suspect_take_path(program, suspect);
}

static bool is_surely_same(const struct reasoning *reasoning, const struct suspect *suspect)
{
	uint64_t map = sure_map(suspect->call);

	return suspect->same_variable || (map && map == sure_map(reasoning->detected));
}

static enum path_relation relation_of_maps(const struct reasoning *reasoning,
					   const struct suspect *suspect)
{
	const struct map_call *detected = reasoning->detected;

	return printout_path_compare(path_of(reasoning, detected->goroutine, detected->site),
				     path_of(reasoning, suspect->goroutine, told_site(suspect)));
}

/** Code and objects say more of who raised the fatal as well than his line does. */
static void weigh_second(const struct reasoning *reasoning, struct suspect *suspect)
{
	if (!suspect->call || !suspect->call->in_fatal || is_surely_same(reasoning, suspect))
		return;
	if (suspect->tier == TIER_WRITE_SAME_TYPE &&
	    relation_of_maps(reasoning, suspect) == PATH_SAME)
		suspect->tier = TIER_IN_WRITE;
	else if (suspect->tier == TIER_IN_WRITE && suspect->relation == PATH_OTHER)
		suspect->tier = TIER_WRITE_SAME_TYPE;
}

static enum path_relation relation_of(const struct reasoning *reasoning,
				      const struct suspect *suspect)
{
	enum path_relation relation = relation_of_maps(reasoning, suspect);

	return relation != PATH_UNKNOWN
		       ? relation
		       : told_by_receivers(
				 reasoning,
				 &reasoning->program->goroutines[reasoning->detected->goroutine],
				 &reasoning->program->goroutines[suspect->goroutine]);
}

void told_relate(const struct reasoning *reasoning, struct write_reach *reach,
		 struct suspect *suspect)
{
	if (!reasoning->program->sites && !suspect->tier && !suspect->call)
		told_by_names(reasoning, suspect);
	if (reasoning->program->sites && !suspect->tier && !suspect->call)
		examine_unseen(reasoning, reach, suspect);
	if (!suspect->tier || suspect->tier == TIER_UNSEEN ||
	    (!reasoning->program->sites && !suspect->call))
		return;
	suspect->relation = relation_of(reasoning, suspect);
	weigh_second(reasoning, suspect);
	if (!reasoning->program->sites)
		return;
	if (suspect->tier == TIER_WRITE_SAME_TYPE && is_of_other_map(reasoning, reach, suspect))
		demote(reasoning->program, suspect);
}

void told_relation(struct reasoning *reasoning, const struct suspect *suspect, struct side *side)
{
	if (told_names(reasoning, suspect, side))
		return;
	if (suspect->relation == PATH_UNKNOWN)
		return;
	witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, 0,
		    suspect->relation == PATH_SAME
			    ? "its write takes the map from the same place as the detector's "
			      "operation does"
			    : "its write takes the map from another object than the detector's "
			      "operation does");
}

static bool is_alike(const struct reasoning *reasoning, const struct side *side,
		     const struct suspect *suspect)
{
	const struct goroutine *a = side->goroutine;
	const struct goroutine *b = &reasoning->program->goroutines[suspect->goroutine];

	return a && a->stack.count && a->stack.frames == b->stack.frames &&
	       a->status == b->status && side->site.line == suspect->site->line &&
	       g_str_equal(side->rule, tier_rule(suspect->tier));
}

bool told_listed(const struct reasoning *reasoning, const struct suspect *suspect)
{
	const struct findings *findings = reasoning->findings;

	if (!reasoning->program->printout || suspect->tier == TIER_IN_WRITE)
		return false;
	for (size_t i = 0; i < findings->candidate_count; i++)
		if (is_alike(reasoning, &findings->candidates[i], suspect))
			return true;
	return false;
}

void told_crowd(struct reasoning *reasoning, const GArray *suspects, guint index, struct side *side)
{
	uint64_t more = 0;

	if (!reasoning->program->printout || !side->goroutine->stack.count)
		return;
	for (guint i = index; i < suspects->len; i++) {
		const struct suspect *suspect = &g_array_index(suspects, struct suspect, i);

		if (suspect->tier && is_alike(reasoning, side, suspect))
			more += MAX(reasoning->program->goroutines[suspect->goroutine].count, 1u);
	}
	if (more > 1)
		witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, 0,
			    "%llu more goroutine%s stood at the same place",
			    (unsigned long long)more - 1, more == 2 ? "" : "s");
}

enum confidence told_confidence(const struct reasoning *reasoning, const struct suspect *suspect)
{
	if (suspect->tier != TIER_IN_WRITE)
		return CONFIDENCE_POSSIBLE;
	if (sure_map(suspect->call) && sure_map(suspect->call) == sure_map(reasoning->detected))
		return CONFIDENCE_PROVEN;
	// two who raised the fatal at one line may each have raced on a map of his own
	return suspect->relation == PATH_SAME ||
			       (suspect->same_variable && suspect->relation != PATH_OTHER)
		       ? CONFIDENCE_LIKELY
		       : CONFIDENCE_POSSIBLE;
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
