// SPDX-License-Identifier: Apache-2.0
// An operation shows as a run of map functions (mapassign_fast64, hashGrow below it,
// reflect.mapassign above it) with the user's frame above. The map comes from the arguments of
// those frames, where the compiler's own record says that the slot is live.
#include "model/stack/map_call.h"

#include "model/stack/exact_frame.h"
#include "model/stack/map_recover.h"
#include "model/stack/map_trace.h"
#include "model/printout/printout_call.h"
#include "model/stack/unwind.h"

#include <string.h>

#define WORD        8
#define SWISS_SINCE 24
#define SPILL_BYTES 16 /* the slots of the type and the map, above the frame */

static const char *const fatal_functions[] = {
	"runtime.throw",
	"runtime.fatal",
	"internal/runtime/maps.fatal",
	"runtime.maps_fatal",
};

static bool is_fatal(const char *function)
{
	for (size_t i = 0; i < sizeof(fatal_functions) / sizeof(*fatal_functions); i++)
		if (!strcmp(function, fatal_functions[i]))
			return true;
	return false;
}

size_t stack_user_frame(const struct stack *stack, size_t from)
{
	size_t i = from;

	while (i < stack->count && stack->frames[i].runtime)
		i++;
	return i;
}

static const struct go_map_function *operation_at(const struct stack *stack, size_t i)
{
	const struct go_map_function *function =
		go_map_function_find(stack->frames[i].site->function);

	return function && function->operation != MAP_MAKE ? function : NULL;
}

/** The run of map functions nearest to the stack's inner end, with nothing but the runtime below
 * it. */
static bool find_run(const struct stack *stack, struct map_call *call)
{
	size_t user = stack_user_frame(stack, 0);

	call->first = call->last = user;
	for (size_t i = 0; i < user; i++) {
		const struct go_map_function *function = operation_at(stack, i);

		if (!function)
			continue;
		if (call->first == user)
			call->first = i;
		call->last = i;
		call->function = function;
		call->operation = function->operation;
	}
	call->user = user;
	return call->first < user;
}

/** The outermost function that names an operation of its own: growth and its helpers are part of
 * one. */
static void settle_operation(const struct stack *stack, struct map_call *call)
{
	for (size_t i = call->last; call->operation == MAP_GROW && i-- > call->first;) {
		const struct go_map_function *function = operation_at(stack, i);

		if (function && function->operation != MAP_GROW)
			call->operation = function->operation;
	}
	if (call->operation == MAP_GROW)
		call->operation = MAP_ASSIGN; // grows run only inside assignments
}

/** The table of checks has the lines of each release's own maps, not of those that an experiment chose. */
static bool checks_known(const struct program *program)
{
	return program->layout->version.minor < SWISS_SINCE ||
	       program_offset(program, GO_SWISS_USED) != GO_ABSENT;
}

static void find_fatal(struct program *program, const struct stack *stack, struct map_call *call)
{
	for (size_t i = 0; i < call->last; i++) {
		if (!is_fatal(stack->frames[i].site->function))
			continue;
		call->in_fatal = true;
	}
	for (size_t i = call->first; call->in_fatal && i <= call->last; i++) {
		const struct go_site *site = stack->frames[i].site;

		if (call->check == MAP_CHECK_NONE && checks_known(program))
			call->check = go_map_check_at(program->layout->version, site->function,
						      site->line);
	}
}

/** The physical frame that holds frame @a i: arguments belong to it. */
static const struct frame *physical(const struct stack *stack, size_t i)
{
	while (i + 1 < stack->count && stack->frames[i].site->inlined)
		i++;
	return &stack->frames[i];
}

static bool is_map_at(struct program *program, uint64_t address)
{
	struct go_map map;

	// a map that two goroutines share has escaped: what else looks like one is left-over stack
	return address && map_is_heap_object(program, address) && map_read(program, address, &map);
}

static uint64_t map_of_iterator(struct program *program, uint64_t iterator)
{
	uint64_t map = program_word(program, iterator, GO_ITER_M);

	return map ? map : program_word(program, iterator, GO_HITER_HMAP);
}

static void take_map(struct program *program, struct map_call *call, uint64_t map,
		     const char *found_by)
{
	if (call->map || !is_map_at(program, map))
		return;
	call->map = map;
	call->map_found_by = found_by;
}

static void take_reloaded_map(struct program *program, struct map_call *call, uint64_t map)
{
	if (call->map)
		return;
	take_map(program, call, map, "the variable that the code loads it from");
	call->map_inferred = true;
}

static void take_type(struct program *program, struct map_call *call, uint64_t descriptor)
{
	const struct go_type *type = call->type ? NULL : types_at(program->types, descriptor);

	if (type && type->kind == GO_KIND_MAP)
		call->type = type;
}

/** An iterator keeps its map and the map's type. */
static void read_iterator(struct program *program, struct map_call *call, uint64_t iterator)
{
	uint64_t type = program_word(program, iterator, GO_ITER_TYP);

	take_map(program, call, map_of_iterator(program, iterator), "iterator");
	take_type(program, call, type ? type : program_word(program, iterator, GO_HITER_MAPTYPE));
}

static bool argument(struct program *program, const struct frame *frame, int index,
		     enum argument_trust trust, uint64_t *ret)
{
	return index >= 0 && frame_argument(program, frame, (unsigned)index, ret) == trust;
}

static void read_arguments(struct program *program, const struct frame *frame,
			   const struct go_map_function *function, enum argument_trust trust,
			   struct map_call *call)
{
	uint64_t value;

	if (argument(program, frame, function->map_argument, trust, &value))
		take_map(program, call, value, "argument slot");
	if (argument(program, frame, function->iter_argument, trust, &value))
		read_iterator(program, call, value);
	if (argument(program, frame, function->type_argument, trust, &value))
		take_type(program, call, value);
}

static void find_map(struct program *program, const struct stack *stack, enum argument_trust trust,
		     struct map_call *call)
{
	for (size_t i = call->first; i <= call->last; i++) {
		const struct frame *frame = physical(stack, i);
		const struct go_map_function *function =
			go_map_function_find(frame->function->name);

		if (function)
			read_arguments(program, frame, function, trust, call);
	}
}

/** What no record speaks for is believed when nothing else tells, and proves nothing. */
static void find_map_unrecorded(struct program *program, const struct stack *stack,
				struct map_call *call)
{
	bool known = call->map != 0;

	find_map(program, stack, ARGUMENT_UNRECORDED, call);
	call->map_unrecorded = !known && call->map;
	call->map_inferred |= call->map_unrecorded;
}

static void find_site(struct program *program, const struct stack *stack, struct map_call *call)
{
	if (!program->sites || call->user >= stack->count || call->user != call->last + 1)
		return;
	call->site = sites_returning_to(program->sites, stack->frames[call->user].pc);
	if (call->site && call->site->type)
		call->type = call->site->type;
}

/** By the code of the callers, when the operation's own frames have lost it. */
static void find_map_by_code(struct program *program, const struct stack *stack,
			     struct map_call *call)
{
	struct traced_map traced;
	const struct go_type *type;

	if (call->map || !map_trace(program, stack, call, &traced))
		return;
	call->map_inferred = traced.reloaded;
	take_map(program, call, traced.map, traced.found_by);
	type = traced.type ? types_at(program->types, traced.type) : NULL;
	if (!call->type && type && type->kind == GO_KIND_MAP)
		call->type = type;
}

/** Through a package-level variable the code itself says which map it is. */
static void find_map_by_source(struct program *program, struct map_call *call)
{
	uint64_t map;

	if (!call->site || call->site->source.kind != MAP_SOURCE_GLOBAL)
		return;
	if (memory_u64(program->memory, call->site->source.address, &map))
		take_reloaded_map(program, call, map);
}

struct map_search {
	struct program *program;
	const struct go_type *type;
	uint64_t only;
	bool several;
};

static bool any_entry(uint64_t key, uint64_t elem, void *context) { return true; }

static bool is_map_of(struct program *program, uint64_t address, const struct go_type *type)
{
	struct go_map map;
	struct map_integrity integrity;

	if (!address || !map_read(program, address, &map))
		return false;
	if (!type)
		return true;
	integrity = map_entries(program, &map, type, any_entry, NULL);
	return integrity.checked;
}

static void search_word(struct map_search *search, uint64_t word)
{
	if (word == search->only || !is_map_of(search->program, word, search->type))
		return;
	search->several = search->only != 0;
	search->only = word;
}

static bool needs_its_map(const struct map_call *call)
{
	return !call->in_fatal && map_operation_writes(call->operation);
}

/**
 * A write in progress needs its map until its exit check, and Go keeps nothing in registers across
 * the calls at which a goroutine can be stopped: so the map stands somewhere in the operation's own
 * frames. When they hold a single map, that is the one.
 */
static void find_map_in_frames(struct program *program, const struct stack *stack,
			       struct map_call *call)
{
	struct map_search search = {program, call->type, 0, false};
	uint64_t high = physical(stack, call->last)->cfa + SPILL_BYTES, word;

	// a running thread keeps its map in a register, and an older one may stand in the frame
	if (call->first == 0 && stack->frames[0].exact_pc)
		return;
	for (uint64_t at = stack->frames[0].sp; at < high && !search.several; at += WORD)
		if (memory_u64(program->memory, at, &word))
			search_word(&search, word);
	if (search.several)
		return;
	take_map(program, call, search.only, "the only map that the operation's frames hold");
	call->map_inferred = true;
}

bool map_call_may_use(struct program *program, const struct map_call *call, uint64_t map)
{
	const struct stack *stack = &program->goroutines[call->goroutine].stack;
	uint64_t high, word;

	if (program->printout)
		return !call->map || call->map_inferred; // there are no frames to search
	high = physical(stack, call->last)->cfa + SPILL_BYTES;
	for (uint64_t at = stack->frames[0].sp; at < high; at += WORD)
		if (memory_u64(program->memory, at, &word) && word == map)
			return true;
	return exact_frame_has(program, &stack->frames[0], map);
}

static void find_map_in_process(struct program *program, const struct stack *stack,
				struct map_call *call)
{
	find_map(program, stack, ARGUMENT_LIVE, call);
	find_map_by_code(program, stack, call);
	find_map_by_source(program, call);
	if (!call->map && needs_its_map(call))
		find_map_in_frames(program, stack, call);
	else
		find_map_unrecorded(program, stack, call);
}

/** A watchpoint saw this very thread begin this very write. */
static void take_watched_map(struct program *program, const struct goroutine *goroutine,
			     struct map_call *call)
{
	const struct process_later *later = &program->process->later;

	if (!later->tid || goroutine->thread == NO_INDEX || call->first != 0 ||
	    program->threads[goroutine->thread].tid != later->tid ||
	    !map_operation_writes(call->operation))
		return;
	call->map = 0;
	take_map(program, call, later->map, "the watchpoint on its writing flag");
	call->map_inferred = false;
}

bool map_call_of(struct program *program, struct goroutine *goroutine, struct map_call *ret)
{
	const struct stack *stack = program_stack(program, goroutine);
	struct map_call call = {
		.goroutine = (uint32_t)(goroutine - program->goroutines),
		.map_found_by = "",
	};

	if (find_run(stack, &call)) {
		settle_operation(stack, &call);
		find_fatal(program, stack, &call);
		find_site(program, stack, &call);
	} else if (!program->printout || !printout_hidden_call(program, goroutine, &call)) {
		return false;
	}
	call.in_fatal |= goroutine->raised;
	if (program->printout)
		printout_find_map(program, goroutine, &call);
	else
		find_map_in_process(program, stack, &call);
	if (program->process)
		take_watched_map(program, goroutine, &call);
	*ret = call;
	return true;
}
