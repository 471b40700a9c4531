// SPDX-License-Identifier: Apache-2.0
#include "reproduce/outcome.h"

#include <glib.h>

const char *outcome_status_name(enum outcome_status status)
{
	static const char *const names[] = {[OUTCOME_CONFIRMED] = "confirmed",
					    [OUTCOME_DIFFERS] = "differs",
					    [OUTCOME_NOT_REPRODUCED] = "not_reproduced"};

	return names[status];
}

/* Which of the two sites a named side stands at; 2: at neither. */
static size_t site_at(const struct program_site sites[2], const struct trial_side *side)
{
	for (size_t i = 0; i < 2; i++)
		if (program_site_is(&sites[i], side->function, side->line))
			return i;
	return 2;
}

static void compare_side(const struct verdict *verdict, const struct program_site sites[2],
			 const char *who, const struct trial_side *side, struct outcome *outcome)
{
	size_t site;
	const char *operation;

	if (!*side->function)
		return;
	site = site_at(sites, side);
	if (site == 2) {
		notes_add(&outcome->differences,
			  "%s is %s line %u, which is neither of the two sites", who,
			  side->function, side->line);
		return;
	}
	operation = reproduced_operation_name(verdict->sides[site].operation);
	if (!g_str_equal(operation, side->operation))
		notes_add(&outcome->differences, "%s: %s instead of %s", who, side->operation,
			  operation);
}

void outcome_compare(const struct verdict *verdict, const struct program_site sites[2],
		     struct outcome *outcome)
{
	const struct trial *trial = &outcome->trial;

	if (!trial->crashed) {
		outcome->status = OUTCOME_NOT_REPRODUCED;
		return;
	}
	if (!g_str_equal(trial->kind, verdict->kind))
		notes_add(&outcome->differences, "it died of %s instead of %s",
			  verdict_kind_words(trial->kind), verdict_kind_words(verdict->kind));
	compare_side(verdict, sites, "the detector", &trial->sides[0], outcome);
	compare_side(verdict, sites, "the other side", &trial->sides[1], outcome);
	/* The race detector of no release looks into maps.Clone. */
	if (trial->race_built && !trial->race_names_both &&
	    verdict->sides[0].operation != REPRODUCE_CLONE)
		notes_add(&outcome->differences, "the race detector does not name the two sites");
	if (!trial->diagnosed && !trial->race_names_both)
		notes_add(&outcome->differences, "nobody could say which sites collided");
	outcome->status = outcome->differences.count ? OUTCOME_DIFFERS : OUTCOME_CONFIRMED;
}

static json_t *known(const char *text) { return *text ? json_string(text) : json_null(); }

static json_t *list_of(const struct notes *notes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < notes->count; i++)
		json_array_append_new(list, json_string(notes->lines[i]));
	return list;
}

static json_t *side_json(const struct trial_side *side, const char *role)
{
	if (!*side->function)
		return NULL;
	return json_pack("{s:s, s:o, s:s, s:i}", "role", role, "operation", known(side->operation),
			 "function", side->function, "line", (int)side->line);
}

static json_t *sides_json(const struct trial_side sides[2], const char *const roles[2])
{
	json_t *list = json_array();

	for (size_t i = 0; i < 2; i++) {
		json_t *side = side_json(&sides[i], roles[i]);

		if (side)
			json_array_append_new(list, side);
	}
	return list;
}

static json_t *race_json(const struct trial *trial)
{
	static const char *const roles[] = {"access", "previous access"};

	if (!trial->race_built)
		return json_null();
	return json_pack("{s:I, s:b, s:o}", "races", (json_int_t)trial->races, "names_both_sites",
			 trial->race_names_both, "sides", sides_json(trial->race_sides, roles));
}

static json_t *times_json(const struct fix_trial *fix)
{
	if (!fix->time_count)
		return json_null();
	return json_pack("{s:f, s:f, s:f, s:i}", "median", fix_trial_median(fix), "least",
			 fix->times[0], "most", fix->times[fix->time_count - 1], "runs",
			 (int)fix->time_count);
}

static json_t *fixes_json(const struct fix_trials *fixes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < fixes->count; i++) {
		const struct fix_trial *fix = &fixes->items[i];

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o}", "name", fix->name,
				  "text", fix->text, "advised", fix->advised, "races",
				  fix->raced ? json_integer((json_int_t)fix->races) : json_null(),
				  "crashes",
				  fix->ran ? json_integer((json_int_t)fix->crashes) : json_null(),
				  "nanoseconds_per_operation", times_json(fix), "relative",
				  fix->relative > 0 ? json_real(fix->relative) : json_null(),
				  "problem", known(fix->problem)));
	}
	return list;
}

/* What the speeds of fixes depend on. */
static json_t *measured_json(const struct fix_trials *fixes)
{
	for (size_t i = 0; i < fixes->count; i++)
		if (fixes->items[i].time_count)
			return json_pack("{s:s, s:i, s:f, s:f}", "architecture",
					 machine_architecture(), "processors",
					 (int)fixes->before.processors, "load_before",
					 fixes->before.load, "load_after", fixes->after.load);
	return json_null();
}

json_t *outcome_json(const struct outcome *outcome)
{
	static const char *const roles[] = {"detector", "other"};
	const struct trial *trial = &outcome->trial;

	return json_pack(
		"{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "status",
		outcome_status_name(outcome->status), "directory", outcome->directory, "go_version",
		json_sprintf("go%s", outcome->go_version), "second_side_from", outcome->side_from,
		"kind", known(trial->kind), "seconds_to_crash",
		trial->crashed ? json_real(trial->seconds) : json_null(), "sides",
		sides_json(trial->sides, roles), "race_detector", race_json(trial), "differences",
		list_of(&outcome->differences), "tried", list_of(&outcome->tried), "notes",
		list_of(&outcome->notes), "fixes", fixes_json(&outcome->fixes), "measured_on",
		measured_json(&outcome->fixes));
}
