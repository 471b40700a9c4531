// SPDX-License-Identifier: Apache-2.0
// The flight recorder's word. It has every write of the map from the instruction that sets the writing flag to the one that
// clears it, and it stands still from the moment at which the check fails. So whoever was inside a write of this map then
// overlapped with the operation that noticed; and when nobody was any more, whoever left one since that operation began
// did. Two that overlap hold no lock against each other: that is the proof. Where the record cannot show the overlap, it
// names nobody.
//
// Of a check that failed when recording had stopped already, the writes around it are not on record. But whoever gives up
// never leaves its operation any more: of two failed checks of one map, the operations were both under way at the later.
#include "findings/flight_record.h"

#include "model/process/recording.h"

#include <stdlib.h>

#define OTHERS_MAX 16
#define USES_MAX   64

/** How far @a place is behind @a now in the order, which wraps; negative: it is later. */
static int32_t behind(uint32_t now, uint32_t place) { return (int32_t)(now - place); }

/** Later in the order is more suspect; inside before outside. */
static bool is_later(const struct recorded *a, const struct recorded *b, uint32_t now)
{
	if (a->inside != b->inside)
		return a->inside;
	return a->inside ? behind(now, a->place) < behind(now, b->place)
			 : behind(now, a->left) < behind(now, b->left);
}

/** The operation whose check failed, as far as the order of the map's writers tells of it. */
struct failed {
	const struct recorded *failure;
	bool in_write;     /**< it had set the flag itself, and found it cleared */
	uint32_t taken_at; /**< the place at which it had become the map's writer; when in_write */
	/**
	 * From this place on, who left a write did so while the operation was under way. One before its own, if it has one: a
	 * processor may have looked the place up before the other's store of it was seen.
	 */
	uint32_t begun;
};

static struct failed failed_of(struct reasoning *reasoning, const struct recorded *failure)
{
	struct failed failed = {.failure = failure, .begun = failure->place};
	struct recorded own;

	if (recording_write_by(reasoning->program, failure->map, failure->goroutine->id, &own) &&
	    own.inside) {
		failed.in_write = true;
		failed.taken_at = own.place;
		failed.begun = own.place - 1;
	}
	return failed;
}

/** Its write and the operation that noticed may have been under way at the same time. */
static bool overlaps(const struct recorded *write, const struct failed *failed)
{
	return write->inside || behind(failed->begun, write->left) <= 0;
}

/**
 * They were, whatever else there was, as the detector never left its operation: the other was inside, or left after the
 * check had failed, or took the map over after the detector had.
 */
static bool surely_overlaps(const struct recorded *write, const struct failed *failed)
{
	return write->inside || behind(failed->failure->place, write->left) < 0 ||
	       (failed->in_write && behind(failed->taken_at, write->place) < 0);
}

/**
 * Somebody overlapped. That it was who left last follows from there being nobody else; when the map was taken over during
 * the operation by somebody whose record is gone, it does not follow.
 */
static bool is_settled(const struct recorded *chosen, const struct failed *failed)
{
	return surely_overlaps(chosen, failed) || !failed->in_write ||
	       failed->failure->place == failed->taken_at;
}

static bool is_tied(const struct recorded *writes, size_t count, const struct recorded *chosen)
{
	for (size_t i = 0; i < count; i++)
		if (&writes[i] != chosen && !chosen->inside && writes[i].left == chosen->left)
			return true;
	return false;
}

static enum confidence confidence_of(const struct reasoning *reasoning,
				     const struct recorded *writes, size_t count,
				     const struct recorded *chosen)
{
	const struct recording *recording = reasoning->program->recording;

	if (is_tied(writes, count, chosen))
		return CONFIDENCE_POSSIBLE;
	return recording->complete && !recording->begun_in_operation ? CONFIDENCE_PROVEN
								     : CONFIDENCE_LIKELY;
}

/** @param gave_up  the write is one whose own check failed */
static void add_witnesses(struct reasoning *reasoning, struct side *side,
			  const struct recorded *write, const struct recorded *failure,
			  bool gave_up)
{
	unsigned long long id = write->goroutine->id, detector = failure->goroutine->id;

	reasoning->told_of = write->goroutine;
	witness_add(reasoning, &side->witnesses, EVIDENCE_FLIGHT, failure->map,
		    gave_up ? "the check of goroutine %llu for its own write of this map in %s "
			      "failed as well, and neither it nor goroutine %llu left its "
			      "operation after that"
		    : write->inside
			    ? "goroutine %llu had set the writing flag of this map in %s and not "
			      "cleared it when the check of goroutine %llu failed"
			    : "goroutine %llu left its write of this map in %s while goroutine "
			      "%llu was in the operation whose check failed",
		    id, write->function, detector);
	if (write->user < write->stack->count)
		witness_add(reasoning, &side->witnesses, EVIDENCE_FLIGHT,
			    write->stack->frames[write->user].pc,
			    "its write was called from %s, by the return address on record",
			    site_short(reasoning->findings->arena,
				       write->stack->frames[write->user].site));
}

static struct side side_of(struct reasoning *reasoning, const struct recorded *write,
			   const struct recorded *failure, bool gave_up, enum confidence confidence)
{
	struct side side = {
		.role = SIDE_OTHER,
		.operation = write->operation,
		.goroutine = write->goroutine,
		.stack = write->stack,
		.confidence = confidence,
		.rule = "flight_record",
	};

	if (write->user < write->stack->count)
		side.site = *write->stack->frames[write->user].site;
	add_witnesses(reasoning, &side, write, failure, gave_up);
	return side;
}

/** Others whose writes overlapped with it: each raced as well. */
static void add_candidates(struct reasoning *reasoning, const struct recorded *writes, size_t count,
			   const struct recorded *chosen, const struct failed *failed)
{
	struct findings *findings = reasoning->findings;

	findings->candidates = arena_array(findings->arena, OTHERS_MAX, sizeof(struct side));
	for (size_t i = 0; i < count && findings->candidate_count < OTHERS_MAX; i++) {
		struct side *side = &findings->candidates[findings->candidate_count];

		if (&writes[i] == chosen || !surely_overlaps(&writes[i], failed))
			continue;
		*side = side_of(reasoning, &writes[i], failed->failure, false, CONFIDENCE_POSSIBLE);
		side->role = SIDE_CANDIDATE;
		findings->candidate_count++;
	}
}

static void name(struct reasoning *reasoning, const struct recorded *write,
		 const struct recorded *failure, bool gave_up, enum confidence confidence)
{
	struct findings *findings = reasoning->findings;

	findings->other = arena_take(findings->arena, sizeof(*findings->other));
	*findings->other = side_of(reasoning, write, failure, gave_up, confidence);
}

/** @return why nobody is named; NULL when somebody is */
static const char *name_writer(struct reasoning *reasoning, const struct recorded *failure)
{
	struct failed failed = failed_of(reasoning, failure);
	enum confidence confidence;
	const struct recorded *writes, *chosen = NULL;
	size_t count =
		recording_writes(reasoning->program, failure->map, failure->goroutine->id, &writes);

	if (!failure->first)
		return "recording had stopped at another goroutine's check before this one failed";
	for (size_t i = 0; i < count; i++)
		if (!chosen || is_later(&writes[i], chosen, failure->place))
			chosen = &writes[i];
	if (!chosen)
		return "no other goroutine's write of this map is on record";
	if (!overlaps(chosen, &failed))
		return "nobody is on record inside a write of this map while the check failed";
	if (!is_settled(chosen, &failed))
		return "another goroutine took the map over during the failed operation, and its "
		       "record is gone";
	confidence = confidence_of(reasoning, writes, count, chosen);
	if (confidence < CONFIDENCE_LIKELY)
		return "two goroutines left their writes of this map at the same time";
	name(reasoning, chosen, failure, false, confidence);
	add_candidates(reasoning, writes, count, chosen, &failed);
	return NULL;
}

/** Whose own check of this map, for a write, failed as well. */
static bool name_who_gave_up(struct reasoning *reasoning, const struct recorded *failure)
{
	const struct recording *recording = reasoning->program->recording;

	for (size_t i = 0; i < recording->failure_count; i++) {
		const struct recorded *write = &recording->failures[i];

		if (write->goroutine->id == failure->goroutine->id || write->map != failure->map ||
		    !map_operation_writes(write->operation))
			continue;
		name(reasoning, write, failure, true, CONFIDENCE_PROVEN);
		return true;
	}
	return false;
}

static const struct recorded *failure_of(const struct reasoning *reasoning)
{
	const struct program *program = reasoning->program;

	return recording_failure_of(program,
				    program->goroutines[reasoning->detected->goroutine].id);
}

bool flight_record_map(const struct reasoning *reasoning, uint64_t *ret)
{
	const struct recorded *failure = failure_of(reasoning);

	if (!failure || !failure->map)
		return false;
	*ret = failure->map;
	return true;
}

bool flight_record_names(struct reasoning *reasoning)
{
	const struct recorded *failure = failure_of(reasoning);
	const char *why;

	if (!reasoning->program->recording)
		return false;
	if (!failure)
		why = "the check that failed is not on record";
	else if (!failure->map)
		why = "the code did not tell which map the failed check was of";
	else
		why = name_writer(reasoning, failure);
	if (!why || (failure && failure->map && name_who_gave_up(reasoning, failure)))
		return true;
	program_gap(reasoning->program, "the other goroutine, by the flight recorder", why,
		    "who the other party was");
	return false;
}

static const struct go_site *user_site(struct reasoning *reasoning, const struct recorded *recorded)
{
	struct go_site *site;

	if (recorded->user >= recorded->stack->count)
		return NULL;
	site = arena_take(reasoning->findings->arena, sizeof(*site));
	*site = *recorded->stack->frames[recorded->user].site;
	return site;
}

void flight_record_births(struct reasoning *reasoning)
{
	struct conflict_map *map = &reasoning->findings->map;
	struct recorded recorded;

	if (map->sure != CONFIDENCE_PROVEN)
		return;
	if (recording_made(reasoning->program, map->address, &recorded)) {
		map->made_at = user_site(reasoning, &recorded);
		map->made_at_count = map->made_at != NULL;
		map->made_by = recorded.goroutine;
	}
	if (recording_grown(reasoning->program, map->address, &recorded)) {
		map->grown_at = user_site(reasoning, &recorded);
		map->grown_at_count = map->grown_at != NULL;
		map->grown_by = recorded.goroutine;
	}
}

static int use_compare(const void *a, const void *b)
{
	const struct map_use *x = a, *y = b;

	if (x->inside != y->inside)
		return x->inside ? -1 : 1;
	if (x->turns != y->turns)
		return x->turns < y->turns ? -1 : 1;
	return (x->goroutine->id > y->goroutine->id) - (x->goroutine->id < y->goroutine->id);
}

/** What is on record from after the check is as late as can be. */
static uint32_t turns_since(const struct recorded *failure, const struct recorded *use)
{
	int32_t turns = behind(failure->place, use->place);

	return turns > 0 ? (uint32_t)turns : 0;
}

static struct map_use *uses_of(struct reasoning *reasoning, const struct recorded *failure,
			       const struct recorded *records, size_t count, size_t *ret_count)
{
	struct map_use *uses =
		arena_array(reasoning->findings->arena, count + 1, sizeof(struct map_use));

	*ret_count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct go_site *site = user_site(reasoning, &records[i]);

		if (!records[i].sure)
			continue;
		uses[(*ret_count)++] = (struct map_use){
			.goroutine = records[i].goroutine,
			.operation = records[i].operation,
			.site = site ? *site : (struct go_site){0},
			.turns = turns_since(failure, &records[i]),
			.inside = records[i].inside,
		};
	}
	qsort(uses, *ret_count, sizeof(*uses), use_compare);
	*ret_count = MIN(*ret_count, USES_MAX);
	return uses;
}

void flight_record_uses(struct reasoning *reasoning)
{
	struct conflict_map *map = &reasoning->findings->map;
	const struct recorded *failure = failure_of(reasoning), *records;
	size_t count;

	if (!failure || !failure->map)
		return;
	if (!reasoning->program->recording->eras)
		program_gap(reasoning->program, "who used the map last",
			    "some code that makes maps was not understood, so a record may be of a "
			    "map that stood at this address before",
			    "who else used the map before the check failed");
	count = recording_reads(reasoning->program, failure->map, &records);
	map->readers = uses_of(reasoning, failure, records, count, &map->reader_count);
	count = recording_writes(reasoning->program, failure->map, 0, &records);
	map->writers = uses_of(reasoning, failure, records, count, &map->writer_count);
}
