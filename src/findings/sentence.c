// SPDX-License-Identifier: Apache-2.0
// The verdict in one sentence.
#include "findings/rules.h"

static const char *const past_tense[] = {
	[MAP_READ] = "read",
	[MAP_ASSIGN] = "wrote",
	[MAP_DELETE] = "deleted from",
	[MAP_CLEAR] = "cleared",
	[MAP_ITERATE] = "iterated over",
	[MAP_CLONE] = "cloned",
	[MAP_MAKE] = "made",
	[MAP_GROW] = "grew",
	[MAP_WRITE] = "wrote",
};

static const char *party(struct arena *arena, const struct side *side)
{
	if (!side->site.function)
		return arena_format(arena, "goroutine %llu, whose stack was not printed",
				    (unsigned long long)side->goroutine->id);
	if (!side->goroutine)
		return arena_format(arena, "a goroutine in %s (%s)",
				    function_short(side->site.function),
				    site_short(arena, &side->site));
	return arena_format(arena, "goroutine %llu (%s, %s)",
			    (unsigned long long)side->goroutine->id,
			    function_short(side->site.function), site_short(arena, &side->site));
}

static const char *map_name(const struct findings *findings)
{
	const struct conflict_map *map = &findings->map;

	if (map->owner_count && map->owners[0].path && *map->owners[0].path)
		return map->owners[0].path;
	if (map->address)
		return arena_format(findings->arena, "the %s at %#llx",
				    map->type ? map->type->name : "map",
				    (unsigned long long)map->address);
	return map->type ? arena_format(findings->arena, "a %s", map->type->name) : "a map";
}

static const char *map_sentence(const struct findings *findings)
{
	struct arena *arena = findings->arena;
	const struct side *detector = findings->detector, *other = findings->other;

	if (!detector)
		return arena_format(arena, "%s; the text does not show which goroutine noticed",
				    findings->message);
	if (other)
		return arena_format(arena, "%s %s %s while %s %s it", party(arena, other),
				    past_tense[other->operation], map_name(findings),
				    party(arena, detector), past_tense[detector->operation]);
	if (findings->candidate_count)
		return arena_format(arena,
				    "%s %s %s while another goroutine wrote it; best candidate: %s",
				    party(arena, detector), past_tense[detector->operation],
				    map_name(findings), party(arena, &findings->candidates[0]));
	return arena_format(
		arena, "%s %s %s while another goroutine wrote it; no second party found",
		party(arena, detector), past_tense[detector->operation], map_name(findings));
}

/** A death that only the program's words tell of: anybody can print them. */
static bool is_by_words_alone(const struct findings *findings)
{
	if (findings->detector)
		return findings->detector->confidence == CONFIDENCE_LIKELY;
	return findings->death == DEATH_NIL_MAP_WRITE && findings->program &&
	       findings->program->printout;
}

/** Of memory that is no map. */
static const char *race_sentence(const struct findings *findings)
{
	const struct side *detector = findings->detector, *other = findings->other;

	if (!detector || !other)
		return "not a map fatal: a data race on memory that is no map";
	return arena_format(
		findings->arena,
		"not a map fatal: a data race on memory that is no map: %s %s what %s %s",
		party(findings->arena, detector), past_tense[detector->operation],
		party(findings->arena, other), past_tense[other->operation]);
}

static const char *other_death(const struct findings *findings)
{
	const char *message = *findings->message ? findings->message : "no message was found";

	switch (findings->death) {
	case DEATH_NIL_MAP_WRITE:
		if (!findings->detector)
			return "an assignment to a nil map: no other goroutine is involved";
		return arena_format(findings->arena,
				    "%s assigned to a nil map: no other goroutine is involved",
				    party(findings->arena, findings->detector));
	case DEATH_PANIC:
		return arena_format(findings->arena, "not a map fatal: the program panicked (%s)",
				    message);
	case DEATH_FATAL:
		return arena_format(findings->arena, "not a map fatal: the runtime gave up (%s)",
				    message);
	case DEATH_SIGNAL:
		return arena_format(findings->arena, "not a map fatal: %s", message);
	case DEATH_RACE:
		return race_sentence(findings);
	default:
		if (findings->program && findings->program->process &&
		    findings->program->process->live)
			return "the process is alive: no goroutine is in the runtime's fatal path";
		return findings->program && findings->program->printout
			       ? "not a map fatal: nothing in the text says what ended the "
				 "process; "
				 "`mapfault goroutines` groups what it lists"
			       : "not a map fatal: nothing in the core says what ended the process";
	}
}

void sentence_write(struct reasoning *reasoning)
{
	struct findings *findings = reasoning->findings;

	if (findings->death != DEATH_MAP_FATAL) {
		findings->sentence = other_death(findings);
		findings->confidence = findings->death == DEATH_UNKNOWN ? CONFIDENCE_UNKNOWN
				       : is_by_words_alone(findings)    ? CONFIDENCE_LIKELY
									: CONFIDENCE_PROVEN;
		return;
	}
	findings->sentence = map_sentence(findings);
	findings->confidence = findings->other             ? findings->other->confidence
			       : findings->candidate_count ? CONFIDENCE_POSSIBLE
							   : CONFIDENCE_UNKNOWN;
}
