// SPDX-License-Identifier: Apache-2.0
#include "reproduce/program.h"
#include "reproduce/race_text.h"

#include <glib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_program(const json_t *report)
{
	struct arena *arena = arena_new();
	struct notes notes = {.arena = arena};
	struct verdict verdict;
	struct error *error = verdict_read(report, arena, &verdict);
	struct go_program program;

	if (!error) {
		const struct program_input input = {&verdict, go_program_minor(&verdict), 0, arena,
						    &notes};

		go_program_plan(&input, &program);
		if (program.sites[0].line == 0 || program.sites[1].line == 0)
			abort();
	}
	error_free(error);
	arena_free(arena);
}

/** A report made into a program; and the raw bytes as the race detector's words. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	struct arena *arena = arena_new();
	struct race_pair pair;
	json_t *report = NULL;
	struct error *error = report_document_parse("fuzz", data, size, &report);

	if (!error)
		check_program(report);
	error_free(error);
	json_decref(report);
	race_text_pair(arena, text, 0, "main", &pair);
	arena_free(arena);
	return 0;
}
