// SPDX-License-Identifier: Apache-2.0
// How often does each Go release notice a race on a map? Measured, with the toolchains that are here.
#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress.h"

#include "reproduce/sensitivity.h"

#define VERSION_WIDTH  9
#define COLUMN_WIDTH   10
#define STATUS_PARTIAL 4

/* The text of one cell of a table; g_free(). */
typedef char *(*cell_text)(const struct sensitivity *s, const char *version, size_t race);

static const struct sensitivity_cell *pair_cell(const struct sensitivity *s, const char *version,
						size_t race)
{
	return sensitivity_find(s, version, race, 2, sensitivity_procs(s));
}

static char *share_text(const struct sensitivity *s, const char *version, size_t race)
{
	const struct sensitivity_cell *cell = pair_cell(s, version, race);

	return cell ? g_strdup_printf("%.0f %%", 100.0 * cell->detected / cell->runs)
		    : g_strdup(".");
}

static char *enough_text(const struct sensitivity *s, const char *version, size_t race,
			 double share)
{
	unsigned enough = sensitivity_enough(s, version, race, share);

	if (enough)
		return g_strdup_printf("%u", enough);
	return g_strdup(pair_cell(s, version, race) ? "-" : ".");
}

static char *half_text(const struct sensitivity *s, const char *version, size_t race)
{
	return enough_text(s, version, race, 0.5);
}

static char *nearly_all_text(const struct sensitivity *s, const char *version, size_t race)
{
	return enough_text(s, version, race, 0.99);
}

static char *time_text(const struct sensitivity *s, const char *version, size_t race)
{
	double sum = 0;
	unsigned count = 0;

	for (const unsigned *n = sensitivity_goroutines; *n; n++) {
		const struct sensitivity_cell *cell =
			sensitivity_find(s, version, race, *n, sensitivity_procs(s));

		if (cell && cell->detected) {
			sum += cell->median_ms;
			count++;
		}
	}
	if (count)
		return g_strdup_printf("%.1f", sum / count);
	return g_strdup(pair_cell(s, version, race) ? "-" : ".");
}

static char *wrong_text(const struct sensitivity *s, const char *version, size_t race)
{
	unsigned wrong = 0, quiet = 0;

	for (size_t i = 0; i < s->cell_count; i++) {
		const struct sensitivity_cell *cell = &s->cells[i];

		if (cell->race != race || !g_str_equal(cell->version, version))
			continue;
		wrong += cell->wrong + cell->died + cell->hung;
		quiet += cell->runs - cell->detected;
	}
	if (!pair_cell(s, version, race))
		return g_strdup(".");
	return g_strdup_printf("%u/%u", wrong, quiet);
}

static const struct {
	const char *title;
	cell_text text;
} tables[] = {
	{"Noticed with two goroutines, share of the runs", share_text},
	{"Goroutines until at least half of the runs are noticed (-: not even with 64)", half_text},
	{"Goroutines until at least 99 % are noticed", nearly_all_text},
	{"Milliseconds from the start of the race to the death, median", time_text},
	{"Not noticed, and wrong in silence (lost or extra entries, faults, hangs) / all not "
	 "noticed",
	 wrong_text},
};

static void table_head(FILE *out, unsigned line)
{
	fprintf(out, "%-*s", VERSION_WIDTH, line ? "" : "Go");
	for (size_t race = 0; race < sensitivity_race_count; race++) {
		g_auto(GStrv) words = g_strsplit(sensitivity_races[race].label, " ", 2);

		fprintf(out, "%*s", COLUMN_WIDTH, line < g_strv_length(words) ? words[line] : "");
	}
	fputc('\n', out);
}

static void table(const struct sensitivity *s, const char *title, cell_text text, FILE *out)
{
	fprintf(out, "%s\n\n", title);
	table_head(out, 0);
	table_head(out, 1);
	for (size_t v = 0; v < s->version_count; v++) {
		fprintf(out, "%-*s", VERSION_WIDTH, s->versions[v]);
		for (size_t race = 0; race < sensitivity_race_count; race++) {
			g_autofree char *words = text(s, s->versions[v], race);

			fprintf(out, "%*s", COLUMN_WIDTH, words);
		}
		fputc('\n', out);
	}
	fputc('\n', out);
}

static void tell(const struct sensitivity *s, FILE *out)
{
	fprintf(out,
		"Each figure is of %u runs on %u processors (GOMAXPROCS %u); the machine's load "
		"was "
		"%.1f before and %.1f after.\nIn each run every goroutine makes 5000 "
		"operations.\n\n",
		s->runs, s->before.processors, sensitivity_procs(s), s->before.load, s->after.load);
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
		table(s, tables[i].title, tables[i].text, out);
	for (size_t race = 0; race < sensitivity_race_count; race++)
		fprintf(out, "%s: %s\n", sensitivity_races[race].label,
			sensitivity_races[race].text);
	for (size_t i = 0; i < s->notes.count; i++)
		fprintf(out, "note: %s\n", s->notes.lines[i]);
}

static struct error *write_chart(const struct sensitivity *s, const char *path)
{
	scoped(output) struct output output = {0};

	TRY(output_open(path, &output));
	sensitivity_svg(s, output.stream);
	return output_commit(&output);
}

static void print_json(const struct sensitivity *s, struct output *output)
{
	json_t *document = sensitivity_json(s);

	output_json(output, document);
	json_decref(document);
}

static struct error *sensitivity(const struct invocation *invocation, int *ret_status)
{
	const struct options *options = &invocation->options;
	scoped(sensitivity) struct sensitivity result = {NULL};
	scoped(output) struct output output = {0};
	const struct sensitivity_options how = {.versions = options->go,
						.runs = (unsigned)options->runs,
						.minutes = (unsigned)options->minutes,
						.directory = options->output,
						.download = options->download,
						.progress = progress_step};
	struct error *error;

	progress_steps(options);
	error = sensitivity_run(&how, &result);
	progress_step(NULL);
	if (error)
		return error;
	if (result.cells_left)
		*ret_status = STATUS_PARTIAL;
	if (options->svg)
		TRY(write_chart(&result, options->svg));
	TRY(output_open(NULL, &output));
	if (options->json)
		print_json(&result, &output);
	else
		tell(&result, output.stream);
	return output_commit(&output);
}

const struct command command_sensitivity = {
	.name = "sensitivity",
	.arguments = "",
	.summary = "measure how often each Go release notices a race on a map",
	.examples =
		"  mapfault sensitivity --go 1.18..1.27 --runs 10\n"
		"  mapfault sensitivity -o measured --svg chart.svg   # goes on where it stopped\n"
		"  mapfault sensitivity --go 1.23,1.24 --json\n",
	.about = "Builds small programs that race on a map in the textbook ways with every Go "
		 "release\n"
		 "that is here, runs them with 2 to 64 goroutines and several GOMAXPROCS, and "
		 "counts the\n"
		 "runs that the runtime noticed, and those that ended quietly with a wrong map.\n"
		 "Exit status: 0 done; 2 wrong usage; 3 could not be done; 4 time was up before "
		 "all\n"
		 "was measured.\n",
	.takes = OPTIONS_SENSITIVITY,
	.arguments_min = 0,
	.arguments_max = 0,
	.run = sensitivity,
};
