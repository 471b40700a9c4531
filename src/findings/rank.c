// SPDX-License-Identifier: Apache-2.0
// Who the other side was. A party of a map fatal is always a writer, so only writes count. Named is
// only who is caught in the act, or who is left when nobody else can have done it; the rest is a list, best first.
#include "findings/alone.h"
#include "findings/rules.h"
#include "findings/suspect_examine.h"
#include "findings/suspect_side.h"
#include "findings/told.h"
#include "findings/unseen_write.h"

#include <stdlib.h>

#define CANDIDATES_MAX 16
#define INNOCENTS_MAX  16

static struct write_reach *open_reach(struct reasoning *reasoning)
{
	const struct conflict_map *map = &reasoning->findings->map;
	uint64_t *holders =
		arena_array(reasoning->findings->arena, map->owner_count + 1, sizeof(*holders));
	const char **types =
		arena_array(reasoning->findings->arena, map->owner_count + 1, sizeof(*types));
	size_t count = 0;

	for (size_t i = 0; i < map->owner_count; i++) {
		if (!map->owners[i].word)
			continue;
		types[count] = map->owners[i].holder_type ? map->owners[i].holder_type : "";
		holders[count++] = map->owners[i].word;
	}
	return write_reach_new(reasoning->program, &(struct write_target){
							   map->address,
							   reasoning->type,
							   holders,
							   types,
							   count,
							   reasoning->detected->site,
						   });
}

static void order(GArray *suspects, bool profiles)
{
	if (!suspects->len)
		return;
	qsort(suspects->data, suspects->len, sizeof(struct suspect), suspect_compare_plain);
	for (guint i = 0; i < suspects->len; i++)
		g_array_index(suspects, struct suspect, i).place_before = i + 1;
	if (profiles)
		qsort(suspects->data, suspects->len, sizeof(struct suspect), suspect_compare);
	for (guint i = 0; i < suspects->len; i++)
		g_array_index(suspects, struct suspect, i).place = i + 1;
}

static void examine(struct inquiry *inquiry, size_t index, GArray *suspects)
{
	struct program *program = inquiry->reasoning->program;
	const struct goroutine *goroutine = &program->goroutines[index];
	struct suspect suspect;

	if (goroutine->detector || (goroutine->system && !goroutine->raised))
		return;
	suspect = suspect_examine(inquiry, (uint32_t)index);
	program_walked(program);
	if (suspect.tier || suspect.call || suspect.before)
		g_array_append_val(suspects, suspect);
}

/** Who is left when nobody else can have done it is the one, whatever traces others left; caught in the act goes before. */
static void put_alone_first(struct inquiry *inquiry, GArray *suspects)
{
	struct program *program = inquiry->reasoning->program;
	const struct map_site *site;
	guint index = alone_find(inquiry, suspects, &site);
	struct suspect alone;

	if (index == suspects->len ||
	    g_array_index(suspects, struct suspect, 0).tier >= TIER_WRITE_SAME_TYPE)
		return;
	alone = g_array_index(suspects, struct suspect, index);
	alone.alone = true;
	alone.operation = site->function->operation;
	alone.site = suspect_user_site(program, site->call_pc);
	if (alone.path.site &&
	    !site_equal(alone.site, suspect_user_site(program, alone.path.site->site->call_pc)))
		alone.path.site = NULL; // of a write that can't be the one
	g_array_remove_index(suspects, index);
	g_array_prepend_val(suspects, alone);
}

static GArray *examine_all(struct inquiry *inquiry)
{
	const struct program *program = inquiry->reasoning->program;
	GArray *suspects = g_array_new(FALSE, FALSE, sizeof(struct suspect));

	for (size_t i = 0; i < program->live_count; i++)
		examine(inquiry, i, suspects);
	// of those that have ended, the last ones first
	for (size_t i = program->goroutine_count; i-- > program->live_count;)
		examine(inquiry, i, suspects);
	order(suspects, inquiry->profile != NULL);
	// following what frames hold takes its time: the likeliest are enough
	for (guint i = 0; i < suspects->len; i++)
		suspect_aim(inquiry, &g_array_index(suspects, struct suspect, i));
	order(suspects, inquiry->profile != NULL);
	put_alone_first(inquiry, suspects);
	return suspects;
}

/** What the suspect's tier is worth. A trace in dead stack tells no time, and a way to a write no deed. */
static enum confidence confidence_of(const struct reasoning *reasoning,
				     const struct suspect *suspect)
{
	if (reasoning->program->printout)
		return told_confidence(reasoning, suspect);
	if (suspect->tier == TIER_IN_WRITE && !suspect->call->map_unrecorded)
		return suspect->call->map_inferred ? CONFIDENCE_LIKELY : CONFIDENCE_PROVEN;
	return suspect->alone ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
}

/** A trace of a map that may not be the detector's proves nothing about this crash. */
static enum confidence capped(const struct reasoning *reasoning, enum confidence confidence)
{
	enum confidence sure = reasoning->findings->map.sure;

	if (reasoning->program->printout)
		return confidence; // told_confidence() has weighed that
	return MAX(MIN(confidence, sure), CONFIDENCE_POSSIBLE);
}

static void name_parties(struct reasoning *reasoning, const GArray *suspects)
{
	struct findings *findings = reasoning->findings;

	findings->candidates =
		arena_array(findings->arena, CANDIDATES_MAX, sizeof(*findings->candidates));
	for (guint i = 0; i < suspects->len && findings->candidate_count < CANDIDATES_MAX; i++) {
		const struct suspect *suspect = &g_array_index(suspects, struct suspect, i);
		enum confidence confidence = capped(reasoning, confidence_of(reasoning, suspect));

		if (suspect->tier == TIER_NONE)
			break;
		if (told_listed(reasoning, suspect))
			continue;
		if (i == 0 && confidence >= CONFIDENCE_LIKELY) {
			findings->other = arena_take(findings->arena, sizeof(*findings->other));
			*findings->other = suspect_side(reasoning, suspect, SIDE_OTHER, confidence);
			continue;
		}
		findings->candidates[findings->candidate_count] =
			suspect_side(reasoning, suspect, SIDE_CANDIDATE, confidence);
		told_crowd(reasoning, suspects, i,
			   &findings->candidates[findings->candidate_count++]);
	}
}

/** Why somebody who was in a map operation is not accused of it; NULL when that is no question. */
static const char *ruled_out(struct reasoning *reasoning, const struct map_call *call)
{
	const struct conflict_map *map = &reasoning->findings->map;

	if (call->map && call->map == map->address && !map_operation_writes(call->operation))
		return "it was reading; the other party of a map fatal is always a writer";
	if (call->map && map->address && call->map != map->address && !call->map_inferred &&
	    call->type == reasoning->type)
		return arena_format(reasoning->findings->arena, "its map is another one, at %#llx",
				    (unsigned long long)call->map);
	return NULL;
}

/** False when nothing that looked like guilt was ruled out. */
static bool innocent_of(struct reasoning *reasoning, const struct suspect *suspect,
			struct innocent *ret)
{
	const struct goroutine *goroutine = &reasoning->program->goroutines[suspect->goroutine];
	const char *why;

	if (suspect->tier != TIER_NONE)
		return false;
	if (suspect->before) {
		*ret = (struct innocent){goroutine, *suspect->site, "its code writes such a map",
					 "that came before it started the goroutine that noticed: "
					 "the two can't have met"};
		return true;
	}
	why = suspect->call ? ruled_out(reasoning, suspect->call) : NULL;
	if (!why || suspect->call->user >= goroutine->stack.count)
		return false;
	*ret = (struct innocent){
		goroutine,
		*goroutine->stack.frames[suspect->call->user].site,
		arena_format(reasoning->findings->arena, "it was inside %s %s",
			     suspect->call->function ? suspect->call->function->name
						     : "a map operation",
			     reasoning_moment(reasoning)),
		why,
	};
	return true;
}

static void list_innocents(struct reasoning *reasoning, const GArray *suspects)
{
	struct findings *findings = reasoning->findings;

	findings->innocents =
		arena_array(findings->arena, INNOCENTS_MAX, sizeof(*findings->innocents));
	for (guint i = 0; i < suspects->len && findings->innocent_count < INNOCENTS_MAX; i++)
		findings->innocent_count +=
			innocent_of(reasoning, &g_array_index(suspects, struct suspect, i),
				    &findings->innocents[findings->innocent_count]);
}

static void tell_gaps(struct reasoning *reasoning)
{
	struct program *program = reasoning->program;

	program_gap(program, "the other goroutine, beyond doubt",
		    "it had left the map code when the process was frozen",
		    program->process && program->process->live
			    ? "the flight recorder (mapfault record), or a race build (go build "
			      "-race), would name it"
			    : "a stop at the instant of the fatal (mapfault run), or a race build "
			      "(go build -race), would name it");
	if (program->arch != GO_ARCH_AMD64)
		program_gap(program, "calls that dead stacks still show",
			    "they are looked for on x86-64 alone",
			    "whose last map write was of this map");
}

void rank_parties(struct reasoning *reasoning)
{
	uint64_t map = reasoning->findings->map.address;
	struct program *program = reasoning->program;
	struct inquiry inquiry = {
		.reasoning = reasoning,
		.reach = open_reach(reasoning),
		.reachability = map && !program->printout ? reachability_new(program, map) : NULL,
		.ended = g_hash_table_new(NULL, NULL),
	};
	GArray *suspects;

	inquiry.profile = map_profile_new(program, inquiry.reach);
	suspects = examine_all(&inquiry);
	name_parties(reasoning, suspects);
	if (!reasoning->findings->other)
		unseen_writes_list(&inquiry, suspects, CANDIDATES_MAX);
	list_innocents(reasoning, suspects);
	if (program->printout)
		told_gaps(reasoning);
	else if (!reasoning->findings->other)
		tell_gaps(reasoning);
	g_array_free(suspects, TRUE);
	g_hash_table_destroy(inquiry.ended);
	reachability_free(inquiry.reachability);
	map_profile_free(inquiry.profile);
	write_reach_free(inquiry.reach);
}
