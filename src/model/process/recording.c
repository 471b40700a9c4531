// SPDX-License-Identifier: Apache-2.0
#include "model/process/recording.h"

#include "model/stack/spot.h"

#include <glib.h>

#define STATUS_NOT_KNOWN UINT32_C(0xffff)
#define MAP_SHIFT        4 /* of a map's address in a record */
#define FOUND_BY         "the flight recorder"

static void add_frames(struct program *program, struct stack *stack, uint64_t pc, bool exact)
{
	const struct spot *spot = program_spot(program, pc, exact);

	for (size_t i = 0; spot && i < spot->site_count; i++)
		stack->frames[stack->count++] = (struct frame){
			.site = &spot->sites[i],
			.function = &spot->function,
			.pc = pc,
			.table = spot->table,
			.exact_pc = exact,
			.runtime = spot->runtime[i],
		};
}

static size_t room_for(struct program *program, const uint64_t *pcs, size_t count)
{
	size_t room = 0;

	for (size_t i = 0; i < count; i++) {
		const struct spot *spot = pcs[i] ? program_spot(program, pcs[i], false) : NULL;

		room += spot ? spot->site_count : 0;
	}
	return room;
}

/** Frames of the runtime's outermost functions say nothing. */
static void drop_top(struct stack *stack)
{
	while (stack->count &&
	       go_role_of(stack->frames[stack->count - 1].site->function) == GO_ROLE_TOP)
		stack->count--;
}

/** @param inner  where in the map function itself it stood; 0 when not known */
static struct stack *stack_of(struct program *program, uint64_t inner, const uint64_t *pcs,
			      size_t count)
{
	struct stack *stack = arena_take(program->arena, sizeof(*stack));
	const struct spot *spot = inner ? program_spot(program, inner, true) : NULL;
	size_t room = room_for(program, pcs, count) + (spot ? spot->site_count : 0);

	stack->frames = arena_array(program->arena, room + 1, sizeof(*stack->frames));
	if (inner)
		add_frames(program, stack, inner, true);
	for (size_t i = 0; i < count; i++) {
		if (pcs[i])
			add_frames(program, stack, pcs[i], false);
		else
			stack->broken = "code outside the program's text had called";
	}
	drop_top(stack);
	return stack;
}

/** The goroutine that the core or text has; else one of which nothing but the id is known. */
static struct goroutine *goroutine_of(struct program *program, uint64_t id, bool whole)
{
	struct goroutine *goroutine;

	for (size_t i = 0; i < program->live_count; i++) {
		goroutine = &program->goroutines[i];
		if (goroutine->id == id || (!whole && (uint32_t)goroutine->id == (uint32_t)id))
			return goroutine;
	}
	goroutine = arena_take(program->arena, sizeof(*goroutine));
	*goroutine = (struct goroutine){
		.id = id,
		.status = program->process ? GO_STATUS_DEAD : STATUS_NOT_KNOWN,
		.wait_reason = "",
		.wait_ns = -1,
		.thread = NO_INDEX,
		.start_function = "",
		.unwound = true,
	};
	return goroutine;
}

static struct recorded recorded_write(struct program *program, const struct flight_write *write,
				      uint64_t map)
{
	struct recorded recorded = {
		.goroutine = goroutine_of(program, write->goroutine, false),
		.stack = stack_of(program, 0, write->pcs, write->pc_count),
		.operation = write->operation,
		.function = write->function,
		.map = map,
		.place = write->place,
		.left = write->left,
		.inside = write->inside,
		.sure = write->sure,
	};

	recorded.user = stack_user_frame(recorded.stack, 0);
	return recorded;
}

static struct recorded recorded_failure(struct program *program,
					const struct flight_failure *failure)
{
	struct recorded recorded = {
		.goroutine = goroutine_of(program, failure->goroutine, true),
		.stack = stack_of(program, failure->pc, failure->pcs, failure->pc_count),
		.operation = failure->operation,
		.function = failure->function,
		.map = failure->map,
		.place = failure->place,
		.inside = true,
		.first = failure->first,
	};

	recorded.user = stack_user_frame(recorded.stack, 0);
	return recorded;
}

void recording_read(struct program *program, const struct flight *flight)
{
	const struct flight_facts *facts = flight_facts(flight);
	struct recording *recording = arena_take(program->arena, sizeof(*recording));
	const struct flight_failure *failures = flight_failures(flight, &recording->failure_count);

	program->recording = recording;
	recording->flight = flight;
	recording->path = flight_path(flight);
	recording->complete = facts->complete;
	recording->incomplete = facts->incomplete;
	recording->begun_in_operation = facts->begun_in_operation;
	recording->eras = facts->eras;
	recording->failures = arena_array(program->arena, recording->failure_count + 1,
					  sizeof(*recording->failures));
	for (size_t i = 0; i < recording->failure_count; i++)
		recording->failures[i] = recorded_failure(program, &failures[i]);
}

bool recording_is_all(const struct program *program)
{
	return program->recording && !program->process && !program->printout;
}

const struct recorded *recording_failure_of(const struct program *program, uint64_t goroutine)
{
	const struct recording *recording = program->recording;

	for (size_t i = 0; recording && i < recording->failure_count; i++)
		if (recording->failures[i].goroutine->id == goroutine)
			return &recording->failures[i];
	return NULL;
}

static bool is_of(const struct flight_write *record, uint64_t map)
{
	return flight_write_is_of(record, map) && !record->earlier && !record->on_stack;
}

static size_t records_of(struct program *program, const struct flight_write *records, size_t count,
			 uint64_t map, uint64_t without, const struct recorded **ret)
{
	struct recorded *recorded;
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += is_of(&records[i], map);
	recorded = arena_array(program->arena, found + 1, sizeof(*recorded));
	found = 0;
	for (size_t i = 0; i < count; i++)
		if (is_of(&records[i], map) &&
		    (!without || records[i].goroutine != (uint32_t)without))
			recorded[found++] = recorded_write(program, &records[i], map);
	*ret = recorded;
	return found;
}

size_t recording_writes(struct program *program, uint64_t map, uint64_t without,
			const struct recorded **ret)
{
	size_t count;
	const struct flight_write *writes = flight_writes(program->recording->flight, &count);

	return records_of(program, writes, count, map, without, ret);
}

size_t recording_reads(struct program *program, uint64_t map, const struct recorded **ret)
{
	size_t count;
	const struct flight_write *reads = flight_reads(program->recording->flight, &count);

	return records_of(program, reads, count, map, 0, ret);
}

struct recorded recording_of(struct program *program, const struct flight_write *write)
{
	return recorded_write(program, write, (uint64_t)write->map << MAP_SHIFT);
}

bool recording_write_by(struct program *program, uint64_t map, uint64_t goroutine,
			struct recorded *ret)
{
	size_t count;
	const struct flight_write *writes = flight_writes(program->recording->flight, &count);

	for (size_t i = 0; i < count; i++) {
		if (!is_of(&writes[i], map) || writes[i].goroutine != (uint32_t)goroutine)
			continue;
		*ret = recorded_write(program, &writes[i], map);
		return true;
	}
	return false;
}

bool recording_made(struct program *program, uint64_t map, struct recorded *ret)
{
	struct flight_write made;

	if (!program->recording || !flight_made(program->recording->flight, map, &made))
		return false;
	*ret = recorded_write(program, &made, map);
	return true;
}

bool recording_grown(struct program *program, uint64_t map, struct recorded *ret)
{
	struct flight_write grown;

	if (!program->recording || !flight_grown(program->recording->flight, map, &grown))
		return false;
	*ret = recorded_write(program, &grown, map);
	return true;
}

void recording_tells_map(const struct program *program, struct map_call *call)
{
	const struct recorded *failure =
		call->in_fatal
			? recording_failure_of(program, program->goroutines[call->goroutine].id)
			: NULL;

	if (!failure || !failure->map)
		return;
	call->map = failure->map;
	call->map_found_by = FOUND_BY;
	call->map_inferred = call->map_unrecorded = false;
}

/** Makes @a goroutine one of the program's, which has none of its own: only the recorder knows any. */
static uint32_t adopt(struct program *program, const struct recorded *failure)
{
	for (size_t i = 0; i < program->live_count; i++)
		if (&program->goroutines[i] == failure->goroutine)
			return (uint32_t)i;
	if (program->live_count)
		return NO_INDEX;
	program->goroutines = failure->goroutine;
	program->goroutine_count = program->live_count = 1;
	return 0;
}

static size_t outermost_map_frame(const struct stack *stack, size_t user)
{
	size_t last = 0;

	for (size_t i = 0; i < user; i++)
		if (go_map_function_find(stack->frames[i].site->function))
			last = i;
	return last;
}

/** The first call of a map function in the compiled code above it that the code says something about. */
static const struct map_site *site_of(struct program *program, const struct stack *stack,
				      size_t user)
{
	return user < stack->count && program->sites
		       ? sites_returning_to(program->sites, stack->frames[user].pc)
		       : NULL;
}

bool recording_call(struct program *program, struct map_call *ret)
{
	const struct recording *recording = program->recording;
	const struct recorded *failure;
	uint32_t goroutine;

	if (!recording || !recording->failure_count)
		return false;
	failure = &recording->failures[0];
	goroutine = adopt(program, failure);
	if (goroutine == NO_INDEX)
		return false;
	if (recording_is_all(program))
		failure->goroutine->stack = *failure->stack;
	*ret = (struct map_call){
		.goroutine = goroutine,
		.operation = failure->operation,
		.function = go_map_function_find(failure->function),
		.last = outermost_map_frame(failure->stack, failure->user),
		.user = failure->user,
		.in_fatal = true,
		.map = failure->map,
		.map_found_by = failure->map ? FOUND_BY : "",
		.site = site_of(program, failure->stack, failure->user),
	};
	ret->type = ret->site ? ret->site->type : NULL;
	return true;
}
