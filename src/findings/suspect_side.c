// SPDX-License-Identifier: Apache-2.0
#include "findings/suspect_side.h"

#include "findings/told.h"

static void tell_call(struct reasoning *reasoning, const struct suspect *suspect, struct side *side)
{
	const struct map_call *call = suspect->call;
	const struct stack *stack = side->stack;
	const char *what = reasoning->program->printout     ? told_map(reasoning, suspect)
			   : suspect->tier == TIER_IN_WRITE ? "this very map"
							    : "a map of this type";

	witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, stack->frames[call->first].cfa,
		    "it was inside %s on %s %s", call->function ? call->function->name : "a write",
		    what, reasoning_moment(reasoning));
	if (suspect->tier == TIER_IN_WRITE && reasoning->program->process &&
	    reasoning->program->process->later.ns)
		witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, 0,
			    "the detector had let go of nothing, so no lock keeps the two apart");
	if (call->in_fatal)
		witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, stack->frames[0].pc,
			    "it had tripped the check too and waited to report it");
}

static void tell_ghost(struct reasoning *reasoning, const struct suspect *suspect,
		       struct side *side)
{
	const struct ghost *ghost = suspect->ghost;

	witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, ghost->slot,
		    "its dead stack holds the return address of the call of %s at %s, with this "
		    "very map in "
		    "the argument slot; when that call was made, it does not tell",
		    ghost->site->function->name,
		    site_short(reasoning->findings->arena,
			       suspect_user_site(reasoning->program, ghost->site->call_pc)));
}

static void tell_alone(struct reasoning *reasoning, struct side *side)
{
	const struct goroutine *detector =
		&reasoning->program->goroutines[reasoning->detected->goroutine];

	witness_add(reasoning, &side->witnesses, EVIDENCE_BINARY, 0,
		    "of all lines of the program that may write this map, none but %s can have "
		    "run since goroutine %llu was started, and no other goroutine can have run it",
		    site_short(reasoning->findings->arena, &side->site),
		    (unsigned long long)detector->id);
}

/** "2 direct calls", "a goroutine that it starts" ...: the way from where it stands to the write. */
static const char *way_words(struct reasoning *reasoning, const struct write_path *path)
{
	const char *calls = arena_format(reasoning->findings->arena, "%u call%s away", path->calls,
					 path->calls == 1 ? "" : "s");

	if (write_path_starts(path))
		return arena_format(reasoning->findings->arena, "%s, in a goroutine that it starts",
				    calls);
	if (write_path_guesses(path))
		return arena_format(reasoning->findings->arena,
				    "%s, through an interface or a function value", calls);
	for (unsigned i = 0; i < path->way.count; i++)
		if (path->way.steps[i].kind == WAY_HANDED)
			return arena_format(reasoning->findings->arena,
					    "%s, in a function value that is made there", calls);
	return arena_format(reasoning->findings->arena, "%u direct call%s away", path->calls,
			    path->calls == 1 ? "" : "s");
}

static void tell_past(struct reasoning *reasoning, const struct suspect *suspect, struct side *side)
{
	if (!suspect->path.again)
		witness_add(reasoning, &side->witnesses, EVIDENCE_BINARY,
			    suspect->path.site->site->call_pc,
			    suspect->before
				    ? "that write came before the goroutine that noticed "
				      "was started"
				    : "it was past that write for good: no loop leads back to it");
}

static void tell_aim(struct reasoning *reasoning, const struct suspect *suspect, struct side *side)
{
	if (reasoning->program->printout || suspect->relation == PATH_UNKNOWN)
		return;
	witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, 0,
		    suspect->relation == PATH_SAME
			    ? "followed from its frames, that write is of this very map"
			    : "followed from its frames, that write is of another map just now");
}

const char *suspect_match_words(enum site_match match)
{
	static const char *const words[] = {
		[SITE_OTHER_MAP] = "another map",
		[SITE_SAME_TYPE] = "a map of this type",
		[SITE_SAME_FIELD] = "the field that holds this map",
		[SITE_SAME_MAP] = "the variable that holds this map",
	};

	return words[match];
}

static void tell_path(struct reasoning *reasoning, const struct suspect *suspect, struct side *side)
{
	const struct write_path *path = &suspect->path;
	uint64_t call_pc = path->site->site->call_pc;
	const char *what = path->site->site->type ? suspect_match_words(path->site->match)
						  : "a map that reflection leads to";

	if (!suspect->stands)
		witness_add(reasoning, &side->witnesses, EVIDENCE_BINARY, call_pc,
			    "what it was started with comes to a write of %s", what);
	else if (path->calls)
		witness_add(reasoning, &side->witnesses, EVIDENCE_BINARY, call_pc,
			    "from %s (%s) a write of %s is %s",
			    function_short(suspect->stands->function),
			    site_short(reasoning->findings->arena, suspect->stands), what,
			    way_words(reasoning, path));
	else
		witness_add(reasoning, &side->witnesses, EVIDENCE_BINARY, call_pc,
			    "it stands in %s (%s), which writes %s",
			    function_short(suspect->stands->function),
			    site_short(reasoning->findings->arena, suspect->stands), what);
	if (suspect->stands)
		tell_past(reasoning, suspect, side);
	tell_aim(reasoning, suspect, side);
	if (suspect->reaches)
		witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, 0,
			    "its stack or the code's own variable leads to this map");
}

static void tell_state(struct reasoning *reasoning, const struct goroutine *goroutine,
		       struct side *side)
{
	const char *state = *goroutine->wait_reason ? goroutine->wait_reason
						    : go_status_name(goroutine->status);

	witness_add(reasoning, &side->witnesses, EVIDENCE_CORE, goroutine->address,
		    suspect_is_runnable(goroutine) ? "it was running or ready to run (%s)"
						   : "it was not running (%s)",
		    state);
}

void tell_profile(struct reasoning *reasoning, const struct map_site_profile *profile,
		  struct side *side)
{
	if (profile->alloc_bytes)
		witness_add(reasoning, &side->witnesses, EVIDENCE_HEAP_PROFILE, 0,
			    "the heap profile shows that this write has grown its map: %llu bytes "
			    "allocated, %llu in use",
			    (unsigned long long)profile->alloc_bytes,
			    (unsigned long long)profile->inuse_bytes);
	if (profile->goroutines)
		witness_add(reasoning, &side->witnesses, EVIDENCE_GOROUTINE_PROFILE, 0,
			    "the goroutine profile has %llu goroutine%s for which this is the "
			    "nearest write",
			    (unsigned long long)profile->goroutines,
			    profile->goroutines == 1 ? "" : "s");
}

struct side suspect_side(struct reasoning *reasoning, const struct suspect *suspect,
			 enum side_role role, enum confidence confidence)
{
	const struct goroutine *goroutine = &reasoning->program->goroutines[suspect->goroutine];
	bool second = suspect->call && suspect->call->in_fatal && suspect->tier == TIER_IN_WRITE;
	struct side side = {
		.role = role,
		.operation = suspect->operation,
		.goroutine = goroutine,
		.site = *suspect->site,
		.stack = &goroutine->stack,
		.confidence = confidence,
		.rule = second           ? "second_detector"
			: suspect->alone ? "only_writer"
					 : tier_rule(suspect->tier),
	};

	reasoning->told_of = goroutine;
	if (suspect->tier >= TIER_WRITE_SAME_TYPE)
		tell_call(reasoning, suspect, &side);
	if (suspect->alone)
		tell_alone(reasoning, &side);
	if (suspect->ghost_count)
		tell_ghost(reasoning, suspect, &side);
	if (reasoning->program->printout)
		told_relation(reasoning, suspect, &side);
	if (suspect->path.site)
		tell_path(reasoning, suspect, &side);
	tell_profile(reasoning, &suspect->profile, &side);
	if (suspect->place != suspect->place_before)
		witness_add(reasoning, &side.witnesses, EVIDENCE_HEAP_PROFILE, 0,
			    "the profiles moved it from place %zu to place %zu",
			    suspect->place_before, suspect->place);
	tell_state(reasoning, goroutine, &side);
	return side;
}
