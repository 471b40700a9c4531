// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <sys/ioctl.h>
#include <unistd.h>

#define GROUP_OPTIONS_MAX 12
#define DEFAULT_WIDTH     100
#define DEFAULT_LIMIT     100
#define DEFAULT_SECONDS   30
#define DEFAULT_EVENTS    200
#define EVENTS_MAX        1000000
#define DEFAULT_RUNS      20
#define DEFAULT_MINUTES   60
#define COUNT_MAX         10000
#define SECONDS_MAX       3600
#define HELP_COLUMN       28

static void record_entries(struct options *o, GOptionEntry ret[GROUP_OPTIONS_MAX])
{
	const GOptionEntry rows[GROUP_OPTIONS_MAX] = {
		{"pid", 'p', 0, G_OPTION_ARG_INT, &o->pid, "record this running process", "PID"},
		{"remove", 0, 0, G_OPTION_ARG_NONE, &o->remove,
		 "take the recorder out of the process again", NULL},
		{"keep", 0, 0, G_OPTION_ARG_NONE, &o->keep, "keep the record's file", NULL},
		{"folder", 0, 0, G_OPTION_ARG_FILENAME, &o->folder,
		 "where the record's file goes (default /dev/shm)", "DIR"},
		{"report-shared", 0, 0, G_OPTION_ARG_NONE, &o->report_shared,
		 "at the end, list maps that several goroutines wrote", NULL}};

	memcpy(ret, rows, sizeof(rows));
}

static void watch_entries(struct options *o, GOptionEntry ret[GROUP_OPTIONS_MAX])
{
	const GOptionEntry rows[GROUP_OPTIONS_MAX] = {
		{"map", 0, 0, G_OPTION_ARG_STRING, &o->map, "the map at this address", "ADDRESS"},
		{"type", 0, 0, G_OPTION_ARG_STRING, &o->type, "the only map of this type", "TYPE"},
		{"events", 0, 0, G_OPTION_ARG_INT, &o->events,
		 "end after N begins and ends of writes (default 200)", "N"},
		{"seconds", 0, 0, G_OPTION_ARG_INT, &o->seconds, "end after N seconds (default 30)",
		 "N"}};

	memcpy(ret, rows, sizeof(rows));
}

static void later_entries(unsigned group, struct options *o, GOptionEntry ret[GROUP_OPTIONS_MAX])
{
	const GOptionEntry process = {"pid", 'p', 0, G_OPTION_ARG_INT, &o->pid, "of this process",
				      "PID"};
	const GOptionEntry stop[] = {
		{"hold", 0, 0, G_OPTION_ARG_NONE, &o->hold,
		 "leave the process stopped at the fatal error, for a debugger", NULL},
		{"core", 0, 0, G_OPTION_ARG_FILENAME, &o->core,
		 "write a core of that very moment to FILE", "FILE"},
		{"record", 0, 0, G_OPTION_ARG_NONE, &o->record,
		 "with the flight recorder, which proves the other side", NULL}};
	const GOptionEntry recorded[] = {
		{"allocs", 0, 0, G_OPTION_ARG_NONE, &o->allocs,
		 "let the recorder tell who made and who grew the map, too", NULL},
		{"reads", 0, 0, G_OPTION_ARG_NONE, &o->reads,
		 "let the recorder tell who read the map, too", NULL}};

	if (1u << group == OPTIONS_RECORD)
		record_entries(o, ret);
	else if (1u << group == OPTIONS_WATCH)
		watch_entries(o, ret);
	else if (1u << group == OPTIONS_PROCESS)
		ret[0] = process;
	else if (1u << group == OPTIONS_STOP)
		memcpy(ret, stop, sizeof(stop));
	else if (1u << group == OPTIONS_RECORDED)
		memcpy(ret, recorded, sizeof(recorded));
}

/* The rows of one group, which store into @a o. Ends in a zero row. */
static void group_entries(unsigned group, struct options *o, GOptionEntry ret[GROUP_OPTIONS_MAX])
{
	const GOptionEntry table[OPTION_GROUPS][GROUP_OPTIONS_MAX] = {
		{{"json", 'j', 0, G_OPTION_ARG_NONE, &o->json, "the same as --format json", NULL},
		 {"format", 0, 0, G_OPTION_ARG_STRING, &o->format_name, "text (default) or json",
		  "FORMAT"},
		 {"color", 0, 0, G_OPTION_ARG_STRING, &o->color_name,
		  "auto (default), always or never; NO_COLOR means never", "WHEN"},
		 {"output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output,
		  "write to FILE, which is replaced only when all is written", "FILE"},
		 {"quiet", 'q', 0, G_OPTION_ARG_NONE, &o->quiet, "no progress, no notes", NULL}},
		{{"force", 0, 0, G_OPTION_ARG_NONE, &o->force,
		  "go on although core and binary do not belong together", NULL}},
		{{"source-root", 0, 0, G_OPTION_ARG_FILENAME, &o->source_root,
		  "where the sources are, to quote lines from", "DIR"}},
		{{"fail-on", 0, 0, G_OPTION_ARG_STRING, &o->fail_on_name,
		  "exit with 1 when a map conflict is at least possible, likely or proven",
		  "LEVEL"}},
		{{"values", 0, 0, G_OPTION_ARG_NONE, &o->values, "show the keys of the map", NULL},
		 {"limit", 0, 0, G_OPTION_ARG_INT, &o->limit, "at most N keys (default 100)", "N"}},
		{{"all", 'a', 0, G_OPTION_ARG_NONE, &o->all,
		  "each by itself, not in groups; every site", NULL},
		 {"blocked", 0, 0, G_OPTION_ARG_NONE, &o->blocked, "what they wait for", NULL}},
		{{"system", 0, 0, G_OPTION_ARG_NONE, &o->system, "the runtime's own as well",
		  NULL}},
		{{"pid", 'p', 0, G_OPTION_ARG_INT, &o->pid, "look at this process", "PID"},
		 {"root", 0, 0, G_OPTION_ARG_FILENAME, &o->root,
		  "look at the machine whose files are under DIR", "DIR"}},
		{{"output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output,
		  "the folder to make; it appears only when all is written", "DIR"},
		 {"run", 0, 0, G_OPTION_ARG_NONE, &o->run,
		  "build and run it, compare what happens with the report, try the fixes", NULL},
		 {"source", 0, 0, G_OPTION_ARG_FILENAME, &o->source,
		  "call the two functions in this module, the crashed program's own", "DIR"},
		 {"seconds", 0, 0, G_OPTION_ARG_INT, &o->seconds,
		  "how long to try for (default 30)", "N"},
		 {"download", 0, 0, G_OPTION_ARG_NONE, &o->download,
		  "let the go command fetch Go releases that are not here", NULL},
		 {"json", 'j', 0, G_OPTION_ARG_NONE, &o->json,
		  "print the report, the outcome joined", NULL},
		 {"color", 0, 0, G_OPTION_ARG_STRING, &o->color_name,
		  "auto (default), always or never; NO_COLOR means never", "WHEN"},
		 {"quiet", 'q', 0, G_OPTION_ARG_NONE, &o->quiet, "no progress, no notes", NULL}},
		{{"go", 0, 0, G_OPTION_ARG_STRING, &o->go,
		  "Go releases: 1.9..1.27, or 1.9.7,1.24 (default: all that are here)", "RANGE"},
		 {"runs", 0, 0, G_OPTION_ARG_INT, &o->runs,
		  "runs of each race in each setting (default 20)", "N"},
		 {"minutes", 0, 0, G_OPTION_ARG_INT, &o->minutes,
		  "how long it may take (default 60)", "N"},
		 {"output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output,
		  "keep what was measured there, and go on from it the next time", "DIR"},
		 {"svg", 0, 0, G_OPTION_ARG_FILENAME, &o->svg, "draw a chart", "FILE"},
		 {"download", 0, 0, G_OPTION_ARG_NONE, &o->download,
		  "let the go command fetch Go releases that are not here", NULL},
		 {"json", 'j', 0, G_OPTION_ARG_NONE, &o->json, "everything as JSON", NULL},
		 {"quiet", 'q', 0, G_OPTION_ARG_NONE, &o->quiet, "no progress", NULL}},
	};

	memcpy(ret, table[group], sizeof(table[group]));
	later_entries(group, o, ret);
}

static const GOptionEntry help_entry = {"help", 'h', 0, G_OPTION_ARG_NONE, NULL, "this help", NULL};

static GOptionContext *context_new(unsigned groups, struct options *options)
{
	GOptionContext *context = g_option_context_new(NULL);
	GOptionEntry help[] = {help_entry, {NULL}};

	help[0].arg_data = &options->help;
	g_option_context_set_help_enabled(context, FALSE);
	g_option_context_set_strict_posix(context, (groups & OPTIONS_STOP) != 0);
	g_option_context_add_main_entries(context, help, NULL);
	for (unsigned group = 0; group < OPTION_GROUPS; group++) {
		GOptionEntry entries[GROUP_OPTIONS_MAX];

		if (!(groups & 1u << group))
			continue;
		group_entries(group, options, entries);
		g_option_context_add_main_entries(context, entries, NULL);
	}
	return context;
}

static struct error *usage(const char *option, const char *value, const char *allowed)
{
	return error_with_hint(
		error_new(ERROR_USAGE, place_whole(""), "%s does not know \"%s\"", option, value),
		"use %s", allowed);
}

static struct error *resolve_format(struct options *o)
{
	o->format = o->json ? FORMAT_JSON : FORMAT_TEXT;
	if (!o->format_name)
		return NULL;
	if (g_str_equal(o->format_name, "json"))
		o->format = FORMAT_JSON;
	else if (!g_str_equal(o->format_name, "text"))
		return usage("--format", o->format_name, "--format text or --format json");
	else if (o->json)
		return error_new(ERROR_USAGE, place_whole(""),
				 "--json and --format text contradict each other");
	return NULL;
}

bool options_color_on(const struct options *o, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (o->color_name && !g_str_equal(o->color_name, "auto"))
		return o->color;
	return !o->output && !(no_color && *no_color) && isatty(fd) && term &&
	       !g_str_equal(term, "dumb");
}

static struct error *resolve_color(struct options *o)
{
	if (!o->color_name || g_str_equal(o->color_name, "auto"))
		o->color = options_color_on(o, STDOUT_FILENO);
	else if (g_str_equal(o->color_name, "always"))
		o->color = true;
	else if (!g_str_equal(o->color_name, "never"))
		return usage("--color", o->color_name,
			     "--color auto, --color always or --color never");
	return NULL;
}

static struct error *resolve_fail_on(struct options *o)
{
	static const enum confidence levels[] = {CONFIDENCE_POSSIBLE, CONFIDENCE_LIKELY,
						 CONFIDENCE_PROVEN};

	if (!o->fail_on_name)
		return NULL;
	o->fail = true;
	for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
		o->fail_on = levels[i];
		if (g_str_equal(o->fail_on_name, confidence_name(levels[i])))
			return NULL;
	}
	return usage("--fail-on", o->fail_on_name, "possible, likely or proven");
}

struct error *options_parse(unsigned groups, int *argc, char ***argv, struct options *ret)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GOptionContext) context = context_new(groups, ret);

	ret->limit = DEFAULT_LIMIT;
	ret->seconds = DEFAULT_SECONDS;
	ret->runs = DEFAULT_RUNS;
	ret->events = DEFAULT_EVENTS;
	ret->minutes = DEFAULT_MINUTES;
	if (!g_option_context_parse(context, argc, argv, &error))
		return error_new(ERROR_USAGE, place_whole(""), "%s", error->message);
	if (ret->limit < 0)
		return error_new(ERROR_USAGE, place_whole(""), "--limit must not be negative");
	if (ret->seconds < 1 || ret->seconds > SECONDS_MAX)
		return error_new(ERROR_USAGE, place_whole(""), "--seconds is from 1 to %d",
				 SECONDS_MAX);
	if (ret->events < 1 || ret->events > EVENTS_MAX)
		return error_new(ERROR_USAGE, place_whole(""), "--events is from 1 to %d",
				 EVENTS_MAX);
	if (ret->runs < 1 || ret->runs > COUNT_MAX || ret->minutes < 1 || ret->minutes > COUNT_MAX)
		return error_new(ERROR_USAGE, place_whole(""), "%s is from 1 to %d",
				 ret->runs < 1 || ret->runs > COUNT_MAX ? "--runs" : "--minutes",
				 COUNT_MAX);
	TRY(resolve_format(ret));
	TRY(resolve_color(ret));
	return resolve_fail_on(ret);
}

void options_done(struct options *options)
{
	g_free(options->core);
	g_free(options->map);
	g_free(options->type);
	g_free(options->format_name);
	g_free(options->color_name);
	g_free(options->source_root);
	g_free(options->fail_on_name);
	g_free(options->output);
	g_free(options->go);
	g_free(options->svg);
	g_free(options->source);
	g_free(options->root);
	g_free(options->folder);
}

static void entry_help(const GOptionEntry *entry, FILE *out)
{
	g_autofree char *name = g_strdup_printf(
		"  %s%c%s --%s%s%s", entry->short_name ? "-" : "  ",
		entry->short_name ? entry->short_name : ' ', entry->short_name ? "," : "",
		entry->long_name, entry->arg_description ? " " : "",
		entry->arg_description ? entry->arg_description : "");

	fprintf(out, "%-*s%s\n", HELP_COLUMN, name, entry->description);
}

void options_help(unsigned groups, FILE *out)
{
	struct options unused;

	for (unsigned group = 0; group < OPTION_GROUPS; group++) {
		GOptionEntry entries[GROUP_OPTIONS_MAX];

		if (!(groups & 1u << group))
			continue;
		group_entries(group, &unused, entries);
		for (const GOptionEntry *entry = entries; entry->long_name; entry++)
			entry_help(entry, out);
	}
	entry_help(&help_entry, out);
}

unsigned options_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	guint64 width;

	if (columns && g_ascii_string_to_unsigned(columns, 10, 1, 10000, &width, NULL))
		return (unsigned)width;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return DEFAULT_WIDTH;
}
