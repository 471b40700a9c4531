// SPDX-License-Identifier: Apache-2.0
// Where a typed walk starts: package-level variables and locals, as DWARF names them.
#include "model/data/reach.h"

#include "model/data/owner.h"
#include "model/stack/unwind.h"

#define GOROUTINES_MAX 64 /* whose locals are looked at, besides the detectors' */

#define NOT_THE_PROGRAMS(name)                                                                     \
	(g_str_has_prefix(name, "runtime.") || g_str_has_prefix(name, "runtime/") ||               \
	 g_str_has_prefix(name, "internal/") || strstr(name, "statictmp_") ||                      \
	 strstr(name, "..stmp_"))

static bool global_add(const struct debuginfo_variable *variable, void *context)
{
	struct reach *reach = context;

	if (!NOT_THE_PROGRAMS(variable->name))
		reach_root(reach, variable->name, "", "global",
			   reach_debug_type(reach, variable->type),
			   variable->address + reach_program(reach)->bias);
	return true;
}

void reach_globals(struct reach *reach)
{
	struct program *program = reach_program(reach);

	if (program->debuginfo)
		debuginfo_globals(program->debuginfo, global_add, reach);
}

static void code_global_add(const struct map_site *site, void *context)
{
	const struct map_source *source = &site->source;
	struct reach *reach = context;
	struct program *program = reach_program(reach);
	uint64_t word = source->address;
	const char *name;

	if (!site->type || !word || go_is_runtime_function(site->caller.name) ||
	    !program_in_data(program, word))
		return;
	name = arena_format(reach_arena(reach), "a package-level variable at 0x%lx",
			    (unsigned long)word);
	if (source->kind == MAP_SOURCE_FIELD) {
		if (!memory_u64(program->memory, word, &word) || !word)
			return;
		word += (uint64_t)source->offset;
		name = arena_format(reach_arena(reach), "%s, the field at +%lld", name,
				    (long long)source->offset);
	}
	reach_root(reach, name, "", "global", site->type, word);
}

void reach_code_globals(struct reach *reach)
{
	sites_each(reach_program(reach)->sites, code_global_add, reach);
}

struct locals {
	struct reach *reach;
	const char *suffix;
};

static void local_add(const struct debuginfo_variable *variable, void *context)
{
	struct locals *locals = context;
	struct reach *reach = locals->reach;
	// "&x" is the compiler's name for the pointer to a variable that escaped to the heap
	const char *name = variable->name + (variable->name[0] == '&');

	reach_root(reach, name, locals->suffix, "local", reach_debug_type(reach, variable->type),
		   variable->address);
}

static void frame_add(struct reach *reach, const struct frame *frame, uint64_t goroutine)
{
	struct program *program = reach_program(reach);
	struct debuginfo_frame place = {.pc = frame->pc - program->bias - !frame->exact_pc,
					.cfa = frame->cfa};
	struct locals locals = {
		.reach = reach,
		.suffix = arena_format(reach_arena(reach), OWNER_LOCAL_MARK "%s, goroutine %lu)",
				       frame->function->name, (unsigned long)goroutine)};
	scoped(error) struct error *error =
		debuginfo_locals(program->debuginfo, &place, local_add, &locals);
}

void reach_locals(struct reach *reach, struct goroutine *goroutine)
{
	struct program *program = reach_program(reach);

	if (!program->debuginfo)
		return;

	const struct stack *stack = program_stack(program, goroutine);

	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];

		if (!frame->site->inlined && !frame->on_g0 && frame->function->name &&
		    !go_is_runtime_function(frame->function->name))
			frame_add(reach, frame, goroutine->id);
	}
}

static void goroutines_add(struct reach *reach, struct program *program, bool detectors)
{
	size_t left = GOROUTINES_MAX;

	for (size_t i = 0; i < program->live_count && left; i++) {
		struct goroutine *goroutine = &program->goroutines[i];

		if (goroutine->detector != detectors || goroutine->system)
			continue;
		reach_locals(reach, goroutine);
		left--;
	}
}

void reach_program_locals(struct reach *reach)
{
	struct program *program = reach_program(reach);

	goroutines_add(reach, program, true);
	goroutines_add(reach, program, false);
}
