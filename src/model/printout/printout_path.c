// SPDX-License-Identifier: Apache-2.0
// A path is written "#c000012340+8" (the word 8 bytes into the object at that address) or "@52a0>0+8" (through the
// pointer in the variable at 52a0). An argument of a function is what was printed with its frame, if that is vouched
// for, else what the code of its caller passes.
#include "model/printout/printout_path.h"

#include "model/printout/printout.h"
#include "model/printout/printout_call.h"

#include <glib.h>
#include <string.h>

#define WORD           8
#define DEPTH_MAX      4 /* callers asked in turn */
#define WORDS_MAX      32
#define PATH_MAX_BYTES 128

struct asked {
	struct program *program;
	const struct goroutine *goroutine;
	size_t index; /**< of the physical frame */
	unsigned depth;
};

static size_t physical(const struct stack *stack, size_t i)
{
	while (i + 1 < stack->count && stack->frames[i].site->inlined)
		i++;
	return i;
}

static bool argument_path(const struct asked *asked, int word, GString *path);

/** The index of the argument word that was in register @a number at entry; -1 when that passes none. */
static int word_of_register(const struct program *program, uint8_t number)
{
	struct flow_abi abi = sites_abi(program->sites);

	for (int i = 0; abi.registers && i < 9; i++)
		if (flow_argument_register(abi.arch, i) == number)
			return i;
	return -1;
}

/** Arguments on the stack stand above the return address. */
static int word_of_slot(const struct program *program, int64_t offset)
{
	if (sites_abi(program->sites).registers || offset < WORD || offset % WORD)
		return -1;
	return (int)(offset / WORD - 1);
}

/** A variable; one that the linker has given a value is as good as that value: such are seldom assigned to again. */
static void variable_path(const struct asked *asked, uint64_t address, GString *path)
{
	uint64_t initial = 0;

	if (memory_u64(asked->program->memory, address, &initial) && initial)
		g_string_append_printf(path, "#%llx", (unsigned long long)initial);
	else
		g_string_append_printf(path, "@%llx", (unsigned long long)address);
}

static bool root_path(const struct asked *asked, const struct flow_value *value, GString *path)
{
	switch (value->root) {
	case FLOW_ROOT_ARGUMENT:
		return argument_path(
			asked, word_of_register(asked->program, (uint8_t)value->origin), path);
	case FLOW_ROOT_SLOT:
		return argument_path(asked, word_of_slot(asked->program, value->origin), path);
	case FLOW_ROOT_FIXED:
		variable_path(asked, (uint64_t)value->origin, path);
		return true;
	default:
		return false;
	}
}

/** What @a value is, in words that another goroutine's may be compared with. */
static bool value_path(const struct asked *asked, const struct flow_value *value, GString *path)
{
	switch (value->kind) {
	case FLOW_CONSTANT:
		g_string_append_printf(path, "#%llx", (unsigned long long)value->number);
		return true;
	case FLOW_LOADED:
		variable_path(asked, (uint64_t)value->number, path);
		return true;
	case FLOW_ARGUMENT:
		return argument_path(asked, word_of_register(asked->program, value->argument),
				     path);
	case FLOW_FIELD:
	case FLOW_ADDRESS:
		if (!root_path(asked, value, path))
			return false;
		for (unsigned i = 0; i < value->hops; i++)
			g_string_append_printf(path, ">%d", value->hop[i]);
		g_string_append_printf(path, "%s%lld", value->kind == FLOW_FIELD ? "+" : "&",
				       (long long)value->number);
		return true;
	default:
		return value->slot != FLOW_NOWHERE &&
		       argument_path(asked, word_of_slot(asked->program, value->slot), path);
	}
}

/** Word @a word of the arguments as printed with the frame, when it can be trusted. */
static bool printed_word(const struct asked *asked, int word, GString *path)
{
	const struct dump *dump = asked->program->printout->dump;
	g_autofree struct dump_call *calls = g_new0(struct dump_call, asked->index + 1);
	struct dump_argument arguments[WORDS_MAX];
	size_t count = dump_calls(dump, dump_goroutine(dump, asked->goroutine->printed), calls,
				  asked->index + 1);
	int at = 0;

	if (count <= asked->index)
		return false;
	count = dump_arguments(calls[asked->index].arguments, arguments, WORDS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (arguments[i].kind == DUMP_ARGUMENT_OPEN ||
		    arguments[i].kind == DUMP_ARGUMENT_CLOSE)
			continue;
		if (at++ != word)
			continue;
		if (arguments[i].kind != DUMP_ARGUMENT_WORD ||
		    !printout_trusts(asked->program, &arguments[i]))
			return false;
		g_string_append_printf(path, "#%llx", (unsigned long long)arguments[i].value);
		return true;
	}
	return false;
}

static bool argument_path(const struct asked *asked, int word, GString *path)
{
	const struct stack *stack = &asked->goroutine->stack;
	struct asked caller = *asked;
	struct flow_call call;
	struct flow_value value;

	if (word < 0 || asked->depth >= DEPTH_MAX)
		return false;
	if (printed_word(asked, word, path))
		return true;
	caller.index = physical(stack, asked->index + 1);
	caller.depth++;
	if (!asked->program->sites || caller.index >= stack->count ||
	    stack->frames[caller.index].exact_pc ||
	    !sites_call_returning_to(asked->program->sites, stack->frames[caller.index].pc, &call))
		return false;
	value = flow_argument(&call.state, sites_abi(asked->program->sites), word, false);
	return value_path(&caller, &value, path);
}

const char *printout_map_path(struct program *program, const struct goroutine *goroutine,
			      size_t index, const struct map_site *site)
{
	struct asked asked = {program, goroutine, physical(&goroutine->stack, index), 0};
	g_autoptr(GString) path = g_string_new(NULL);
	struct flow_call call;
	struct flow_value value;

	if (!site || !site->return_pc || site->function->map_argument < 0 ||
	    asked.index >= goroutine->stack.count ||
	    !sites_call_returning_to(program->sites, site->return_pc, &call))
		return NULL;
	value = flow_argument(&call.state, sites_abi(program->sites), site->function->map_argument,
			      false);
	if (!value_path(&asked, &value, path) || path->len > PATH_MAX_BYTES)
		return NULL;
	return arena_string(program->arena, (struct text){path->str, path->len});
}

const char *printout_argument_path(struct program *program, const struct goroutine *goroutine,
				   size_t index, int word)
{
	struct asked asked = {program, goroutine, physical(&goroutine->stack, index), 0};
	g_autoptr(GString) path = g_string_new(NULL);

	if (asked.index >= goroutine->stack.count || !argument_path(&asked, word, path) ||
	    path->len > PATH_MAX_BYTES)
		return NULL;
	return arena_string(program->arena, (struct text){path->str, path->len});
}

enum path_relation printout_path_compare(const char *a, const char *b)
{
	size_t x, y;

	if (!a || !b)
		return PATH_UNKNOWN;
	if (!strcmp(a, b))
		return PATH_SAME;
	x = strcspn(a, "+>&");
	y = strcspn(b, "+>&");
	return *a == '#' && *b == '#' && !strcmp(a + x, b + y) ? PATH_OTHER : PATH_UNKNOWN;
}
