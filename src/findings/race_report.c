// SPDX-License-Identifier: Apache-2.0
// A reported race is certain: the detector follows every lock and channel, and has no false alarm. Which of several racing
// writers a later fatal error met is another question; when only one line raced with the detector's, it is that one. Who
// stood there then is not known: of equal stacks the detector reports the first two goroutines alone.
#include "findings/race_report.h"

#include "model/printout/printout_race.h"

#include <string.h>

#define RULE "race_report"

static const struct go_site *site_of(const struct printed_access *access)
{
	static const struct go_site unknown = {.function = "?", .file = "?"};
	const struct stack *stack = &access->goroutine->stack;

	return access->user < stack->count ? stack->frames[access->user].site : &unknown;
}

/** The site is beyond doubt. */
static bool is_sure(const struct printed_access *access)
{
	return !access->lost && access->user < access->goroutine->stack.count;
}

static struct side side_of(struct reasoning *reasoning, const struct printed_race *race,
			   const struct printed_access *access, enum side_role role,
			   enum confidence confidence)
{
	bool itself = !reasoning->program->printout->fatals; // and not what a fatal error met
	const char *whom = itself ? "it"
				  : arena_format(reasoning->findings->arena, "goroutine %llu",
						 (unsigned long long)access->goroutine->id);
	struct side side = {
		.role = role,
		.operation = access->operation,
		.goroutine = itself ? access->goroutine : NULL,
		.site = *site_of(access),
		.stack = &access->goroutine->stack,
		.confidence = confidence,
		.rule = role == SIDE_DETECTOR ? "" : RULE,
		.check = MAP_CHECK_NONE,
	};

	reasoning->told_of = access->goroutine;
	witness_add(
		reasoning, &side.witnesses, EVIDENCE_CORE, 0,
		"the race detector saw %s %s %#llx with nothing to keep the other goroutine out",
		whom, map_operation_writes(access->operation) ? "write" : "read",
		(unsigned long long)race->address);
	if (access->lost)
		witness_add(reasoning, &side.witnesses, EVIDENCE_CORE, 0,
			    "the detector leaves out the innermost caller of such a map operation: "
			    "the line is that of the caller's caller");
	return side;
}

/** A fatal error's own words say what kind of race it met. */
static bool fits(const struct printout *printout, const struct printed_race *race)
{
	return race->of_map &&
	       (!printout->fatals || race->fatal == go_map_fatal_find(text_of(printout->message)));
}

/** Of several races the first on a map, and best one whose both lines are sure. */
static const struct printed_race *choose(const struct printout *printout)
{
	const struct printed_race *chosen = NULL;
	int best = -1;

	for (size_t i = 0; i < printout->race_count; i++) {
		const struct printed_race *race = &printout->races[i];
		int worth = 4 * fits(printout, race) + is_sure(&race->side[0]) +
			    is_sure(&race->side[1]);

		if (worth <= best)
			continue;
		best = worth;
		chosen = race;
	}
	return chosen;
}

/** A race itself is certain; that it is the one which a fatal error without a stack met is not. */
static enum confidence confidence_in_race(const struct reasoning *reasoning)
{
	const struct printout *printout = reasoning->program->printout;
	size_t races = 0;

	for (size_t i = 0; i < printout->race_count; i++)
		races += fits(printout, &printout->races[i]);
	if (!printout->fatals)
		return CONFIDENCE_PROVEN;
	return races > 1 ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY;
}

static enum confidence confidence_of(const struct reasoning *reasoning,
				     const struct printed_access *access)
{
	return is_sure(access) ? confidence_in_race(reasoning) : CONFIDENCE_POSSIBLE;
}

static void name_sides(struct reasoning *reasoning, const struct printed_race *race)
{
	struct findings *findings = reasoning->findings;
	enum confidence confidence;
	const struct printed_access *noticed = &race->side[0], *before = &race->side[1];
	struct side *detector = arena_take(findings->arena, sizeof(*detector));
	struct side *other = arena_take(findings->arena, sizeof(*other));

	if (!map_operation_writes(before->operation)) { // the other side is always a writer
		noticed = &race->side[1];
		before = &race->side[0];
	}
	*detector =
		side_of(reasoning, race, noticed, SIDE_DETECTOR, confidence_of(reasoning, noticed));
	confidence = confidence_of(reasoning, before);
	*other =
		side_of(reasoning, race, before,
			confidence > CONFIDENCE_POSSIBLE ? SIDE_OTHER : SIDE_CANDIDATE, confidence);
	findings->detector = detector;
	if (other->role == SIDE_OTHER) {
		findings->other = other;
	} else if (before->user < before->goroutine->stack.count) {
		findings->candidates = other;
		findings->candidate_count = 1;
	}
}

static void name_map(struct reasoning *reasoning, const struct printed_race *race)
{
	struct conflict_map *map = &reasoning->findings->map;

	map->address = race->address;
	map->sure = confidence_in_race(reasoning);
	map->found_by = "the race detector's report";
	for (size_t i = 0; i < RACE_SIDES && !map->type; i++)
		if (race->side[i].site)
			map->type = race->side[i].site->type;
	reasoning->type = map->type;
}

void race_report_describe(struct reasoning *reasoning)
{
	struct findings *findings = reasoning->findings;
	const struct printed_race *race = choose(reasoning->program->printout);

	findings->message = reasoning->program->printout->fatals
				    ? reasoning->program->printout->message
				    : "WARNING: DATA RACE";
	findings->death = race->of_map ? DEATH_MAP_FATAL : DEATH_RACE;
	if (race->of_map) {
		findings->fatal = race->fatal;
		findings->kind = go_map_fatal_kind(findings->fatal);
		name_map(reasoning, race);
	}
	name_sides(reasoning, race);
}

/* Next to a fatal error */

struct weighing {
	struct reasoning *reasoning;
	GPtrArray *races, *accesses; /**< side by side: writes that raced, each site once */
	bool met;                    /**< the first of them raced with the detector's own line */
};

static void add_write(struct weighing *weighing, const struct printed_race *race,
		      const struct printed_access *access)
{
	for (guint i = 0; i < weighing->accesses->len; i++)
		if (site_equal(site_of(g_ptr_array_index(weighing->accesses, i)), site_of(access)))
			return;
	g_ptr_array_add(weighing->races, (gpointer)race);
	g_ptr_array_add(weighing->accesses, (gpointer)access);
}

/**
 * The writes of @a race that the detector's operation can have met. One with another line on the map's address alone may
 * be of another map, which was there before.
 */
static void weigh_race(struct weighing *weighing, const struct printed_race *race)
{
	const struct findings *findings = weighing->reasoning->findings;
	const struct go_site *detector = &findings->detector->site;
	bool same_map =
		findings->map.sure == CONFIDENCE_PROVEN && findings->map.address == race->address;

	for (size_t i = 0; race->of_map && i < RACE_SIDES; i++) {
		const struct printed_access *access = &race->side[i], *partner = &race->side[1 - i];

		if (!map_operation_writes(access->operation) || !is_sure(access))
			continue;
		if (race->fatal == findings->fatal && site_equal(site_of(partner), detector)) {
			weighing->met |= !weighing->accesses->len;
			add_write(weighing, race, access);
		} else if (same_map && !site_equal(site_of(access), detector)) {
			add_write(weighing, race, access);
		}
	}
}

static bool is_named(const struct findings *findings, const struct go_site *site)
{
	return findings->other && site_equal(&findings->other->site, site);
}

/** What was ranked stands behind what raced, without the lines that did. */
static void put_first(struct weighing *weighing)
{
	struct findings *findings = weighing->reasoning->findings;
	size_t count = weighing->accesses->len, kept = count;
	struct side *all =
		arena_array(findings->arena, count + findings->candidate_count, sizeof(*all));

	for (guint i = 0; i < count; i++)
		all[i] = side_of(weighing->reasoning, g_ptr_array_index(weighing->races, i),
				 g_ptr_array_index(weighing->accesses, i), SIDE_CANDIDATE,
				 CONFIDENCE_POSSIBLE);
	for (size_t i = 0; i < findings->candidate_count; i++) {
		bool raced = false;

		for (guint j = 0; j < count; j++)
			raced |= site_equal(&all[j].site, &findings->candidates[i].site);
		if (!raced)
			all[kept++] = findings->candidates[i];
	}
	findings->candidates = all;
	findings->candidate_count = kept;
}

static void name_other(struct weighing *weighing)
{
	struct findings *findings = weighing->reasoning->findings;

	put_first(weighing);
	if (findings->other || weighing->accesses->len != 1 || !weighing->met)
		return;
	findings->other = arena_take(findings->arena, sizeof(*findings->other));
	*findings->other = findings->candidates[0];
	findings->other->role = SIDE_OTHER;
	findings->other->confidence = CONFIDENCE_LIKELY;
	findings->candidates++;
	findings->candidate_count--;
}

void race_report_weigh(struct reasoning *reasoning)
{
	struct weighing weighing = {reasoning, g_ptr_array_new(), g_ptr_array_new(), false};
	const struct printout *printout = reasoning->program->printout;
	struct findings *findings = reasoning->findings;

	for (size_t i = 0; printout && findings->detector && i < printout->race_count; i++)
		weigh_race(&weighing, &printout->races[i]);
	for (guint i = weighing.accesses->len; i-- > 0;) {
		const struct printed_access *access = g_ptr_array_index(weighing.accesses, i);

		if (!is_named(findings, site_of(access)))
			continue;
		reasoning->told_of = access->goroutine;
		witness_add(reasoning, &findings->other->witnesses, EVIDENCE_CORE, 0,
			    "the race detector reported this very line as well");
		g_ptr_array_remove_index(weighing.accesses, i);
		g_ptr_array_remove_index(weighing.races, i);
	}
	if (weighing.accesses->len)
		name_other(&weighing);
	g_ptr_array_free(weighing.accesses, TRUE);
	g_ptr_array_free(weighing.races, TRUE);
}
