// SPDX-License-Identifier: Apache-2.0
#include "model/data/receiver.h"

#include "model/code/call_graph.h"
#include "model/data/heap.h"
#include "model/stack/trace.h"
#include "model/stack/unwind.h"

#include <glib.h>
#include <string.h>

#define GOROUTINES_MAX 64  /* whose frames are looked at, besides the detectors' */
#define VARIABLES_MAX  64  /* that hold one of the addresses */
#define FUNCTIONS_MAX  128 /* that use such a variable */
#define CALLS_MAX      4096
#define METHODS_MAX    256
#define ARGUMENTS      4

struct search {
	struct program *program;
	uint64_t low, high;
	struct receiver *found;
	size_t count, room;
	GArray *variables;     // uint64_t: addresses of package-level variables that hold one
	GHashTable *functions; // entries of functions looked at
	size_t calls;
};

char *receiver_name(const char *function)
{
	const char *open = strstr(function, ".(*"), *close = open ? strstr(open, ").") : NULL;
	size_t length = close ? (size_t)(close - open) - strlen(".(*") : 0;
	const char *name = open ? open + strlen(".(*") : NULL, *bracket;

	if (!close || strchr(close + strlen(")."), '.')) // of a closure in a method
		return NULL;
	bracket = memchr(name, '[', length);
	return bracket ? g_strdup_printf("%.*s.%.*s[...]", (int)(open - function), function,
					 (int)(bracket - name), name)
		       : g_strdup_printf("%.*s.%.*s", (int)(open - function), function, (int)length,
					 name);
}

bool receiver_is(const char *receiver, const char *type_name)
{
	size_t length = strcspn(receiver, "[");

	return !strncmp(receiver, type_name, length) &&
	       (receiver[length] ? type_name[length] == '[' : !type_name[length]);
}

static void add(struct search *search, uint64_t address, const char *function)
{
	g_autofree char *type = NULL;

	if (address < search->low || address > search->high || search->count >= search->room)
		return;
	type = receiver_name(function);
	if (!type || go_is_runtime_function(function))
		return;
	for (size_t i = 0; i < search->count; i++)
		if (search->found[i].address == address && !strcmp(search->found[i].type, type))
			return;
	search->found[search->count++] =
		(struct receiver){address, arena_string(search->program->arena, text_of(type))};
}

/** Arguments on the stack have words of their own, which hold nothing else. */
static bool receiver_of_frame(struct program *program, const struct stack *stack, size_t index,
			      uint64_t *ret)
{
	struct trace trace;

	if (!sites_abi(program->sites).registers)
		return memory_u64(program->memory, stack->frames[index].cfa, ret);
	if (!trace_argument(program, stack, index, 0, &trace))
		return false;
	*ret = trace.value;
	return true;
}

static void stack_search(struct search *search, struct goroutine *goroutine)
{
	const struct stack *stack = program_stack(search->program, goroutine);

	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		uint64_t address;

		if (frame->site->inlined || frame->on_g0 || !frame->function->name ||
		    !strstr(frame->function->name, ".(*"))
			continue;
		if (receiver_of_frame(search->program, stack, i, &address))
			add(search, address, frame->function->name);
	}
}

static void stacks_search(struct search *search)
{
	struct program *program = search->program;
	size_t left = GOROUTINES_MAX;

	for (size_t i = 0; i < program->live_count; i++) {
		struct goroutine *goroutine = &program->goroutines[i];

		if (goroutine->system || (!goroutine->detector && !left))
			continue;
		left -= !goroutine->detector;
		stack_search(search, goroutine);
	}
}

static void variable_add(uint64_t word, uint64_t value, void *context)
{
	struct search *search = context;

	if (search->variables->len < VARIABLES_MAX && program_in_data(search->program, word))
		g_array_append_val(search->variables, word);
}

static bool is_variable(const struct search *search, uint64_t address)
{
	for (guint i = 0; i < search->variables->len; i++)
		if (g_array_index(search->variables, uint64_t, i) == address)
			return true;
	return false;
}

/** Where the first argument of a call points, if that is one of what is looked for. */
static bool first_argument(const struct search *search, const struct flow_call *call, uint64_t *ret)
{
	struct flow_value value =
		flow_argument(&call->state, sites_abi(search->program->sites), 0, false);
	uint64_t number = (uint64_t)value.number;

	if (value.kind == FLOW_LOADED && is_variable(search, number))
		return memory_u64(search->program->memory, number, ret);
	*ret = number;
	return value.kind == FLOW_CONSTANT && program_in_data(search->program, number);
}

static void calls_search(struct search *search, const struct go_function *function)
{
	struct program *program = search->program;
	uint64_t at = function->entry, target, address;
	struct flow_call call;

	while (search->calls < CALLS_MAX &&
	       sites_call_after(program->sites, function, at, &at, &target)) {
		struct go_function method;
		uint32_t table;

		if (!target || !program_function(program, target, &method, &table) ||
		    method.entry != target || !method.name || !strstr(method.name, ".(*"))
			continue;
		search->calls++;
		if (sites_call_returning_to(program->sites, at, &call) &&
		    first_argument(search, &call, &address))
			add(search, address, method.name);
	}
}

static void code_found(uint64_t end, uint64_t target, void *context)
{
	struct search *search = context;
	struct go_function function;
	uint32_t table;

	if (!is_variable(search, target) && (target < search->low || target > search->high))
		return;
	if (g_hash_table_size(search->functions) < FUNCTIONS_MAX &&
	    program_function(search->program, end - 1, &function, &table) &&
	    !go_is_runtime_function(function.name) &&
	    g_hash_table_add(search->functions, GSIZE_TO_POINTER(function.entry)))
		calls_search(search, &function);
}

static void code_search(struct search *search)
{
	struct program *program = search->program;
	uint64_t low = UINT64_MAX, high = 0;

	for (guint i = 0; i < search->variables->len; i++) {
		low = MIN(low, g_array_index(search->variables, uint64_t, i));
		high = MAX(high, g_array_index(search->variables, uint64_t, i));
	}
	for (size_t i = 0; i < program->module_count; i++) {
		if (low <= high)
			call_graph_loads(program->memory, program->tables[i], program->arch, low,
					 high, code_found, search);
		if (program_in_data(program, search->high))
			call_graph_addresses(program->memory, program->tables[i], program->arch,
					     search->low, search->high, code_found, search);
	}
}

size_t receivers_in(struct program *program, uint64_t low, uint64_t high, struct receiver *ret,
		    size_t room)
{
	struct search search = {.program = program,
				.low = low,
				.high = high,
				.found = ret,
				.room = room,
				.variables = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
				.functions = g_hash_table_new(NULL, NULL)};

	stacks_search(&search);
	heap_references(program, low, high + 1, variable_add, &search);
	code_search(&search);
	g_array_free(search.variables, TRUE);
	g_hash_table_unref(search.functions);
	return search.count;
}

static bool hands_on(struct program *program, const struct go_function *function, uint64_t offset)
{
	struct flow_abi abi = sites_abi(program->sites);
	uint64_t at = function->entry, target;
	struct flow_call call;

	for (size_t i = 0;
	     i < CALLS_MAX && sites_call_after(program->sites, function, at, &at, &target); i++) {
		if (!sites_call_returning_to(program->sites, at, &call))
			continue;
		for (int argument = 0; argument < ARGUMENTS; argument++) {
			struct flow_value value = flow_argument(&call.state, abi, argument, false);

			if (value.kind == FLOW_FIELD && value.number >= 0 &&
			    (uint64_t)value.number == offset &&
			    flow_is_of_first_argument(abi, value))
				return true;
		}
	}
	return false;
}

static bool uses_field(struct program *program, const struct go_function *function, uint64_t offset)
{
	size_t count;
	const struct map_site *sites = sites_in(program->sites, function, &count);

	for (size_t i = 0; i < count; i++)
		if (sites[i].source.kind == MAP_SOURCE_FIELD && sites[i].source.first_argument &&
		    sites[i].source.offset >= 0 && (uint64_t)sites[i].source.offset == offset)
			return true;
	return hands_on(program, function, offset);
}

bool receiver_has_field(struct program *program, const char *type, uint64_t offset)
{
	size_t left = METHODS_MAX;

	for (size_t t = 0; t < program->module_count; t++)
		for (uint32_t i = 0; left && i < pclntab_count(program->tables[t]); i++) {
			struct go_function function;
			g_autofree char *name = NULL;

			if (!pclntab_function(program->tables[t], i, &function) || !function.name ||
			    !strstr(function.name, ".(*"))
				continue;
			name = receiver_name(function.name);
			if (!name || strcmp(name, type))
				continue;
			left--;
			if (uses_field(program, &function, offset))
				return true;
		}
	return false;
}
