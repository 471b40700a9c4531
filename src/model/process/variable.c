// SPDX-License-Identifier: Apache-2.0
// Where the runtime's own variables stand: by symbol, by DWARF, and in a stripped program by the
// code that uses them. Functions keep their names in the pclntab, so the data that a few known ones
// refer to are candidates; only one that looks like the variable in memory is returned.
#include "model/process/program.h"
#include "model/process/variable.h"
#include "model/process/variable_check.h"

#include <glib.h>

enum { FUNCTIONS_MAX = 10 };

struct clue {
	const char *variable;
	bool (*check)(struct program *program, uint64_t address);
	/** Looked through in this order; what a version lacks, or has inlined, is skipped. */
	const char *functions[FUNCTIONS_MAX];
	/** Code may refer to a field: candidates stand that many bytes before it. GO_FIELD_COUNT
	 * ends the list. */
	enum go_field fields[3];
	uint16_t words; /**< further candidates: so many words before the reference */
	bool search;    /**< the check is strong enough to try every word of data and bss */
};

static const struct clue clues[] = {
	{.variable = "runtime.allgs",
	 .check = variable_is_allgs,
	 .functions = {"runtime.allgadd", "runtime.tracebackothers", "runtime.schedtrace",
		       "runtime.checkdead", "runtime.forEachG"},
	 .fields = {GO_FIELD_COUNT},
	 .words = 2,
	 .search = true},
	{.variable = "runtime.allglen",
	 .check = variable_is_allglen,
	 .functions = {"runtime.allgadd", "runtime.schedtrace", "runtime.NumGoroutine",
		       "runtime.gcount"},
	 .fields = {GO_FIELD_COUNT}},
	{.variable = "runtime.allgptr",
	 .check = variable_is_allgptr,
	 .functions = {"runtime.allgadd", "runtime.atomicAllG", "runtime.forEachGRace"},
	 .fields = {GO_FIELD_COUNT}},
	{.variable = "runtime.allm",
	 .check = variable_is_allm,
	 .functions = {"runtime.mcommoninit", "runtime.allocm", "runtime.schedtrace",
		       "runtime.mexit", "runtime.checkdead", "runtime.allgadd"},
	 .fields = {GO_FIELD_COUNT},
	 .search = true},
	{.variable = "runtime.mheap_",
	 .check = variable_is_mheap,
	 .functions = {"runtime.mallocinit", "runtime.findObject", "runtime.spanOf",
		       "runtime.spanOfHeap", "runtime.(*mcentral).grow", "runtime.largeAlloc",
		       "runtime.(*mcache).allocLarge", "runtime.heapBitsForObject",
		       "runtime.bulkBarrierPreWrite", "runtime.gcStart"},
	 .fields = {GO_MHEAP_ARENAS, GO_MHEAP_SPANS, GO_MHEAP_ARENA_START},
	 .search = true},
	{.variable = "runtime.sched",
	 .check = variable_is_sched,
	 .functions = {"runtime.newproc1", "runtime.schedinit", "runtime.oneNewExtraM",
		       "runtime.schedtrace"},
	 .fields = {GO_FIELD_COUNT}},
	{.variable = "runtime.printBacklog",
	 .check = variable_is_backlog,
	 .functions = {"runtime.recordForPanic", "runtime.gwrite"},
	 .fields = {GO_FIELD_COUNT}},
};

static uint64_t try_reference(struct program *program, const struct clue *clue, uint64_t reference)
{
	for (uint64_t i = 0; i <= clue->words; i++)
		if (clue->check(program, reference - 8 * i))
			return reference - 8 * i;
	for (size_t i = 0; i < G_N_ELEMENTS(clue->fields); i++) {
		int32_t offset;

		if (clue->fields[i] == GO_FIELD_COUNT)
			break;
		offset = program_offset(program, clue->fields[i]);
		if (offset > 0 && clue->check(program, reference - (uint64_t)offset))
			return reference - (uint64_t)offset;
	}
	return 0;
}

static const uint64_t *references_of(struct program *program, const char *name, size_t *ret_count)
{
	struct go_function function;

	*ret_count = 0;
	if (!program->sites || !program_function_named(program, name, &function))
		return NULL;
	return sites_data_references(program->sites, &function, ret_count);
}

static uint64_t by_code(struct program *program, const struct clue *clue)
{
	for (size_t f = 0; f < FUNCTIONS_MAX && clue->functions[f]; f++) {
		size_t count;
		const uint64_t *list = references_of(program, clue->functions[f], &count);

		for (size_t i = 0; i < count; i++) {
			uint64_t found = try_reference(program, clue, list[i]);

			if (found)
				return found;
		}
	}
	return 0;
}

/* Every word of a segment; a second match makes the search worthless. */
static bool search_range(struct program *program, const struct clue *clue, uint64_t low,
			 uint64_t high, uint64_t *found)
{
	uint64_t at = (low + 7) & ~7ull;

	while (at < high) {
		uint64_t extent = memory_extent(program->memory, at);

		for (uint64_t end = MIN(high, at + extent); at + 8 <= end; at += 8) {
			if (!clue->check(program, at))
				continue;
			if (*found)
				return false;
			*found = at;
		}
		at = extent < 8 ? at + 8 : at;
	}
	return true;
}

static uint64_t by_search(struct program *program, const struct clue *clue)
{
	uint64_t found = 0;
	const struct moduledata *m = program->modules;

	if (!clue->search || !program->module_count ||
	    !search_range(program, clue, m->data, m->edata, &found) ||
	    !search_range(program, clue, m->bss, m->ebss, &found) ||
	    !search_range(program, clue, m->noptrbss, m->enoptrbss, &found))
		return 0;
	return found;
}

/* The index of the backlog's ring; shares its functions, and is known by the ring. */
static uint64_t backlog_index(struct program *program)
{
	static const char *const functions[] = {"runtime.recordForPanic", "runtime.gwrite"};
	uint64_t ring = program_runtime_variable(program, "runtime.printBacklog");

	for (size_t f = 0; ring && f < G_N_ELEMENTS(functions); f++) {
		size_t count;
		const uint64_t *list = references_of(program, functions[f], &count);

		for (size_t i = 0; i < count; i++)
			if (variable_is_backlog_index(program, ring, list[i]))
				return list[i];
	}
	return 0;
}

/**
 * By the code that uses it, else by its shape: what is left when there is neither symbol nor DWARF.
 * @return 0 when nothing passes the variable's check
 */
static uint64_t without_a_name(struct program *program, const char *name)
{
	if (strcmp(name, "runtime.printBacklogIndex") == 0)
		return backlog_index(program);
	for (size_t i = 0; i < G_N_ELEMENTS(clues); i++) {
		uint64_t found;

		if (strcmp(clues[i].variable, name) != 0)
			continue;
		found = by_code(program, &clues[i]);
		return found ? found : by_search(program, &clues[i]);
	}
	return 0;
}

uint64_t program_runtime_variable(struct program *program, const char *name)
{
	struct debuginfo_variable variable;
	uint64_t address;

	if (image_symbol(program->image, name, &address))
		return address + program->bias;
	if (program->debuginfo && debuginfo_global_named(program->debuginfo, name, &variable))
		return variable.address + program->bias;
	return program->process ? without_a_name(program, name) : 0;
}
