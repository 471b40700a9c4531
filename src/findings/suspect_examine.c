// SPDX-License-Identifier: Apache-2.0
#include "findings/suspect_examine.h"

#include "findings/sequence.h"
#include "findings/told.h"
#include "model/code/aim.h"
#include "model/stack/unwind.h"

#include <string.h>

#define REACH_HOPS 4

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
