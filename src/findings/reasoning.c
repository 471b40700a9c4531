// SPDX-License-Identifier: Apache-2.0
#include "findings/reasoning.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1e6

static bool is_live(const struct program *program)
{
	return program && program->process && program->process->live;
}

const char *reasoning_moment(const struct reasoning *reasoning)
{
	if (!is_live(reasoning->program))
		return "when the process died";
	if (reasoning->program->process->later.ns)
		return arena_format(reasoning->findings->arena,
				    "%.1f ms after the fatal error, while the detector was held "
				    "inside its operation",
				    (double)reasoning->program->process->later.ns / NS_PER_MS);
	return "at the instant of the fatal error";
}

void witness_add(struct reasoning *reasoning, struct witnesses *witnesses, const char *evidence,
		 uint64_t address, const char *format, ...)
{
	struct arena *arena = reasoning->findings->arena;
	struct witness *items = arena_array(arena, witnesses->count + 1, sizeof(*witnesses->items));
	const struct goroutine *told_of = reasoning->told_of;
	const char *place = "";
	va_list arguments;
	char *fact;

	if (reasoning->program && reasoning->program->printout &&
	    g_str_equal(evidence, EVIDENCE_CORE)) {
		evidence = EVIDENCE_TEXT;
		place = told_of && told_of->text_line
				? arena_format(arena, "line %u", told_of->text_line)
				: "";
	} else if (address) {
		place = arena_format(arena, "address %#llx", (unsigned long long)address);
	}
	if (is_live(reasoning->program) && g_str_equal(evidence, EVIDENCE_CORE))
		evidence = EVIDENCE_PROCESS;
	va_start(arguments, format);
	fact = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < witnesses->count; i++)
		items[i] = witnesses->items[i];
	items[witnesses->count++] = (struct witness){
		arena_string(arena, text_of(fact)),
		evidence,
		place,
	};
	witnesses->items = items;
	g_free(fact);
}

const char *site_short(struct arena *arena, const struct go_site *site)
{
	const char *file = site->file ? site->file : "?";
	const char *slash = strrchr(file, '/');

	return arena_format(arena, "%s:%d", slash ? slash + 1 : file, site->line);
}

bool site_equal(const struct go_site *a, const struct go_site *b)
{
	return a->line == b->line && g_strcmp0(a->file, b->file) == 0 &&
	       g_strcmp0(a->function, b->function) == 0;
}

const char *function_short(const char *function)
{
	const char *name = function ? function : "?", *end = strpbrk(name, "[(");
	const char *slash = name;

	for (const char *p = name; *p && (!end || p < end); p++)
		if (*p == '/')
			slash = p + 1;
	return slash;
}

static int is_of_goroutine(const void *index, const void *call)
{
	uint32_t wanted = *(const uint32_t *)index, is = ((const struct map_call *)call)->goroutine;

	return (wanted > is) - (wanted < is);
}

const struct map_call *reasoning_call(const struct reasoning *reasoning, uint32_t index)
{
	// in the order in which they were found: by goroutine
	return reasoning->calls->len
		       ? bsearch(&index, reasoning->calls->data, reasoning->calls->len,
				 sizeof(struct map_call), is_of_goroutine)
		       : NULL;
}
