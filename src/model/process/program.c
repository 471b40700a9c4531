// SPDX-License-Identifier: Apache-2.0
// What is asked of a program everywhere: functions and lines at a PC, words, goroutines.
#include "model/process/program.h"

#include <glib.h>

void program_gap(struct program *program, const char *what, const char *why,
		 const char *would_decide)
{
	gap_add(&program->gaps, program->arena, what, why, would_decide);
}

uint64_t program_word(const struct program *program, uint64_t base, enum go_field field)
{
	int32_t offset = program_offset(program, field);
	uint64_t word;

	if (!base || offset == GO_ABSENT ||
	    !memory_u64(program->memory, base + (uint64_t)offset, &word))
		return 0;
	return word;
}

#define WORD 8

const char *program_string(const struct program *program, uint64_t header, uint64_t longest,
			   uint64_t shown)
{
	uint64_t text, length;
	const char *bytes;

	if (!memory_u64(program->memory, header, &text) ||
	    !memory_u64(program->memory, header + WORD, &length) || length > longest)
		return NULL;
	length = MIN(length, shown);
	bytes = length ? memory_view(program->memory, text, length) : "";
	return bytes ? arena_string(program->arena, (struct text){bytes, length}) : NULL;
}

bool program_function(const struct program *program, uint64_t pc, struct go_function *ret,
		      uint32_t *ret_table)
{
	for (size_t i = 0; i < program->module_count; i++) {
		const struct pclntab_module *module = pclntab_module(program->tables[i]);

		if (pc < module->minpc || pc >= module->maxpc ||
		    !pclntab_find(program->tables[i], pc, ret))
			continue;
		*ret_table = (uint32_t)i;
		return true;
	}
	return false;
}

bool program_function_named(const struct program *program, const char *name,
			    struct go_function *ret)
{
	for (size_t i = 0; i < program->module_count; i++)
		if (pclntab_find_named(program->tables[i], name, ret))
			return true;
	return false;
}

bool program_in_data(const struct program *program, uint64_t address)
{
	for (size_t i = 0; i < program->module_count; i++) {
		const struct moduledata *module = &program->modules[i];

		if ((address >= module->data && address < module->edata) ||
		    (address >= module->bss && address < module->ebss))
			return true;
	}
	return false;
}

size_t program_sites(const struct program *program, uint64_t pc,
		     struct go_site ret[PCLNTAB_MAX_INLINED])
{
	struct go_function function;
	uint32_t table;

	if (!program_function(program, pc, &function, &table))
		return 0;
	return pclntab_sites(program->tables[table], pc, ret);
}

void program_rest(const struct program *program)
{
	if (program->process && program->process->rest)
		program->process->rest(program->process);
}

#define GOROUTINES_AT_A_TIME 8192 /* some 50 MB of stacks */

void program_walked(struct program *program)
{
	if (++program->walked % GOROUTINES_AT_A_TIME == 0)
		program_rest(program);
}

struct goroutine *program_goroutine(struct program *program, uint64_t id)
{
	for (size_t i = 0; i < program->live_count; i++)
		if (program->goroutines[i].id == id)
			return &program->goroutines[i];
	return NULL;
}
