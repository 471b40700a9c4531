// SPDX-License-Identifier: Apache-2.0
// The reasoning from first to last. What each rule knows stands in its own file.
#include "findings/derive.h"

#include "findings/flight_record.h"
#include "findings/race_report.h"
#include "findings/rules.h"
#include "findings/told.h"
#include "findings/waiting.h"
#include "model/process/recording.h"

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
		lock_state_read(&reasoning);
	}
	if (program->printout)
		told_caveat(&reasoning);
	if (program->live_count)
		waiting_weigh(&reasoning);
	advice_give(&reasoning);
	sentence_write(&reasoning);
	g_array_free(reasoning.calls, TRUE);
	return findings;
}
