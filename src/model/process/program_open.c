// SPDX-License-Identifier: Apache-2.0
// Puts the parts together in the order in which each needs the one before: memory, version, layout,
// modules, types, threads, goroutines.
#include "model/process/program_open.h"

#include "base/limits.h"
#include "model/data/heap.h"
#include "model/printout/printout.h"
#include "model/process/backlog.h"
#include "model/process/goroutine.h"
#include "model/process/layout_check.h"
#include "model/process/recording.h"
#include "model/process/thread.h"

#include <glib.h>

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
	program->goroutines_missing = true;
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
	uint64_t left_out = 0;

	program->arch = image_arch(image);
	if (program->process)
		left_out = program->process->add_to(program->process, program->memory);
	if (left_out)
		program_gap(program, "part of the process's memory",
			    arena_format(program->arena,
					 "there was no room to look at %llu bytes of it",
					 (unsigned long long)left_out),
			    "what stands there");
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
