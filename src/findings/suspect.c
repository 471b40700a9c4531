// SPDX-License-Identifier: Apache-2.0
#include "findings/suspect.h"

#include "model/stack/spot.h"

#include <string.h>

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
