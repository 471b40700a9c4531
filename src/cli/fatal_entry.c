// SPDX-License-Identifier: Apache-2.0
// Map code raises its fatal through runtime.fatal since Go 1.19 and through runtime.throw before. A name may
// stand for two functions: the one and its wrapper for calls from assembly.
#include "cli/fatal_entry.h"
#include "model/process/program_open.h"

static struct error *add_entry(struct program *program, uint64_t entry, struct fatal_stop *stop)
{
	uint8_t *byte = &stop->first_bytes[stop->count];
	scoped(memory) struct memory *file = memory_new();

	// the file's own byte: the process may have a breakpoint there
	image_add_to((struct image *)(uintptr_t)program->image, program->bias, file);
	if (stop->count == FATAL_FUNCTIONS_MAX || !memory_u8(file, entry, byte))
		return error_new(ERROR_MALFORMED, place_whole(image_path(program->image)),
				 "the code of its fatal errors cannot be read");
	stop->entries[stop->count++] = entry;
	return NULL;
}

static struct error *add_named(struct program *program, const char *name, struct fatal_stop *stop)
{
	for (size_t i = 0; i < program->module_count; i++) {
		const struct pclntab *table = program->tables[i];
		struct go_function function;

		for (uint32_t f = 0; f < pclntab_count(table); f++)
			if (pclntab_function(table, f, &function) && !strcmp(function.name, name))
				TRY(add_entry(program, function.entry, stop));
	}
	return NULL;
}

struct error *fatal_entries(struct gathered *gathered, struct fatal_stop *ret)
{
	struct program_evidence evidence = {.image = gathered->image, .bias = gathered->bias};
	struct program *program;
	struct error *error;

	*ret = FATAL_STOP_NONE;
	TRY(program_open(&evidence, &program));
	error = add_named(program, "runtime.fatal", ret);
	if (!error && !ret->count)
		error = add_named(program, "runtime.throw", ret);
	if (!error && !ret->count)
		error = error_new(ERROR_NOT_GO, place_whole(image_path(gathered->image)),
				  "has no function that raises the runtime's fatal errors");
	program_close(program);
	return error;
}
