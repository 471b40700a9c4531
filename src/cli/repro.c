// SPDX-License-Identifier: Apache-2.0
// A Go program that does again what a report says; with --run, proof that it does.
#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress.h"

#include "report/screen.h"
#include "reproduce/reproduce.h"

#include <locale.h>

#define LABEL_COLUMN  2
#define TEXT_COLUMN   10
#define FIX_COLUMN    25
#define SPEED_COLUMN  36
#define TIMES_COLUMN  49
#define REST_COLUMN   57
#define NARROW        76
#define STATUS_UNSURE 4

static void label(struct screen *screen, const char *word)
{
	screen->indent = TEXT_COLUMN;
	screen_to(screen, LABEL_COLUMN);
	screen_words(screen, TONE_DIM, word);
	screen_to(screen, TEXT_COLUMN);
}

static void line(struct screen *screen, const char *word, enum screen_tone tone, const char *text)
{
	label(screen, word);
	screen_words(screen, tone, text);
	screen_newline(screen);
}

static void lines(struct screen *screen, const char *word, const struct notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		line(screen, i ? "" : word, TONE_PLAIN, notes->lines[i]);
}

static void sides(struct screen *screen, const struct reproduction *r, bool source)
{
	for (size_t i = 0; i < 2; i++) {
		const struct program_site *site =
			source ? &r->source.sites[i] : &r->program.sites[i];
		const char *operation = reproduced_operation_name(r->verdict.sides[i].operation);

		label(screen, i ? "" : "SITES");
		if (*site->function)
			screen_format(screen, TONE_PLAIN, "%s  %s%s  %s:%u", operation,
				      site->function, site->closure ? "*" : "", site->file,
				      site->line);
		else
			screen_format(screen, TONE_PLAIN, "%s  not found in this module",
				      operation);
		screen_newline(screen);
	}
}

static void fix(struct screen *screen, const struct fix_trial *fix, const char *word)
{
	label(screen, word);
	screen_words(screen, fix->advised ? TONE_BOLD : TONE_PLAIN, fix->name);
	screen_to(screen, FIX_COLUMN);
	if (fix->time_count) {
		screen_format(screen, TONE_PLAIN, "%.0f ns", fix_trial_median(fix));
		screen_to(screen, SPEED_COLUMN);
		screen_format(screen, TONE_PLAIN, "%.0f-%.0f", fix->times[0],
			      fix->times[fix->time_count - 1]);
		screen_to(screen, TIMES_COLUMN);
		screen_format(screen, TONE_PLAIN, "%.1fx", fix->relative);
		screen_to(screen, REST_COLUMN);
	}
	if (screen->width < NARROW)
		screen->indent = TEXT_COLUMN + LABEL_COLUMN;
	else
		screen->indent = fix->time_count ? REST_COLUMN : FIX_COLUMN;
	if (fix->races || fix->crashes)
		screen_format(screen, TONE_RED, "%zu races, %zu crashes%s%s", fix->races,
			      fix->crashes, *fix->problem ? ": " : "", fix->problem);
	else if (*fix->problem)
		screen_words(screen, TONE_YELLOW, fix->problem);
	else if (fix->raced)
		screen_words(screen, TONE_GREEN, "no race, no crash");
	else
		screen_words(screen, TONE_PLAIN, fix->text);
	if (fix->advised)
		screen_words(screen, TONE_PLAIN, " (advised)");
	screen_newline(screen);
}

/* A speed is this machine's at that time: how far runs of one program lie apart stands beside it. */
static void measured(struct screen *screen, const struct fix_trials *fixes)
{
	bool taken = false;

	for (size_t i = 0; i < fixes->count; i++)
		taken |= fixes->items[i].time_count > 0;
	if (!taken)
		return;
	label(screen, "");
	screen_format(screen, TONE_DIM,
		      "measured here (%s, %u processors, load %.1f to %.1f): time per operation of "
		      "one goroutine, median and spread of %d runs, and the median in times of the "
		      "least one. Where spreads overlap, the order may be chance.",
		      machine_architecture(), fixes->before.processors, fixes->before.load,
		      fixes->after.load, FIX_RUNS);
	screen_newline(screen);
}

static void status(struct screen *screen, const struct reproduction *r)
{
	static const enum screen_tone tones[] = {[OUTCOME_CONFIRMED] = TONE_GREEN,
						 [OUTCOME_DIFFERS] = TONE_YELLOW,
						 [OUTCOME_NOT_REPRODUCED] = TONE_RED};

	screen_words(screen, TONE_BOLD, verdict_kind_words(r->verdict.kind));
	if (!r->ran) {
		screen_right(screen, TONE_DIM, "written, not run");
	} else {
		screen_right(screen, tones[r->outcome.status],
			     r->outcome.status == OUTCOME_NOT_REPRODUCED
				     ? "not reproduced"
				     : outcome_status_name(r->outcome.status));
	}
	screen_newline(screen);
	screen_newline(screen);
}

static void source_lines(struct screen *screen, const struct reproduction *r,
			 const struct options *options)
{
	g_autofree char *directory = g_canonicalize_filename(options->output, NULL);
	g_autofree char *overlay = g_build_filename(directory, "source", "overlay.json", NULL);
	g_autofree char *folder = g_shell_quote(r->source.folder), *file = g_shell_quote(overlay);
	g_autofree char *command = g_strdup_printf(
		"cd %s && go test -overlay %s -run TestMapfault -race .", folder, file);

	line(screen, "TEST", TONE_PLAIN, r->source.package);
	label(screen, "NEXT");
	if (!r->source.ready)
		screen_format(screen, TONE_PLAIN,
			      "write what is missing into %s/source/" SOURCE_TEST_FILE
			      " and take its t.Skip out; then ",
			      directory);
	screen_words(
		screen, TONE_PLAIN,
		"the race detector names both lines (Go 1.16 or newer; nothing is written into "
		"the module):");
	screen_newline(screen);
	label(screen, "");
	screen_whole(screen, TONE_PLAIN, command);
	screen_newline(screen);
}

static void tell(const struct reproduction *r, const struct options *options, FILE *out)
{
	const struct outcome *outcome = &r->outcome;
	struct screen screen;

	screen_init(&screen, out, options_width(), options->color);
	status(&screen, r);
	line(&screen, "IN", TONE_BOLD, outcome->directory);
	sides(&screen, r, options->source);
	if (r->ran)
		line(&screen, "GO", TONE_PLAIN, outcome->go_version);
	lines(&screen, "TRIED", &outcome->tried);
	lines(&screen, "DIFFERS", &outcome->differences);
	lines(&screen, "NOTE", &outcome->notes);
	if (options->source)
		source_lines(&screen, r, options);
	for (size_t i = 0; i < outcome->fixes.count && !options->source; i++)
		fix(&screen, &outcome->fixes.items[i], i ? "" : "FIXES");
	measured(&screen, &outcome->fixes);
	if (!r->ran && !options->source)
		line(&screen, "NEXT", TONE_PLAIN,
		     "go test -race . in that folder names both lines; with --run mapfault does "
		     "all "
		     "of it");
	screen_newline(&screen);
}

static struct error *check_options(const struct options *options)
{
	if (!options->output)
		return error_with_hint(
			error_new(ERROR_USAGE, place_whole(""), "repro needs a folder to make"),
			"give it one: mapfault repro REPORT.json -o DIR");
	return NULL;
}

static struct error *repro(const struct invocation *invocation, int *ret_status)
{
	const struct options *options = &invocation->options;
	scoped(report_document) json_t *report = NULL;
	scoped(reproduction) struct reproduction reproduction = {NULL};
	scoped(output) struct output output = {0};
	struct reproduce_options how = {.directory = options->output,
					.source = options->source,
					.run = options->run,
					.download = options->download,
					.seconds = (unsigned)options->seconds,
					.mapfault = "/proc/self/exe",
					.progress = progress_step};
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	struct error *error;

	TRY(check_options(options));
	TRY(report_document_read(invocation->arguments[0], &report));
	progress_steps(options);
	how.mapfault = self ? self : "mapfault";
	error = reproduce(report, &how, &reproduction);
	progress_step(NULL);
	if (error)
		return error;
	if (reproduction.ran && reproduction.outcome.status != OUTCOME_CONFIRMED)
		*ret_status = STATUS_UNSURE;
	TRY(output_open(NULL, &output));
	if (options->json)
		output_json(&output, report);
	else
		tell(&reproduction, options, output.stream);
	return output_commit(&output);
}

const struct command command_repro = {
	.name = "repro",
	.arguments = "REPORT.json -o DIR",
	.summary = "write a small Go program that does again what a report says",
	.examples = "  mapfault --json core ./server -o report.json\n"
		    "  mapfault repro report.json -o reproduction --run\n"
		    "  cd reproduction && go test -race .\n"
		    "  mapfault repro report.json -o reproduction --source ~/src/server --run\n",
	.about = "The program has the map's type, the two operations in functions named after the "
		 "two\n"
		 "sites, and the way by which both reach the map. --run builds it with the crash's "
		 "own\n"
		 "Go release if that is here, runs it until it dies, has the core diagnosed and "
		 "the\n"
		 "race detector look, and says whether all agree with the report. It also tries "
		 "the\n"
		 "fixes that fit, under load and under the race detector, and compares their "
		 "speed.\n"
		 "Exit status: 0 done; 2 wrong usage; 3 could not be done; 4 it ran, and the "
		 "report\n"
		 "was not confirmed.\n",
	.takes = OPTIONS_REPRODUCE,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = repro,
};
