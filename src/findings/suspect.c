// SPDX-License-Identifier: Apache-2.0
#include "findings/suspect.h"

#include "findings/sequence.h"
#include "findings/told.h"
#include "model/code/aim.h"
#include "model/stack/spot.h"
#include "model/stack/unwind.h"

#include <string.h>

#define REACH_HOPS 4

static const char *const rules[] = {
	[TIER_NONE] = "none",
	[TIER_SAME_PACKAGE_PARKED] = "same_package_parked",
	[TIER_SAME_PACKAGE] = "same_package",
	[TIER_SAME_ORIGIN] = "same_origin",
	[TIER_SAME_CODE] = "same_code",
	[TIER_SAME_OBJECT] = "same_object",
	[TIER_UNSEEN] = "running_unseen",
	[TIER_REACH_ENDED] = "reach_ended",
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

const struct go_site *suspect_user_site(struct program *program, uint64_t call_pc)
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
	suspect->site = suspect_user_site(program, suspect->ghost->site->call_pc);
}

static bool code_reaches(struct inquiry *inquiry, const struct go_function *function)
{
	return inquiry->reachability &&
	       reachability_from_code(inquiry->reachability, function, REACH_HOPS);
}

/** The variables of the functions on the way lead to the map as well as those of the frame's own. */
static bool way_reaches(struct inquiry *inquiry, const struct frame *frame,
			const struct write_path *path)
{
	if (frame && code_reaches(inquiry, frame->function))
		return true;
	for (unsigned i = 0; i < path->way.count; i++) {
		struct go_function function;
		uint32_t table;

		if (program_function(inquiry->reasoning->program, path->way.steps[i].callee,
				     &function, &table) &&
		    !go_is_runtime_function(function.name) && code_reaches(inquiry, &function))
			return true;
	}
	return false;
}

static int relation_points(enum path_relation relation)
{
	enum { AIMED = 30, AIMED_ELSEWHERE = -50 };

	return relation == PATH_SAME ? AIMED : relation == PATH_OTHER ? AIMED_ELSEWHERE : 0;
}

/** How likely the path makes it that this goroutine is the one, by itself. */
static int path_weight(const struct write_path *path, size_t depth, enum path_relation relation)
{
	enum { DEPTH = -2 };

	return write_path_points(path) + DEPTH * (int)depth + relation_points(relation);
}

/** The variables that the code on the way names lead to the map: more than that its stack does somehow. */
static int way_bonus(struct inquiry *inquiry, const struct write_path *path)
{
	enum { NAMED = 8 };

	return way_reaches(inquiry, NULL, path) ? NAMED : 0;
}

static void consider_path(struct inquiry *inquiry, struct suspect *suspect, size_t index,
			  size_t depth, const struct write_path *path, enum path_relation relation,
			  int bonus)
{
	const struct goroutine *goroutine =
		&inquiry->reasoning->program->goroutines[suspect->goroutine];
	const struct frame *frame = &goroutine->stack.frames[index];
	int weight = path_weight(path, depth, relation) + bonus;

	if (suspect->path.site && weight <= suspect->path_weight)
		return;
	suspect->path_weight = weight;
	suspect->path = *path;
	suspect->depth = depth;
	suspect->relation = relation;
	suspect->frame = index;
	suspect->stands = frame->site;
}

/** A call of C. A text hides runtime.cgocall, and shows the function that cgo made to call it (cmd/cgo/out.go). */
static bool is_call_of_c(const struct program *program, const struct frame *frame)
{
	if (frame->runtime)
		return !strcmp(frame->function->name, "runtime.cgocall");
	return program->printout && strstr(frame->function->name, "._Cfunc_");
}

/** Calls @a visit for each frame of the goroutine's own code; C code may call back what is exported to it. */
static void each_frame(struct inquiry *inquiry, struct suspect *suspect,
		       void (*visit)(struct inquiry *, struct suspect *, size_t index,
				     size_t depth))
{
	struct program *program = inquiry->reasoning->program;
	const struct stack *stack =
		program_stack(program, &program->goroutines[suspect->goroutine]);
	size_t depth = 0;

	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];

		if (frame->site->inlined || !frame->function->entry ||
		    (frame->runtime && !is_call_of_c(program, frame)))
			continue;
		visit(inquiry, suspect, i, depth++);
	}
}

static void examine_frame(struct inquiry *inquiry, struct suspect *suspect, size_t index,
			  size_t depth)
{
	const struct program *program = inquiry->reasoning->program;
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];
	const struct frame *frame = &goroutine->stack.frames[index];
	struct write_path path;

	if (is_call_of_c(program, frame)
		    ? write_reach_from_c(inquiry->reach, &path)
		    : write_reach_from(inquiry->reach, frame->function, frame->pc, &path))
		consider_path(inquiry, suspect, index, depth, &path, PATH_UNKNOWN, 0);
}

/** A write through reflection is the line that asked for it. */
static const struct go_site *site_of_path(struct program *program, const struct suspect *suspect)
{
	const struct write_path *path = &suspect->path;

	if (!go_is_runtime_function(path->site->site->caller.name))
		return suspect_user_site(program, path->site->site->call_pc);
	for (unsigned i = path->way.count; i-- > 0;) {
		uint64_t call_pc = path->way.steps[i].end - 1;
		struct go_function function;
		uint32_t table;

		if (program_function(program, call_pc, &function, &table) &&
		    !go_is_runtime_function(function.name))
			return suspect_user_site(program, call_pc);
	}
	return suspect->stands ? suspect->stands
			       : suspect_user_site(program, path->site->site->call_pc);
}

void suspect_take_path(struct program *program, struct suspect *suspect)
{
	suspect->operation = suspect->path.site->site->function->operation;
	suspect->site = site_of_path(program, suspect);
}

/** Ghosts and ways are of different strength, yet a ghost tells no time: their weights decide. */
static void weigh(struct inquiry *inquiry, struct suspect *suspect)
{
	enum { RUNNABLE = 20, GHOST = 36, GHOST_ENDED = 30, ENDED = -8, AGAIN = 6, BEFORE = -60 };
	const struct program *program = inquiry->reasoning->program;
	const struct write_path *path = &suspect->path;

	if (suspect->tier >= TIER_GHOST_RUNNABLE || !suspect->tier ||
	    (program->printout && !path->site))
		return;
	suspect->weighed = true;
	if (path->site && !path->again && suspect->stands && write_path_starts(path) &&
	    suspect->tier <= TIER_REACH_RUNNABLE && !suspect->ghost_count) {
		suspect->tier = TIER_NONE; // who it started is looked at in his own right
		return;
	}
	suspect->before = path->site && !path->again && suspect->stands &&
			  sequence_before_detector(inquiry->reasoning, inquiry->reach,
						   &program->goroutines[suspect->goroutine],
						   suspect->frame, path);
	if (suspect->before && suspect->tier != TIER_GHOST_PARKED) {
		suspect->tier = TIER_NONE; // see the list of innocents
		return;
	}
	suspect->weight = suspect->before ? BEFORE : 0;
	if (suspect->tier == TIER_GHOST_PARKED || suspect->tier == TIER_GHOST_DEAD) {
		suspect->weight += suspect->tier == TIER_GHOST_PARKED ? GHOST : GHOST_ENDED;
		suspect->weight += path->site && path->again ? AGAIN : 0;
		return;
	}
	suspect->weight += suspect->path_weight;
	if (program->printout) // of a text, that is known only now
		suspect->weight += relation_points(suspect->relation);
	suspect->weight += suspect->tier == TIER_REACH_RUNNABLE ? RUNNABLE
			   : suspect->tier == TIER_REACH_ENDED  ? ENDED
								: 0;
}

static bool leads_to_map(struct inquiry *inquiry, const struct suspect *suspect,
			 const struct goroutine *goroutine)
{
	return suspect->path.site->match == SITE_SAME_MAP ||
	       way_reaches(inquiry, &goroutine->stack.frames[suspect->frame], &suspect->path) ||
	       (inquiry->reachability &&
		reachability_from_stack(inquiry->reachability, goroutine, REACH_HOPS));
}

/** The ways to writes from a frame of the goroutine's own code; none from the runtime's. */
static const struct write_path *paths_of_frame(struct inquiry *inquiry,
					       const struct suspect *suspect, size_t index,
					       size_t *ret_count)
{
	const struct frame *frame =
		&inquiry->reasoning->program->goroutines[suspect->goroutine].stack.frames[index];

	*ret_count = 0;
	return frame->runtime
		       ? NULL
		       : write_reach_paths(inquiry->reach, frame->function, frame->pc, ret_count);
}

/** Of its ways to writes, the likeliest whose own code leads to the map. */
static void examine_leading(struct inquiry *inquiry, struct suspect *suspect, size_t index,
			    size_t depth)
{
	size_t count;
	const struct write_path *paths = paths_of_frame(inquiry, suspect, index, &count);

	for (size_t i = 0; i < count; i++)
		if (way_reaches(inquiry, NULL, &paths[i]))
			consider_path(inquiry, suspect, index, depth, &paths[i], PATH_UNKNOWN, 0);
}

static void examine_reach(struct inquiry *inquiry, struct suspect *suspect)
{
	struct program *program = inquiry->reasoning->program;
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];

	each_frame(inquiry, suspect, examine_frame);
	if (!suspect->path.site)
		return;
	suspect->reaches = leads_to_map(inquiry, suspect, goroutine);
	if (!suspect->reaches && inquiry->reachability) {
		suspect->path.site = NULL;
		each_frame(inquiry, suspect, examine_leading);
		suspect->reaches = suspect->path.site != NULL;
		if (!suspect->path.site)
			return;
	}
	if (suspect->tier || (inquiry->reachability && !suspect->reaches))
		return;
	suspect->tier = suspect_is_runnable(goroutine) ? TIER_REACH_RUNNABLE : TIER_REACH_PARKED;
	suspect_take_path(program, suspect);
}

/** All of what it was started with may have run; of many that ran the same, the last one is enough. */
static void examine_ended(struct inquiry *inquiry, struct suspect *suspect)
{
	struct program *program = inquiry->reasoning->program;
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];
	struct go_function function;
	uint32_t table;

	if (suspect->tier || program->printout || !inquiry->reachability ||
	    !g_hash_table_add(inquiry->ended, GSIZE_TO_POINTER(goroutine->start_pc)) ||
	    !program_function(program, goroutine->start_pc, &function, &table) ||
	    !write_reach_within(inquiry->reach, function.entry, &suspect->path))
		return;
	suspect->tier = TIER_REACH_ENDED;
	suspect->path_weight = path_weight(&suspect->path, 0, PATH_UNKNOWN);
	suspect_take_path(program, suspect);
}

#define AIMS_MAX 1024

static void aim_frame(struct inquiry *inquiry, struct suspect *suspect, size_t index, size_t depth)
{
	struct program *program = inquiry->reasoning->program;
	const struct goroutine *goroutine = &program->goroutines[suspect->goroutine];
	size_t count;
	const struct write_path *paths = paths_of_frame(inquiry, suspect, index, &count);

	for (size_t i = 0; i < count && inquiry->aims < AIMS_MAX; i++) {
		inquiry->aims++;
		consider_path(inquiry, suspect, index, depth, &paths[i],
			      aim_of(program, goroutine, index, &paths[i],
				     inquiry->reasoning->findings->map.address),
			      way_bonus(inquiry, &paths[i]));
	}
}

void suspect_aim(struct inquiry *inquiry, struct suspect *suspect)
{
	struct program *program = inquiry->reasoning->program;

	if (program->printout || inquiry->aims >= AIMS_MAX ||
	    (suspect->tier != TIER_REACH_RUNNABLE && suspect->tier != TIER_REACH_PARKED))
		return;
	suspect->path.site = NULL;
	each_frame(inquiry, suspect, aim_frame);
	if (!suspect->path.site)
		each_frame(inquiry, suspect, examine_frame);
	suspect_take_path(program, suspect);
	weigh(inquiry, suspect);
}

struct suspect suspect_examine(struct inquiry *inquiry, uint32_t index)
{
	struct reasoning *reasoning = inquiry->reasoning;
	struct suspect suspect = {.goroutine = index};
	bool dead = index >= reasoning->program->live_count;

	if (!dead)
		examine_call(reasoning, &suspect);
	examine_ghosts(reasoning, &suspect, dead);
	if (dead)
		examine_ended(inquiry, &suspect);
	else
		examine_reach(inquiry, &suspect);
	if (reasoning->program->printout)
		told_relate(reasoning, inquiry->reach, &suspect);
	suspect.profile = map_profile_of(inquiry->profile, told_site(&suspect));
	weigh(inquiry, &suspect);
	return suspect;
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

static int weight_of(const struct suspect *suspect, bool profiles)
{
	enum { GROWN = 12 };

	return suspect->weight + (profiles && suspect->profile.alloc_bytes ? GROWN : 0);
}

/** Tiers whose suspects are weighed against each other count as one. */
static size_t class_of(const struct suspect *suspect)
{
	return suspect->weighed && suspect->tier ? TIER_REACH_ENDED : suspect->tier;
}

static int compare(const struct suspect *x, const struct suspect *y, bool profiles)
{
	int order = more(class_of(x), class_of(y));

	if (!order)
		order = weight_of(y, profiles) - weight_of(x, profiles);
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
		    "the argument slot",
		    ghost->site->function->name,
		    site_short(reasoning->findings->arena, &side->site));
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
