// SPDX-License-Identifier: Apache-2.0
#include "model/code/callers.h"

#include "base/sorted.h"
#include "model/code/call_graph.h"

#include <glib.h>
#include <string.h>

#define FOUND_MAX (1u << 22) /* the largest programs have a quarter of that */

struct callers {
	struct program *program;
	GArray *entries; // uint64_t, sorted: of the functions that are asked about
	GArray *found;   // struct caller, sorted; NULL before the first question
};

struct callers *callers_new(struct program *program)
{
	struct callers *callers = g_new0(struct callers, 1);

	callers->program = program;
	return callers;
}

void callers_free(struct callers *callers)
{
	if (!callers)
		return;
	if (callers->found) {
		g_array_free(callers->entries, TRUE);
		g_array_free(callers->found, TRUE);
	}
	g_free(callers);
}

static int compare_callers(const void *a, const void *b)
{
	const struct caller *x = a, *y = b;
	int order = sorted_compare(&x->callee, &y->callee);

	return order ? order : sorted_compare(&x->end, &y->end);
}

/** The runtime's own functions are asked about by nobody, but for what ends a goroutine. */
static bool is_asked_about(const char *name)
{
	return !go_is_runtime_function(name) || g_str_has_prefix(name, "reflect.") ||
	       !strcmp(name, CALLERS_GOEXIT);
}

static void list_entries(struct callers *callers)
{
	const struct program *program = callers->program;
	struct go_function function;

	for (size_t t = 0; t < program->module_count; t++)
		for (uint32_t i = 0; i < pclntab_count(program->tables[t]); i++)
			if (pclntab_function(program->tables[t], i, &function) && function.name &&
			    is_asked_about(function.name))
				g_array_append_val(callers->entries, function.entry);
	g_array_sort(callers->entries, sorted_compare);
}

static bool is_entry(const struct callers *callers, uint64_t address)
{
	return callers->entries->len &&
	       bsearch(&address, callers->entries->data, callers->entries->len, sizeof(address),
		       sorted_compare);
}

static void note_call(uint64_t end, uint64_t target, void *context)
{
	struct callers *callers = context;
	struct caller caller = {target, end, false};

	if (callers->found->len < FOUND_MAX)
		g_array_append_val(callers->found, caller);
}

/** A closure without captures is a read-only word that holds its function's entry. */
static void note_address(uint64_t end, uint64_t target, void *context)
{
	struct callers *callers = context;
	struct caller caller = {target, end, true};

	if (callers->found->len >= FOUND_MAX)
		return;
	if (!is_entry(callers, target) &&
	    (target % sizeof(uint64_t) ||
	     !memory_u64(callers->program->memory, target, &caller.callee) ||
	     !is_entry(callers, caller.callee)))
		return;
	g_array_append_val(callers->found, caller);
}

static void scan(struct callers *callers)
{
	const struct program *program = callers->program;
	struct call_targets targets;

	callers->entries = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	callers->found = g_array_new(FALSE, FALSE, sizeof(struct caller));
	list_entries(callers);
	targets = (struct call_targets){(const uint64_t *)(const void *)callers->entries->data,
					callers->entries->len};
	for (size_t t = 0; t < program->module_count; t++) {
		const struct moduledata *module = &program->modules[t];
		uint64_t high = MAX(module->end, module->etypes);

		call_graph_scan(program->memory, program->tables[t], program->arch, targets,
				note_call, callers);
		call_graph_addresses(program->memory, program->tables[t], program->arch,
				     module->pclntab.minpc, high, note_address, callers);
	}
	g_array_sort(callers->found, compare_callers);
}

const struct caller *callers_of(struct callers *callers, uint64_t callee, size_t *ret_count)
{
	const struct caller *found;

	if (!callers->found)
		scan(callers);
	found = (const struct caller *)(const void *)callers->found->data;
	return found + sorted_run(found, callers->found->len, sizeof(*found), callee, ret_count);
}

/** What comes between making a function value and handing it over. */
static bool is_bookkeeping(const char *name)
{
	return g_str_has_prefix(name, "runtime.gcWriteBarrier") ||
	       g_str_has_prefix(name, "runtime.newobject") ||
	       g_str_has_prefix(name, "runtime.wb") || g_str_has_prefix(name, "runtime.duff") ||
	       g_str_has_prefix(name, "runtime.typedmemmove") ||
	       g_str_has_prefix(name, "runtime.conv");
}

bool callers_go_statement(struct program *program, uint64_t end)
{
	struct go_function function, callee;
	uint64_t at = end, target;
	uint32_t table;

	if (!program_function(program, end - 1, &function, &table))
		return false;
	while (sites_call_after(program->sites, &function, at, &at, &target)) {
		if (!target || !program_function(program, target, &callee, &table))
			return false;
		if (!strcmp(callee.name, "runtime.newproc"))
			return true;
		if (!is_bookkeeping(callee.name))
			return false;
	}
	return false;
}
