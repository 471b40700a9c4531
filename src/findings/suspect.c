// SPDX-License-Identifier: Apache-2.0
#include "findings/suspect.h"

#include "findings/told.h"
#include "model/spot.h"

#include <string.h>

#define REACH_HOPS 4

static const char *const rules[] = {
	[TIER_NONE] = "none",
	[TIER_SAME_CODE] = "same_code",
	[TIER_SAME_OBJECT] = "same_object",
	[TIER_REACH_PARKED] = "reach_parked",
	[TIER_GHOST_DEAD] = "ghost_write_ended",
	[TIER_GHOST_PARKED] = "ghost_write_parked",
	[TIER_REACH_RUNNABLE] = "reach_runnable",
	[TIER_GHOST_RUNNABLE] = "ghost_write",
	[TIER_WRITE_SAME_TYPE] = "in_write_op_same_type",
	[TIER_IN_WRITE] = "in_write_op",
};

const char *tier_rule(enum tier tier) { return rules[tier]; }

/** Waits that the runtime imposes in the middle of work are no sign of having finished. */
static const char *const imposed_waits[] = {
	"GC assist wait",     "GC assist marking",  "wait for GC cycle", "preempted",
	"GC worker (active)", "stopping the world", "force gc (idle)",
};

bool suspect_is_runnable(const struct goroutine *goroutine)
{
	switch (goroutine->status) {
	case GO_STATUS_RUNNABLE:
	case GO_STATUS_RUNNING:
	case GO_STATUS_PREEMPTED:
	case GO_STATUS_COPYSTACK:
		return true;
	default:
		break;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(imposed_waits); i++)
		if (!strcmp(goroutine->wait_reason, imposed_waits[i]))
			return true;
	return false;
}

/** The innermost source position of a call that the user wrote. */
static const struct go_site *user_site(struct program *program, uint64_t call_pc)
{
	static const struct go_site unknown = {.function = "?", .file = "?"};
	const struct spot *spot = program_spot(program, call_pc, true);
	size_t i = 0;

	if (!spot || !spot->site_count)
		return &unknown;
	while (i + 1 < spot->site_count && spot->runtime[i])
		i++;
	return &spot->sites[i];
}

static enum tier tier_of_call(const struct reasoning *reasoning, const struct map_call *call)
{
	const struct findings *findings = reasoning->findings;

	if (call->map && call->map == findings->map.address)
		return TIER_IN_WRITE;
	if (!call->map && call->type && call->type == reasoning->type &&
	    (!findings->map.address ||
	     map_call_may_use(reasoning->program, call, findings->map.address)))
		return TIER_WRITE_SAME_TYPE;
	return TIER_NONE;
}

static void examine_call(struct reasoning *reasoning, struct suspect *suspect)
{
	const struct map_call *call = reasoning_call(reasoning, suspect->goroutine);
	const struct stack *stack = &reasoning->program->goroutines[suspect->goroutine].stack;

	suspect->call = call;
	if (!call || !map_operation_writes(call->operation) || call->user >= stack->count)
		return;
	if (reasoning->program->printout)
		suspect->tier = told_tier(reasoning, call, &suspect->same_variable);
	else
		suspect->tier = tier_of_call(reasoning, call);
	if (!suspect->tier)
		return;
	suspect->operation = call->operation;
	suspect->site = stack->frames[call->user].site;
}

static void examine_ghosts(struct reasoning *reasoning, struct suspect *suspect, bool dead)
{
	struct program *program = reasoning->program;
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];

	if (!reasoning->findings->map.address)
		return;
	suspect->ghost_count = ghosts_of_writes(program, goroutine,
						reasoning->findings->map.address, &suspect->ghost);
	if (!suspect->ghost_count || suspect->tier)
		return;
	suspect->tier = dead                             ? TIER_GHOST_DEAD
			: suspect_is_runnable(goroutine) ? TIER_GHOST_RUNNABLE
							 : TIER_GHOST_PARKED;
	suspect->operation = suspect->ghost->site->function->operation;
	suspect->site = user_site(program, suspect->ghost->site->call_pc);
}

static bool is_nearer(const struct write_path *path, size_t depth, const struct suspect *suspect)
{
	const struct write_path *best = &suspect->path;

	if (!best->site)
		return true;
	if (path->site->match != best->site->match)
		return path->site->match > best->site->match;
	if (path->again != best->again)
		return path->again;
	return depth + path->calls < suspect->depth + best->calls;
}

static bool code_reaches(struct inquiry *inquiry, const struct frame *frame)
{
	return inquiry->reachability &&
	       reachability_from_code(inquiry->reachability, frame->function, REACH_HOPS);
}

static void consider_path(struct inquiry *inquiry, struct suspect *suspect,
			  const struct frame *frame, size_t depth, const struct write_path *path)
{
	if (!is_nearer(path, depth, suspect))
		return;
	suspect->path = *path;
	suspect->depth = depth;
	suspect->stands = frame->site;
	suspect->reaches = code_reaches(inquiry, frame);
}

/** The nearest write site from any of the goroutine's own frames; C code may call back what is exported to it. */
static void examine_frames(struct inquiry *inquiry, struct suspect *suspect)
{
	struct program *program = inquiry->reasoning->program;
	const struct stack *stack =
		program_stack(program, &program->goroutines[suspect->goroutine]);
	size_t depth = 0;

	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		struct write_path path;
		bool in_c;

		if (frame->site->inlined || !frame->function->entry)
			continue;
		in_c = frame->runtime && !strcmp(frame->function->name, "runtime.cgocall");
		if (frame->runtime && !in_c)
			continue;
		if (in_c ? write_reach_from_c(inquiry->reach, &path)
			 : write_reach_from(inquiry->reach, frame->function, frame->pc, &path))
			consider_path(inquiry, suspect, frame, depth, &path);
		depth++;
	}
}

static void examine_reach(struct inquiry *inquiry, struct suspect *suspect)
{
	struct program *program = inquiry->reasoning->program;
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];

	examine_frames(inquiry, suspect);
	if (!suspect->path.site)
		return;
	if (suspect->path.site->match == SITE_SAME_MAP)
		suspect->reaches = true;
	if (!suspect->reaches && inquiry->reachability)
		suspect->reaches =
			reachability_from_stack(inquiry->reachability, goroutine, REACH_HOPS);
	if (suspect->tier || (inquiry->reachability && !suspect->reaches))
		return;
	suspect->tier = suspect_is_runnable(goroutine) ? TIER_REACH_RUNNABLE : TIER_REACH_PARKED;
	suspect->operation = suspect->path.site->site->function->operation;
	suspect->site =
		go_is_runtime_function(suspect->path.site->site->caller.name)
			? suspect->stands // a write through reflect is the line that asked for it
			: user_site(program, suspect->path.site->site->call_pc);
}

struct suspect suspect_examine(struct inquiry *inquiry, uint32_t index)
{
	struct reasoning *reasoning = inquiry->reasoning;
	struct suspect suspect = {.goroutine = index};
	bool dead = index >= reasoning->program->live_count;

	if (!dead)
		examine_call(reasoning, &suspect);
	examine_ghosts(reasoning, &suspect, dead);
	if (!dead)
		examine_reach(inquiry, &suspect);
	if (reasoning->program->printout)
		told_relate(reasoning, &suspect);
	suspect.profile = map_profile_of(inquiry->profile, told_site(&suspect));
	return suspect;
}

static bool stands_in(const struct stack *stack, const struct go_function *function)
{
	for (size_t i = 0; i < stack->count; i++)
		if (stack->frames[i].function->entry == function->entry)
			return true;
	return false;
}

bool suspect_is_writer_at_work(const struct reasoning *reasoning, const struct suspect *suspect)
{
	const struct write_path *path = &suspect->path;
	const struct map_site *sites;
	size_t count;

	if (suspect->tier != TIER_REACH_RUNNABLE || !path->again ||
	    path->site->match < SITE_SAME_FIELD ||
	    !stands_in(&reasoning->program->goroutines[suspect->goroutine].stack,
		       &path->site->site->caller))
		return false;
	sites = sites_in(reasoning->program->sites, &path->site->site->caller, &count);
	for (size_t i = 0; i < count; i++)
		if (sites[i].type == path->site->site->type &&
		    !map_operation_writes(sites[i].function->operation))
			return false;
	return true;
}

static int more(size_t a, size_t b) { return a > b ? -1 : a < b; }

/** The same map before one that may be, and that before another. */
static size_t relation_order(const struct suspect *suspect)
{
	return suspect->relation == PATH_SAME ? 2 : suspect->relation == PATH_UNKNOWN;
}

/** A write that was seen to grow its map before one that was not. */
static size_t profile_order(const struct suspect *suspect)
{
	return suspect->profile.alloc_bytes > 0;
}

static enum site_match match_of(const struct suspect *suspect)
{
	return suspect->path.site ? suspect->path.site->match : SITE_OTHER_MAP;
}

static int compare(const struct suspect *x, const struct suspect *y, bool profiles)
{
	int order = more(x->tier, y->tier);

	if (!order)
		order = more(relation_order(x), relation_order(y));
	if (!order && profiles)
		order = more(profile_order(x), profile_order(y));
	if (!order)
		order = more(match_of(x), match_of(y));
	if (!order)
		order = more(x->path.again, y->path.again);
	if (!order)
		order = -more(x->depth + x->path.calls, y->depth + y->path.calls);
	if (!order)
		order = more(x->ghost_count > 0, y->ghost_count > 0);
	return order ? order : -more(x->goroutine, y->goroutine);
}

int suspect_compare(const void *a, const void *b) { return compare(a, b, true); }
int suspect_compare_plain(const void *a, const void *b) { return compare(a, b, false); }

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
		    "the argument slot",
		    ghost->site->function->name,
		    site_short(reasoning->findings->arena, &side->site));
}

static void tell_path(struct reasoning *reasoning, const struct suspect *suspect, struct side *side)
{
	static const char *const matches[] = {
		[SITE_OTHER_MAP] = "another map",
		[SITE_SAME_TYPE] = "a map of this type",
		[SITE_SAME_FIELD] = "the field that holds this map",
		[SITE_SAME_MAP] = "the variable that holds this map",
	};
	const struct write_path *path = &suspect->path;
	const char *where = site_short(reasoning->findings->arena, suspect->stands);

	if (path->calls)
		witness_add(reasoning, &side->witnesses, EVIDENCE_BINARY, path->site->site->call_pc,
			    "from %s (%s) a write of %s is %u direct call%s away",
			    function_short(suspect->stands->function), where,
			    matches[path->site->match], path->calls, path->calls == 1 ? "" : "s");
	else
		witness_add(reasoning, &side->witnesses, EVIDENCE_BINARY, path->site->site->call_pc,
			    "it stands in %s (%s), which writes %s",
			    function_short(suspect->stands->function), where,
			    matches[path->site->match]);
	if (!path->again)
		witness_add(reasoning, &side->witnesses, EVIDENCE_BINARY, path->site->site->call_pc,
			    "it was past that write for good: no loop leads back to it");
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
		.rule = second ? "second_detector" : tier_rule(suspect->tier),
	};

	reasoning->told_of = goroutine;
	if (suspect->tier >= TIER_WRITE_SAME_TYPE)
		tell_call(reasoning, suspect, &side);
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
