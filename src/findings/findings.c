// SPDX-License-Identifier: Apache-2.0
// The reasoning from first to last. What each rule knows stands in its own file.
#include "findings/findings.h"

#include "findings/flight_record.h"
#include "findings/race_report.h"
#include "findings/reasoning.h"
#include "findings/told.h"
#include "model/process/recording.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NS_PER_MS 1e6

static const char *const confidence_names[] = {
	[CONFIDENCE_UNKNOWN] = "unknown",
	[CONFIDENCE_POSSIBLE] = "possible",
	[CONFIDENCE_LIKELY] = "likely",
	[CONFIDENCE_PROVEN] = "proven",
};

const char *confidence_name(enum confidence confidence) { return confidence_names[confidence]; }

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

static void find_map_calls(struct reasoning *reasoning)
{
	struct program *program = reasoning->program;
	struct map_call call;

	for (size_t i = 0; i < program->live_count; i++)
		if (map_call_of(program, &program->goroutines[i], &call)) {
			recording_tells_map(program, &call);
			g_array_append_val(reasoning->calls, call);
		}
	if (recording_is_all(program) && recording_call(program, &call))
		g_array_append_val(reasoning->calls, call);
}

/** Who the other side was: by the record where there is one, else by what core or text show. */
static void find_other(struct reasoning *reasoning)
{
	if (flight_record_names(reasoning) || recording_is_all(reasoning->program))
		return;
	rank_parties(reasoning);
	flags_tabulate(reasoning);
}

struct findings *findings_derive(struct program *program)
{
	struct findings *findings = g_new0(struct findings, 1);
	struct reasoning reasoning = {.program = program, .findings = findings};

	findings->arena = arena_new();
	findings->program = program;
	findings->sentence = findings->message = findings->caveat = "";
	findings->map.found_by = "";
	reasoning.calls = g_array_new(FALSE, FALSE, sizeof(struct map_call));
	find_map_calls(&reasoning);
	death_classify(&reasoning);
	if (findings->death == DEATH_MAP_FATAL && reasoning.detected) {
		conflict_identify(&reasoning);
		flight_record_births(&reasoning);
		flight_record_uses(&reasoning);
		find_other(&reasoning);
		race_report_weigh(&reasoning);
	}
	if (program->printout)
		told_caveat(&reasoning);
	advice_give(&reasoning);
	sentence_write(&reasoning);
	g_array_free(reasoning.calls, TRUE);
	return findings;
}

void findings_free(struct findings *findings)
{
	if (!findings)
		return;
	arena_free(findings->arena);
	g_free(findings);
}
