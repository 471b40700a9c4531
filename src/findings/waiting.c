// SPDX-License-Identifier: Apache-2.0
// A lock shows nothing of who holds it. But code that uses the map behind a lock says that there is one for it, and then a
// party whose code takes none is where to look.
#include "findings/waiting.h"

#include "findings/locking.h"
#include "findings/suspect_side.h"
#include "findings/told.h"

/** How the code of a crowd uses the map that was raced on. */
struct usage {
	bool reads, writes;
	enum site_match match; /**< the best of its operations */
};

static struct usage usage_in(const struct reasoning *reasoning, const struct go_function *function)
{
	const struct write_matcher matcher = {
		.program = reasoning->program,
		.target = {.map = reasoning->findings->map.address,
			   .type = reasoning->type,
			   .known = reasoning->detected->site},
	};
	struct usage usage = {.match = SITE_OTHER_MAP};
	size_t count;
	const struct map_site *sites = sites_in(reasoning->program->sites, function, &count);

	for (size_t i = 0; i < count; i++) {
		enum site_match match = SITE_OTHER_MAP;

		if (reasoning->type && sites[i].type == reasoning->type)
			match = write_match(&matcher, &sites[i]);
		if (match == SITE_OTHER_MAP)
			continue;
		usage.match = MAX(usage.match, match);
		usage.writes |= map_operation_writes(sites[i].function->operation);
		usage.reads |= !map_operation_writes(sites[i].function->operation);
	}
	return usage;
}

/** "goroutine 87 (store.go:41)": the party whose code near its map operation takes no lock; NULL when both may. */
static const char *unguarded(struct reasoning *reasoning)
{
	const struct findings *findings = reasoning->findings;
	const struct side *sides[] = {findings->detector, findings->other};

	for (size_t i = 0; i < G_N_ELEMENTS(sides); i++) {
		const struct side *side = sides[i];

		if (side && side->goroutine && side->stack && side->stack->count &&
		    !stack_takes_locks(reasoning->program, side->stack))
			return arena_format(findings->arena, "goroutine %llu (%s)",
					    (unsigned long long)side->goroutine->id,
					    site_short(findings->arena, &side->site));
	}
	return NULL;
}

static const char *bearing_by_code(struct reasoning *reasoning, const struct blocked_crowd *crowd)
{
	struct usage usage = usage_in(reasoning, crowd->frame->function);
	const char *who = unguarded(reasoning);

	if (usage.match == SITE_OTHER_MAP)
		return "";
	return arena_format(reasoning->findings->arena, "code there %s %s%s%s%s",
			    !usage.writes  ? "reads"
			    : !usage.reads ? "writes"
					   : "reads and writes",
			    suspect_match_words(usage.match), who ? "; " : "", who ? who : "",
			    who ? " takes no lock" : "");
}

static const char *bearing_by_name(struct reasoning *reasoning, const struct blocked_crowd *crowd)
{
	const struct side *detector = reasoning->findings->detector;

	return detector->site.function && told_same_receiver(crowd->frame->site->function,
							     detector->site.function)
		       ? "a method of the same type as the one that noticed: see whether that lock "
			 "is "
			 "the map's"
		       : "";
}

void waiting_weigh(struct reasoning *reasoning)
{
	struct findings *findings = reasoning->findings;
	struct program *program = reasoning->program;
	struct blocked *blocked = arena_take(findings->arena, sizeof(*blocked));

	*blocked = blocked_find(program);
	findings->blocked = blocked;
	if (findings->death != DEATH_MAP_FATAL || !findings->detector || !reasoning->detected)
		return;
	for (size_t i = 0; i < blocked->crowd_count; i++)
		blocked->crowds[i].bearing =
			program->sites ? bearing_by_code(reasoning, &blocked->crowds[i])
				       : bearing_by_name(reasoning, &blocked->crowds[i]);
}
