// SPDX-License-Identifier: Apache-2.0
// What to do: the patterns whose clues this very crash shows, then what fits how the two sides use
// the map.
#include "findings/locking.h"
#include "findings/pattern.h"
#include "findings/rules.h"
#include "golang/traceback.h"

#include <string.h>

#define ADVICE_MAX 8

struct adviser {
	struct reasoning *reasoning;
	const struct side
		*sides[2]; // detector, then the other or the best candidate; NULL when none
};

/** Nobody should guard a line only because it writes some map of the type. */
static const struct side *suspected(const struct findings *findings)
{
	if (findings->other)
		return findings->other;
	if (!findings->candidate_count ||
	    g_str_equal(findings->candidates[0].rule, "write_site_of_type"))
		return NULL;
	return &findings->candidates[0];
}

static void give(struct adviser *adviser, const char *pattern, const char *text,
		 struct witnesses because)
{
	struct findings *findings = adviser->reasoning->findings;

	if (findings->advice_count < ADVICE_MAX)
		findings->advice[findings->advice_count++] =
			(struct advice){pattern, text, because};
}

static const struct frame *frame_with(const struct side *side, const char *text)
{
	if (!side || !side->stack)
		return NULL;
	for (size_t i = 0; i < side->stack->count; i++)
		if (strstr(side->stack->frames[i].site->function, text))
			return &side->stack->frames[i];
	return NULL;
}

static const char *whose(struct adviser *adviser, const struct side *side)
{
	struct arena *arena = adviser->reasoning->findings->arena;

	return side->goroutine
		       ? arena_format(arena, "goroutine %llu",
				      (unsigned long long)side->goroutine->id)
		       : arena_format(arena, "whoever was at %s", site_short(arena, &side->site));
}

static bool clue_on_stacks(struct adviser *adviser, const struct clue *clue,
			   struct witnesses *witnesses)
{
	size_t sides = clue->kind == CLUE_DETECTOR_FUNCTION ? 1 : 2;

	for (size_t i = 0; i < sides; i++) {
		const struct frame *frame = frame_with(adviser->sides[i], clue->text);

		if (!frame)
			continue;
		witness_add(adviser->reasoning, witnesses, EVIDENCE_CORE, frame->pc,
			    "%s is on the stack of %s", frame->site->function,
			    whose(adviser, adviser->sides[i]));
		return true;
	}
	return false;
}

static bool clue_in_map(struct adviser *adviser, const struct clue *clue,
			struct witnesses *witnesses)
{
	const struct conflict_map *map = &adviser->reasoning->findings->map;
	const char *text = clue->kind == CLUE_TYPE ? (map->type ? map->type->full_name : "") : "";

	if (clue->kind == CLUE_TYPE && strstr(text, clue->text)) {
		witness_add(adviser->reasoning, witnesses, EVIDENCE_BINARY, map->type->address,
			    "the map is a %s", text);
		return true;
	}
	for (size_t i = 0; clue->kind == CLUE_OWNER && i < map->owner_count; i++) {
		const struct owner *owner = &map->owners[i];

		if (!strstr(owner->holder_type, clue->text) && !strstr(owner->path, clue->text))
			continue;
		witness_add(adviser->reasoning, witnesses, EVIDENCE_CORE, owner->word,
			    "%s holds it", *owner->path ? owner->path : owner->holder_type);
		return true;
	}
	return false;
}

static bool clue_matches(struct adviser *adviser, const struct clue *clue,
			 struct witnesses *witnesses)
{
	if (clue->kind == CLUE_FUNCTION || clue->kind == CLUE_DETECTOR_FUNCTION)
		return clue_on_stacks(adviser, clue, witnesses);
	return clue_in_map(adviser, clue, witnesses);
}

static void give_patterns(struct adviser *adviser)
{
	size_t count;
	const struct pattern *patterns = patterns_all(&count);

	for (size_t i = 0; i < count; i++) {
		struct witnesses because = {NULL, 0};

		for (size_t j = 0; j < PATTERN_CLUES && patterns[i].clues[j].text; j++)
			if (clue_matches(adviser, &patterns[i].clues[j], &because))
				break;
		if (because.count)
			give(adviser, patterns[i].id, patterns[i].advice, because);
	}
}

static bool is_reader(const struct side *side)
{
	return side && (side->operation == MAP_READ || side->operation == MAP_ITERATE ||
			side->operation == MAP_CLONE);
}

/** P18: a structure that no race alone explains. */
static void advise_corruption(struct adviser *adviser)
{
	const struct conflict_map *map = &adviser->reasoning->findings->map;
	const struct map_integrity *integrity = &map->integrity;
	struct witnesses because = {NULL, 0};

	if (!integrity->checked || !integrity->problems || map->mid_write)
		return;
	witness_add(adviser->reasoning, &because, EVIDENCE_CORE, map->address,
		    "the map's structure is damaged: %s", integrity->first_problem);
	give(adviser, "P18",
	     "the damage may come from this race or from memory corruption: build with -race, and "
	     "check "
	     "unsafe and cgo code with -d=checkptr",
	     because);
}

/** The fix that fits how the two sides use the map. */
static void advise_access(struct adviser *adviser)
{
	struct reasoning *reasoning = adviser->reasoning;
	const struct side *detector = adviser->sides[0], *other = adviser->sides[1];
	struct arena *arena = reasoning->findings->arena;
	struct witnesses because = {NULL, 0};
	const char *writer;

	if (!detector)
		return;
	witness_add(reasoning, &because, EVIDENCE_CORE, 0,
		    "one side was in %s, the other always writes",
		    map_operation_name(detector->operation));
	writer = other ? arena_format(arena, "the write at %s", site_short(arena, &other->site))
		       : "every write of this map";
	if (is_reader(detector))
		give(adviser, "lock",
		     arena_format(arena,
				  "guard %s and the use at %s with one sync.RWMutex: Lock around "
				  "the write, "
				  "RLock around the %s",
				  writer, site_short(arena, &detector->site),
				  detector->operation == MAP_READ ? "read" : "whole walk"),
		     because);
	else if (other && site_equal(&other->site, &detector->site))
		give(adviser, "lock",
		     arena_format(arena, "guard %s, which both sides do, with one sync.Mutex",
				  writer),
		     because);
	else
		give(adviser, "lock",
		     arena_format(arena, "guard %s and the write at %s with one sync.Mutex", writer,
				  site_short(arena, &detector->site)),
		     because);
}

/** P5: a lock that lets others in at the same time does not guard a write. */
static bool advise_shared_lock(struct adviser *adviser)
{
	struct reasoning *reasoning = adviser->reasoning;
	struct arena *arena = reasoning->findings->arena;

	for (size_t i = 0; i < G_N_ELEMENTS(adviser->sides); i++) {
		const struct side *side = adviser->sides[i];
		struct witnesses because = {NULL, 0};
		struct go_function function;
		uint32_t table;

		if (!side || is_reader(side) || !side->site.entry ||
		    !program_function(reasoning->program, side->site.entry, &function, &table) ||
		    locking_in(reasoning->program, &function) != LOCK_SHARED)
			continue;
		witness_add(reasoning, &because, EVIDENCE_BINARY, function.entry,
			    "%s calls RLock or RUnlock, and no Lock", function.name);
		give(adviser, "P5",
		     arena_format(
			     arena,
			     "the function of the write at %s takes RLock alone, which lets "
			     "every other holder of RLock in at the same time: take Lock around "
			     "the write",
			     site_short(arena, &side->site)),
		     because);
		return true;
	}
	return false;
}

static void advise_certainty(struct adviser *adviser)
{
	struct findings *findings = adviser->reasoning->findings;
	struct witnesses because = {NULL, 0};

	if (findings->confidence == CONFIDENCE_PROVEN || findings->other)
		return;
	if (adviser->reasoning->program && adviser->reasoning->program->printout) {
		witness_add(adviser->reasoning, &because, EVIDENCE_CORE, 0,
			    "there is a text of the crash and no core");
		give(adviser, "traceback", GO_TRACEBACK_ADVICE, because);
		because = (struct witnesses){0};
	}
	witness_add(adviser->reasoning, &because, EVIDENCE_CORE, 0,
		    "no goroutine was caught inside a write of this map");
	give(adviser, "race-build",
	     "run the same work once in a build with -race to see both sides for certain", because);
}

void advice_give(struct reasoning *reasoning)
{
	struct findings *findings = reasoning->findings;
	struct adviser adviser = {reasoning, {findings->detector, suspected(findings)}};
	struct witnesses none = {NULL, 0};

	findings->advice = arena_array(findings->arena, ADVICE_MAX, sizeof(*findings->advice));
	if (findings->death == DEATH_NIL_MAP_WRITE)
		give(&adviser, "nil-map", "make the map before the first assignment to it", none);
	if (findings->death != DEATH_MAP_FATAL)
		return;
	if (!reasoning->program || !advise_shared_lock(&adviser))
		advise_access(&adviser);
	give_patterns(&adviser);
	advise_corruption(&adviser);
	advise_certainty(&adviser);
}
