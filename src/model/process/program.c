// SPDX-License-Identifier: Apache-2.0
// Puts the parts together in the order in which each needs the one before: memory, version, layout,
// modules, types, threads, goroutines.
#include "model/process/program.h"

#include "base/limits.h"
#include "model/process/backlog.h"
#include "model/process/goroutine.h"
#include "model/data/heap.h"
#include "model/process/layout_check.h"
#include "model/process/thread.h"
#include "model/stack/unwind.h"
#include "model/printout/printout.h"
#include "model/process/recording.h"

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

#define GOROUTINES_AT_A_TIME 8192 /* some 50 MB of stacks */

void program_walked(struct program *program)
{
	if (++program->walked % GOROUTINES_AT_A_TIME == 0 && program->process &&
	    program->process->rest)
		program->process->rest(program->process);
}

const struct stack *program_stack(struct program *program, struct goroutine *goroutine)
{
	struct unwind_start start;

	if (goroutine->unwound)
		return &goroutine->stack;
	goroutine->unwound = true;
	if (unwind_start_of(program, goroutine, &start))
		goroutine->stack =
			unwind_stack(program, &start, goroutine->stack_lo, goroutine->stack_hi);
	else
		goroutine->stack.broken = "nothing says where on its stack it was";
	program_walked(program);
	return &goroutine->stack;
}

struct goroutine *program_goroutine(struct program *program, uint64_t id)
{
	for (size_t i = 0; i < program->live_count; i++)
		if (program->goroutines[i].id == id)
			return &program->goroutines[i];
	return NULL;
}

static struct error *read_module(struct program *program, struct moduledata *module)
{
	size_t i = program->module_count;

	TRY(pclntab_open(program->memory, &module->pclntab, program->layout->version,
			 &program->tables[i]));
	program->modules[i] = *module;
	types_add_module(program->types, module);
	program->module_count++;
	return NULL;
}

/** The first module must be readable; a plugin's that isn't is a gap. */
static struct error *read_modules(struct program *program, const struct moduledata *first)
{
	struct moduledata module = *first;

	program->modules = g_new0(struct moduledata, LIMIT_MODULES);
	program->tables = g_new0(struct pclntab *, LIMIT_MODULES);
	TRY(read_module(program, &module));
	while (module.next && program->module_count < LIMIT_MODULES) {
		struct error *error =
			moduledata_read(program->memory, program->layout, module.next, &module);

		if (!error)
			error = read_module(program, &module);
		if (!error)
			continue;
		program_gap(program, "a plugin or shared object of the program", error_text(error),
			    "functions and types of that module");
		error_free(error);
		break;
	}
	return NULL;
}

static struct error *read_tables(struct program *program)
{
	struct moduledata first;

	TRY(layout_choose(program, &first));
	program->types = types_new(program->memory, program->layout, program->arena);
	TRY(read_modules(program, &first));
	program->sites = sites_new(program->memory, program->tables, program->module_count,
				   program->layout, program->types);
	return NULL;
}

static void note_core_gaps(struct program *program)
{
	uint64_t missing = program->process->missing_bytes;
	char why[96];

	if (!missing)
		return;
	snprintf(why, sizeof(why), "the core is cut off: %llu bytes of memory are missing",
		 (unsigned long long)missing);
	program_gap(program, "part of the memory", why,
		    "whatever stood there: goroutines, stacks or the map itself");
}

static void read_process(struct program *program)
{
	note_core_gaps(program);
	program->heap = heap_new(program);
	threads_read(program);
	goroutines_read(program);
	program->backlog = backlog_read(program);
}

static struct program *program_new(const struct program_evidence *evidence)
{
	struct program *program = g_new0(struct program, 1);

	program->arena = arena_new();
	program->image = evidence->image;
	program->process = evidence->process;
	program->debuginfo = evidence->debuginfo;
	program->profiles = evidence->profiles;
	program->profile_count = evidence->profile_count;
	program->bias = evidence->bias;
	program->memory = memory_new();
	program->backlog = "";
	program->build.go_version = "";
	return program;
}

static struct error *read_image(struct program *program, struct image *image)
{
	program->arch = image_arch(image);
	if (program->process)
		program->process->add_to(program->process, program->memory);
	image_add_to(image, program->bias, program->memory);
	TRY(buildinfo_read(image, program->bias, program->memory, program->arena, &program->build));
	return read_tables(program);
}

/** A text alone: no tables, but the layout row tells the version to whoever asks. */
static void read_text_alone(struct program *program, const struct dump *dump)
{
	bool exact;

	program->build.version = printout_version(dump);
	if (program->build.version.minor)
		program->build.go_version =
			arena_format(program->arena, "go1.%d", program->build.version.minor);
	program->layout = go_layout_find(program->build.version, program->arch, &exact);
}

/** A program may have been moved; the text can tell how far only by the tables of the binary. */
static struct error *reopen_moved(const struct program_evidence *evidence, struct program **program)
{
	struct program_evidence moved = *evidence;

	if (evidence->bias || !image_is_pie(evidence->image))
		return NULL;
	moved.bias = printout_bias(*program, evidence->dump);
	if (!moved.bias)
		return NULL;
	program_close(*program);
	*program = program_new(&moved);
	return read_image(*program, moved.image);
}

struct error *program_open(const struct program_evidence *evidence, struct program **ret)
{
	struct program *program = program_new(evidence);
	struct error *error = NULL;

	if (evidence->image)
		error = read_image(program, evidence->image);
	else
		read_text_alone(program, evidence->dump);
	if (!error && evidence->dump && evidence->image)
		error = reopen_moved(evidence, &program);
	if (error) {
		program_close(program);
		return error;
	}
	if (program->process)
		read_process(program);
	else if (evidence->dump)
		printout_read(program, evidence->dump);
	if (evidence->flight)
		recording_read(program, evidence->flight);
	*ret = program;
	return NULL;
}

void program_close(struct program *program)
{
	if (!program)
		return;
	heap_free(program->heap);
	sites_free(program->sites);
	types_free(program->types);
	for (size_t i = 0; program->tables && i < program->module_count; i++)
		pclntab_close(program->tables[i]);
	g_free(program->tables);
	g_free(program->modules);
	g_free(program->gaps.items);
	memory_free(program->memory);
	arena_free(program->arena);
	g_free(program);
}
