// SPDX-License-Identifier: Apache-2.0
// Printed arguments: raw words of the stack up to Go 1.16, where they are what the caller passed; since 1.17 spill slots
// of registers, which 1.18 and later mark with "?" where the compiler does not vouch for them (printArgs,
// runtime/traceback.go:676@1.22.12). 1.17 has no mark: nothing that it prints is trusted.
#include "model/printout/printout_call.h"

#include "model/printout/printout.h"

#include <glib.h>

#define ON_STACK_TO   16 /* the last minor that passes arguments on the stack */
#define MARKS_STALE   18 /* the first that marks what may be stale */
#define NAMES_PARENTS 21 /* the first that says who started a goroutine */
#define ARGUMENTS_MAX 32

static bool shows_runtime(const struct program *program, const struct stack *stack)
{
	if (!stack->count || stack->broken)
		return !program->printout->hides_runtime;
	return go_role_of(stack->frames[stack->count - 1].site->function) == GO_ROLE_TOP;
}

static const struct frame *physical(const struct stack *stack, size_t i)
{
	while (i + 1 < stack->count && stack->frames[i].site->inlined)
		i++;
	return &stack->frames[i];
}

static enum map_operation operation_of(enum map_fatal fatal)
{
	switch (fatal) {
	case MAP_FATAL_READ_AND_WRITE:
		return MAP_READ;
	case MAP_FATAL_ITERATION_AND_WRITE:
		return MAP_ITERATE;
	case MAP_FATAL_CLONE_AND_WRITE:
		return MAP_CLONE;
	default:
		return MAP_WRITE;
	}
}

/** The runtime names the operation of whoever raised the fatal; of several with different words it does not say whose. */
static bool by_message(const struct program *program, const struct goroutine *goroutine,
		       struct map_call *call)
{
	const struct printout *printout = program->printout;
	enum map_fatal first = go_map_fatal_find(text_of(printout->message));
	bool dies = program->threads[0].goroutine == call->goroutine;

	if (!goroutine->raised || first == MAP_FATAL_NONE)
		return false;
	for (const char *line = printout->headlines; !dies && *line;
	     line += strcspn(line, "\n") + 1)
		if (go_map_fatal_find((struct text){line, strcspn(line, "\n")}) != first)
			return false;
	call->operation = operation_of(first);
	return true;
}

bool printout_hidden_call(struct program *program, const struct goroutine *goroutine,
			  struct map_call *call)
{
	const struct stack *stack = &goroutine->stack;
	const struct map_site *site = NULL;

	call->user = call->first = call->last = stack_user_frame(stack, 0);
	if (call->user >= stack->count)
		return false;
	if ((call->user > 0 || shows_runtime(program, stack)) && !goroutine->raised)
		return false;
	if (program->sites && !physical(stack, call->user)->exact_pc)
		site = sites_returning_to(program->sites, physical(stack, call->user)->pc);
	if (!site)
		return by_message(program, goroutine, call);
	call->site = site;
	call->function = site->function;
	call->operation = site->function->operation;
	call->type = site->type;
	return call->operation != MAP_MAKE;
}

/** Argument @a index, counted outside braces. */
static bool argument_at(const struct dump_argument *arguments, size_t count, int index,
			struct dump_argument *ret)
{
	int at = 0;

	for (size_t i = 0; i < count; i++) {
		if (arguments[i].depth > 0 || arguments[i].kind == DUMP_ARGUMENT_CLOSE)
			continue;
		if (at++ != index)
			continue;
		*ret = arguments[i];
		return arguments[i].kind == DUMP_ARGUMENT_WORD;
	}
	return false;
}

/** A text of unknown version that says "in goroutine 1". */
static bool names_parents(const struct printout *printout)
{
	return dump_section_count(printout->dump) &&
	       dump_section(printout->dump, printout->section)->created_by_ids;
}

bool printout_trusts(const struct program *program, const struct dump_argument *argument)
{
	int minor = program->build.version.minor;

	if (!minor && names_parents(program->printout))
		minor = NAMES_PARENTS;
	return minor && (minor <= ON_STACK_TO || (minor >= MARKS_STALE && !argument->stale));
}

static void take_arguments(struct program *program, struct text printed,
			   const struct go_map_function *function, struct map_call *call)
{
	struct dump_argument arguments[ARGUMENTS_MAX], argument;
	size_t count = dump_arguments(printed, arguments, ARGUMENTS_MAX);
	const struct go_type *type;

	if (argument_at(arguments, count, function->map_argument, &argument) &&
	    argument.pointer_like && (!call->map || call->map_inferred)) {
		bool trusted = printout_trusts(program, &argument);

		if (trusted || !call->map) {
			call->map = argument.value;
			call->map_inferred = !trusted;
			call->map_found_by = trusted ? "argument in the text"
						     : "argument in the text, which may be stale";
		}
	}
	if (!call->type && program->types &&
	    argument_at(arguments, count, function->type_argument, &argument) &&
	    printout_trusts(program, &argument)) {
		type = types_at(program->types, argument.value);
		call->type = type && type->kind == GO_KIND_MAP ? type : NULL;
	}
}

static const struct go_type *map_type_at(const struct program *program, uint64_t descriptor)
{
	const struct go_type *type = types_at(program->types, descriptor);

	if (type && type->kind == GO_KIND_POINTER && type->elem)
		type = type->elem; // a decoder is handed the address of what it fills
	return type && type->kind == GO_KIND_MAP ? type : NULL;
}

/** Type and data, the first two words of an interface and of a reflect.Value. */
static bool take_box(struct program *program, struct text printed, struct map_call *call)
{
	struct dump_argument arguments[ARGUMENTS_MAX];
	size_t count = dump_arguments(printed, arguments, ARGUMENTS_MAX);

	for (size_t i = 0; i < count; i++) {
		const struct dump_argument *data = &arguments[i + 1 < count ? i + 1 : i];
		const struct go_type *type =
			arguments[i].kind == DUMP_ARGUMENT_WORD && arguments[i].pointer_like
				? map_type_at(program, arguments[i].value)
				: NULL;

		if (!type)
			continue;
		call->type = type;
		if (!call->map && data != &arguments[i] && data->pointer_like &&
		    types_at(program->types, arguments[i].value) == type) {
			call->map = data->value;
			call->map_inferred = true;
			call->map_found_by = "handed over with its type, in the text";
		}
		return true;
	}
	return false;
}

/**
 * Printers, encoders and decoders are handed a map in an interface, and pass it on as a reflect.Value. A map inside another
 * has a frame of its own further in, so the innermost is the one; that its words may be stale leaves it possible.
 */
static void find_boxed_map(struct program *program, const struct stack *stack,
			   const struct dump_call *calls, size_t count, struct map_call *call)
{
	for (size_t i = call->first; i < count; i++) {
		const struct frame *frame = &stack->frames[i];

		if (!go_is_library_function(frame->site->function) ||
		    (!frame->site->inlined && take_box(program, calls[i].arguments, call)))
			return;
	}
}

void printout_find_map(struct program *program, const struct goroutine *goroutine,
		       struct map_call *call)
{
	const struct dump *dump = program->printout->dump;
	const struct stack *stack = &goroutine->stack;
	g_autofree struct dump_call *calls = g_new0(struct dump_call, stack->count);
	size_t count =
		dump_calls(dump, dump_goroutine(dump, goroutine->printed), calls, stack->count);

	for (size_t i = call->first; i <= call->last && i < count; i++) {
		const struct go_map_function *function =
			go_map_function_find(stack->frames[i].site->function);

		if (function && !stack->frames[i].site->inlined)
			take_arguments(program, calls[i].arguments, function, call);
	}
	if (!call->type && program->types)
		find_boxed_map(program, stack, calls, count, call);
}
