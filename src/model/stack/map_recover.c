// SPDX-License-Identifier: Apache-2.0
#include "model/stack/map_recover.h"

#include "model/data/heap.h"
#include "model/stack/live_word.h"
#include "model/stack/trace.h"

#define WORD             8
#define CALLERS_SEARCHED 2
#define HOP_MAX_BYTES    1024 /* of an object, when the code does not say at which offset the map is */
#define FRAME_MAX_BYTES  4096
#define LOWEST_POINTER   4096
#define HEADER_BYTES     48 /* hmap and Swiss Map alike */

struct recovery {
	struct program *program;
	const struct map_call *call;
	struct map_candidate *found;
	size_t count;
};

static bool visit_entry(uint64_t key, uint64_t elem, void *context) { return true; }

bool map_is_heap_object(struct program *program, uint64_t address)
{
	struct heap_object object;

	if (!heap_object_at(program, address, &object)) /* a goroutine is always one */
		return !program->goroutine_count ||
		       !heap_object_at(program, program->goroutines[0].address, &object);
	return object.data == address && object.allocated && object.pointers &&
	       object.size >= HEADER_BYTES && object.size < 2 * HEADER_BYTES;
}

/** A header that reads as a map's and, as far as the type is known, entries that do. */
static bool is_sound(struct recovery *recovery, uint64_t address, const struct go_type *type)
{
	struct go_map map;
	struct map_integrity integrity;

	if (!address || address % WORD || !map_is_heap_object(recovery->program, address) ||
	    !map_read(recovery->program, address, &map))
		return false;
	if (!type)
		return true;
	integrity = map_entries(recovery->program, &map, type, visit_entry, NULL);
	return integrity.checked;
}

static void add(struct recovery *recovery, uint64_t address, const struct go_type *type,
		const char *found_by)
{
	for (size_t i = 0; i < recovery->count; i++)
		if (recovery->found[i].map == address)
			return;
	if (recovery->count < MAP_CANDIDATES_MAX && is_sound(recovery, address, type))
		recovery->found[recovery->count++] =
			(struct map_candidate){address, type, found_by};
}

static void consider(struct recovery *recovery, uint64_t address, const char *found_by)
{
	add(recovery, address, recovery->call->type, found_by);
}

/** An iterator keeps its map's type and header: both have to make sense. */
static void consider_iterator(struct recovery *recovery, uint64_t at)
{
	struct program *program = recovery->program;
	bool swiss = program_offset(program, GO_ITER_M) != GO_ABSENT;
	uint64_t descriptor = program_word(program, at, swiss ? GO_ITER_TYP : GO_HITER_MAPTYPE);
	const struct go_type *type;

	if (!types_covers(program->types, descriptor))
		return;
	type = types_at(program->types, descriptor);
	if (type && type->kind == GO_KIND_MAP &&
	    (!recovery->call->type || type == recovery->call->type))
		add(recovery, program_word(program, at, swiss ? GO_ITER_M : GO_HITER_HMAP), type,
		    "the iterator that the frames hold");
}

static void consider_field(struct recovery *recovery, uint64_t base, int64_t offset)
{
	uint64_t value;

	if (memory_u64(recovery->program->memory, base + (uint64_t)offset, &value))
		consider(recovery, value,
			 "one hop from the caller's frame, at the offset that its code loads");
}

static void consider_hops(struct recovery *recovery, uint64_t word)
{
	struct heap_object object;
	uint64_t value;

	if (!heap_object_at(recovery->program, word, &object) || !object.pointers)
		return;
	for (uint64_t at = object.data;
	     at + WORD <= object.address + object.size && at < object.data + HOP_MAX_BYTES;
	     at += WORD)
		if (memory_u64(recovery->program->memory, at, &value))
			consider(recovery, value, "one hop from the caller's frame");
}

static void search_iterators(struct recovery *recovery, uint64_t low, uint64_t high)
{
	uint64_t word;

	for (uint64_t at = low; at < high; at += WORD) {
		consider_iterator(recovery, at);
		if (memory_u64(recovery->program->memory, at, &word))
			consider_iterator(recovery, word);
	}
}

/** Where the code's way to its map is not known: an element of a slice, say. */
static bool is_way_unknown(const struct map_site *site)
{
	return !site || site->source.kind == MAP_SOURCE_UNKNOWN;
}

static void consider_live(uint64_t word, void *context)
{
	struct recovery *recovery = context;
	const struct map_site *site = recovery->call->site;

	if (word < LOWEST_POINTER)
		return;
	if (site && site->source.kind == MAP_SOURCE_FIELD)
		consider_field(recovery, word, site->source.offset);
	else
		consider(recovery, word, "a word of the caller's frame");
}

/** What the caller's code needs again after the operation; nothing is left over from earlier there. */
static void search_live(struct recovery *recovery, const struct stack *stack)
{
	size_t user = recovery->call->user;

	if (recovery->call->operation == MAP_ITERATE || user >= stack->count)
		return;
	live_words(recovery->program, &stack->frames[trace_physical(stack, user)], consider_live,
		   recovery);
	if (recovery->count > 1)
		recovery->count = 0; // no more than the whole frame tells
}

static void search_frames(struct recovery *recovery, uint64_t low, uint64_t high)
{
	const struct map_site *site = recovery->call->site;
	uint64_t word;

	if (recovery->call->operation == MAP_ITERATE)
		search_iterators(recovery, low, high);
	if (recovery->count)
		return;
	for (uint64_t at = low; at < high; at += WORD) {
		if (!memory_u64(recovery->program->memory, at, &word) || word < LOWEST_POINTER)
			continue;
		if (site && site->source.kind == MAP_SOURCE_FIELD)
			consider_field(recovery, word, site->source.offset);
		else
			consider(recovery, word, "a word of the caller's frame");
	}
	for (uint64_t at = low; at < high && !recovery->count; at += WORD)
		if (memory_u64(recovery->program->memory, at, &word) && word >= LOWEST_POINTER)
			consider(recovery, word, "a word of the caller's frame");
	for (uint64_t at = low; at < high && !recovery->count && is_way_unknown(site); at += WORD)
		if (memory_u64(recovery->program->memory, at, &word) && word >= LOWEST_POINTER)
			consider_hops(recovery, word);
}

/** The frame @a n physical frames above @a i; the last one when there are fewer. */
static const struct frame *frame_above(const struct stack *stack, size_t i, unsigned n)
{
	while (i + 1 < stack->count && n) {
		if (!stack->frames[i].site->inlined)
			n--;
		i++;
	}
	return &stack->frames[i];
}

size_t map_recover(struct program *program, const struct map_call *call,
		   struct map_candidate ret[MAP_CANDIDATES_MAX])
{
	struct recovery recovery = {program, call, ret, 0};
	const struct stack *stack = &program->goroutines[call->goroutine].stack;
	const struct frame *innermost = &stack->frames[call->first];

	search_live(&recovery, stack);

	for (unsigned callers = 0; callers <= CALLERS_SEARCHED && !recovery.count; callers++) {
		uint64_t high = frame_above(stack, call->last, callers + 1)->cfa;

		if (high > innermost->sp + FRAME_MAX_BYTES)
			high = innermost->sp + FRAME_MAX_BYTES;
		search_frames(&recovery, innermost->sp, high);
	}
	return recovery.count;
}
