// SPDX-License-Identifier: Apache-2.0
// An iterator names its map as long as the loop lives; an argument has to be followed to where the
// code took it from. Reflection hands the map over in a reflect.Value: its methods' first three arguments.
#include "model/stack/map_trace.h"

#include "model/stack/map_recover.h"
#include "model/stack/trace.h"

#include <string.h>

enum { VALUE_TYPE, VALUE_POINTER, VALUE_FLAG }; /* reflect.Value's words, in every release */

#define FLAG_KIND_MASK 0x1f
#define FLAG_INDIRECT                                                                              \
	0x80 /* the pointer is to the variable, not to the map (reflect/value.go:91@go1.18.10) */

static const char *how(struct program *program, const struct trace *trace)
{
	if (trace->source == TRACE_FRAME)
		return arena_format(program->arena,
				    "followed through the code to %s, whose frame keeps it",
				    trace->function);
	return arena_format(program->arena, "loaded again from the %s that %s takes it from",
			    trace->source == TRACE_FIELD ? "field" : "variable", trace->function);
}

static bool accept(struct program *program, uint64_t map, uint64_t type, const struct trace *trace,
		   struct traced_map *ret)
{
	struct go_map header;

	if (!map_is_heap_object(program, map) || !map_read(program, map, &header))
		return false;
	// an iterator's own map stays the same wherever the iterator was found
	*ret = (struct traced_map){map, type, !type && trace->source != TRACE_FRAME,
				   how(program, trace)};
	return true;
}

/* What runtime.mapiternext is given since 1.24 is not a maps.Iter (linkname_swiss.go). */
static bool takes_iterator(const struct program *program, const struct go_map_function *function)
{
	return function->iter_argument >= 0 && (program_offset(program, GO_ITER_M) == GO_ABSENT ||
						!strstr(function->name, ".mapiter"));
}

static bool by_iterator(struct program *program, const struct stack *stack, size_t index,
			const struct go_map_function *function, struct traced_map *ret)
{
	bool swiss = program_offset(program, GO_ITER_M) != GO_ABSENT;
	struct trace trace;

	if (!takes_iterator(program, function) ||
	    !trace_argument(program, stack, index, function->iter_argument, &trace))
		return false;
	return accept(program,
		      program_word(program, trace.value, swiss ? GO_ITER_M : GO_HITER_HMAP),
		      program_word(program, trace.value, swiss ? GO_ITER_TYP : GO_HITER_MAPTYPE),
		      &trace, ret);
}

/* maps.clone, keys and values take the map in an interface, as its second word. */
static int map_argument_of(const struct go_map_function *function)
{
	return !strncmp(function->name, "maps.", 5) ? 1 : function->map_argument;
}

static bool by_argument(struct program *program, const struct stack *stack, size_t index,
			const struct go_map_function *function, struct traced_map *ret)
{
	struct trace trace;

	return trace_argument(program, stack, index, map_argument_of(function), &trace) &&
	       accept(program, trace.value, 0, &trace, ret);
}

static bool starts_with(const char *name, const char *start)
{
	return !strncmp(name, start, strlen(start));
}

/* The map that a method of reflect.Value was called on. */
static bool by_value(struct program *program, const struct stack *stack, size_t index,
		     struct traced_map *ret)
{
	struct trace type, pointer, flag;
	const struct go_type *map;

	if (!starts_with(stack->frames[index].function->name, "reflect.Value.") ||
	    !trace_argument(program, stack, index, VALUE_TYPE, &type) ||
	    !trace_argument(program, stack, index, VALUE_POINTER, &pointer) ||
	    !trace_argument(program, stack, index, VALUE_FLAG, &flag) ||
	    (flag.value & FLAG_KIND_MASK) != GO_KIND_MAP)
		return false;
	map = types_at(program->types, type.value);
	if (!map || map->kind != GO_KIND_MAP)
		return false;
	if (flag.value & FLAG_INDIRECT) {
		if (!memory_u64(program->memory, pointer.value, &pointer.value))
			return false;
		pointer.source = TRACE_VARIABLE;
	}
	if (!accept(program, pointer.value, 0, &pointer, ret))
		return false;
	ret->type = type.value;
	return true;
}

bool map_trace(struct program *program, const struct stack *stack, const struct map_call *call,
	       struct traced_map *ret)
{
	for (size_t i = call->last + 1; i-- > call->first;) {
		size_t index = trace_physical(stack, i);
		const struct go_map_function *function =
			go_map_function_find(stack->frames[index].function->name);

		if (function && function->operation != MAP_MAKE &&
		    (by_iterator(program, stack, index, function, ret) ||
		     by_argument(program, stack, index, function, ret)))
			return true;
	}
	for (size_t i = call->last + 1; i < call->user; i++)
		if (!stack->frames[i].site->inlined && by_value(program, stack, i, ret))
			return true;
	return false;
}
