// SPDX-License-Identifier: Apache-2.0
#include "reproduce/sensitivity.h"

#include "reproduce/child.h"
#include "reproduce/folder.h"
#include "reproduce/interrupt.h"
#include "reproduce/template.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define BUILD_SECONDS   300
#define RUN_SECONDS     20
#define GO_MINOR_OLDEST 9
#define GO_MINOR_NEWEST 99
#define GO_WITH_CLONE   21
#define NO_OPERATION    4 /* how the program ends when its release lacks the operation */
#define VERSIONS_MAX    128
#define STATE_FILE      "state.jsonl"
#define STATE_LINE_MAX  4096
#define STATE_LINES_MAX 1000000

const struct sensitivity_race sensitivity_races[] = {
	{"distinct_keys", "distinct keys",
	 "all insert keys of their own into a map of the right size", 0},
	{"growth", "growth", "all insert keys of their own into a map that grows", 0},
	{"same_key", "same key", "all write the same key", 0},
	{"read_write", "read + write", "one writes what is there while the others read it", 0},
	{"iterate_write", "iterate + write",
	 "one writes what is there while the others walk the map", 0},
	{"clone_write", "clone + write", "one writes what is there while the others clone the map",
	 GO_WITH_CLONE},
	{"delete", "delete", "all delete keys of their own", 0},
	{"clear", "clear", "all insert, and clear the map now and then", 0},
	{"string_keys", "string keys", "distinct keys, strings", 0},
	{"struct_keys", "struct keys", "distinct keys, structs of an integer and a string", 0},
	{"interface_keys", "interface keys", "distinct keys, strings in interfaces", 0},
};
const size_t sensitivity_race_count = G_N_ELEMENTS(sensitivity_races);

const unsigned sensitivity_goroutines[] = {2, 4, 8, 16, 32, 64, 0};

/* With other numbers of processors, only these: what changes shows there too. */
static const unsigned few_goroutines[] = {2, 16, 0};

struct session {
	const struct sensitivity_options *options;
	struct sensitivity *result;
	struct toolchains toolchains;
	struct folder programs;
	FILE *state; // NULL: nothing is kept
	gint64 end_us;
	struct error *problem; // the first release that could not be had or built; NULL: none
};

struct setting {
	unsigned goroutines, procs;
};

/* The program of one release. */
struct probe {
	const char *version;
	const char *program; // NULL: not built yet
	bool failed;
};

static void session_free_at(struct session *session)
{
	folder_done(&session->programs);
	if (session->state)
		fclose(session->state);
	error_free(session->problem);
}

/* Told of at the end, unless nothing else is to be told. */
static void note_problem(struct session *session, struct error *error)
{
	notes_add(&session->result->notes, "%s", error_text(error));
	if (session->problem)
		error_free(error);
	else
		session->problem = error;
}

unsigned sensitivity_procs(const struct sensitivity *sensitivity)
{
	return MAX(2, sensitivity->before.processors);
}

const struct sensitivity_cell *sensitivity_find(const struct sensitivity *sensitivity,
						const char *version, size_t race,
						unsigned goroutines, unsigned procs)
{
	for (size_t i = 0; i < sensitivity->cell_count; i++) {
		const struct sensitivity_cell *cell = &sensitivity->cells[i];

		if (cell->race == race && cell->goroutines == goroutines && cell->procs == procs &&
		    g_str_equal(cell->version, version))
			return cell;
	}
	return NULL;
}

unsigned sensitivity_enough(const struct sensitivity *sensitivity, const char *version, size_t race,
			    double share)
{
	for (const unsigned *n = sensitivity_goroutines; *n; n++) {
		const struct sensitivity_cell *cell = sensitivity_find(
			sensitivity, version, race, *n, sensitivity_procs(sensitivity));

		if (cell && cell->runs && cell->detected >= share * cell->runs)
			return *n;
	}
	return 0;
}

static void cell_add(struct sensitivity *result, const struct sensitivity_cell *cell)
{
	if (result->cell_count == result->cell_capacity) {
		size_t capacity = 2 * result->cell_capacity + 64;
		struct sensitivity_cell *cells =
			arena_array(result->arena, capacity, sizeof(*cells));

		if (result->cell_count)
			memcpy(cells, result->cells, result->cell_count * sizeof(*cells));
		result->cells = cells;
		result->cell_capacity = capacity;
	}
	result->cells[result->cell_count++] = *cell;
}

static size_t race_named(const char *name)
{
	size_t i = 0;

	while (i < sensitivity_race_count && !g_str_equal(sensitivity_races[i].name, name))
		i++;
	return i;
}

static json_t *cell_json(const struct sensitivity_cell *cell)
{
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "go",
			 cell->version, "race", sensitivity_races[cell->race].name, "goroutines",
			 (int)cell->goroutines, "procs", (int)cell->procs, "runs", (int)cell->runs,
			 "detected", (int)cell->detected, "died_otherwise", (int)cell->died, "hung",
			 (int)cell->hung, "silently_wrong", (int)cell->wrong, "median_ms",
			 cell->detected ? json_real(cell->median_ms) : json_null(), "slowest_ms",
			 cell->detected ? json_real(cell->slowest_ms) : json_null());
}

static unsigned count_at(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 && value < INT_MAX ? (unsigned)value : 0;
}

/* A line of the state that is not whole, as after a power cut, is measured again. */
static void state_line(struct sensitivity *result, const char *line)
{
	json_t *object = json_loads(line, 0, NULL);
	const char *version = json_string_value(json_object_get(object, "go"));
	const char *name = json_string_value(json_object_get(object, "race"));
	struct sensitivity_cell cell = {
		.race = race_named(name ? name : ""),
		.goroutines = count_at(object, "goroutines"),
		.procs = count_at(object, "procs"),
		.runs = count_at(object, "runs"),
		.detected = count_at(object, "detected"),
		.died = count_at(object, "died_otherwise"),
		.hung = count_at(object, "hung"),
		.wrong = count_at(object, "silently_wrong"),
		.median_ms = json_number_value(json_object_get(object, "median_ms")),
		.slowest_ms = json_number_value(json_object_get(object, "slowest_ms")),
	};

	if (version && toolchain_minor(version) && cell.race < sensitivity_race_count &&
	    cell.runs == result->runs) {
		cell.version = arena_string(result->arena, text_of(version));
		cell_add(result, &cell);
	}
	json_decref(object);
}

static struct error *state_open(struct session *session)
{
	g_autofree char *path = NULL;
	char line[STATE_LINE_MAX];
	bool whole = true;

	if (!session->options->directory)
		return NULL;
	if (g_mkdir_with_parents(session->options->directory, 0777) != 0)
		return error_with_hint(error_system(errno, place_whole(session->options->directory),
						    "cannot be made"),
				       "give -o a folder that you may write to");
	path = g_build_filename(session->options->directory, STATE_FILE, NULL);
	session->state = fopen(path, "a+e");
	if (!session->state)
		return error_system(errno, place_whole(path), "cannot be written");
	rewind(session->state);
	for (unsigned i = 0; i < STATE_LINES_MAX && fgets(line, sizeof(line), session->state);
	     i++) {
		state_line(session->result, line);
		whole = g_str_has_suffix(line, "\n");
	}
	if (session->result->cell_count)
		notes_add(&session->result->notes, "%zu cells were measured before (%s)",
			  session->result->cell_count, path);
	fseek(session->state, 0, SEEK_END);
	if (!whole)
		fputc('\n', session->state);
	return NULL;
}

static struct error *state_add(struct session *session, const struct sensitivity_cell *cell)
{
	json_t *object = session->state ? cell_json(cell) : NULL;
	bool failed = false;

	if (object) {
		failed = json_dumpf(object, session->state, JSON_COMPACT) != 0;
		failed |= fputc('\n', session->state) == EOF;
		failed |= fflush(session->state) != 0;
	}
	json_decref(object);
	if (!failed)
		return NULL;
	return error_with_hint(
		error_system(errno, place_whole(session->options->directory), "cannot be written"),
		"make room on that disk: the same command goes on after what is written there");
}

/* What is asked for: "1.9..1.27" takes the newest release of each minor, a list those releases. */
struct wanted {
	unsigned first, last;
	char **list; // NULL for a range
};

static struct error *wanted_parse(const char *text, struct wanted *ret)
{
	const char *dots = text ? strstr(text, "..") : NULL;

	*ret = (struct wanted){GO_MINOR_OLDEST, GO_MINOR_NEWEST, NULL};
	if (!text)
		return NULL;
	if (dots) {
		ret->first = toolchain_minor(text);
		ret->last = toolchain_minor(dots + 2);
	} else {
		ret->list = g_strsplit(text, ",", VERSIONS_MAX);
		for (char **one = ret->list; *one; one++)
			if (!toolchain_minor(*one))
				ret->first = 0;
	}
	if (ret->first >= GO_MINOR_OLDEST && ret->last >= ret->first)
		return NULL;
	g_strfreev(ret->list);
	ret->list = NULL;
	return error_with_hint(
		error_new(ERROR_USAGE, place_whole(""), "--go does not know \"%s\"", text),
		"give a range of Go releases, --go 1.9..1.27, or a list, --go 1.9.7,1.24.11");
}

static const struct toolchain *newest_of(const struct toolchains *toolchains, unsigned minor)
{
	const struct toolchain *newest = NULL;

	for (size_t i = 0; i < toolchains->count; i++)
		if (toolchains->items[i].minor == minor)
			newest = &toolchains->items[i];
	return newest;
}

/* "1.9" of a list is the newest release of it that is here. */
static const struct toolchain *named(const struct toolchains *toolchains, const char *version)
{
	const struct toolchain *exact = toolchains_exact(toolchains, version);
	const char *dot = strchr(version, '.');

	if (exact || (dot && strchr(dot + 1, '.')))
		return exact;
	return newest_of(toolchains, toolchain_minor(version));
}

/* The releases that are known by name, to fetch those that are not here: tools/go_versions.txt. */
static struct error *fetch_missing(struct session *session, const struct wanted *wanted)
{
	g_auto(GStrv) known = g_strsplit(template_text("go_versions"), "\n", 0);
	char **versions = wanted->list ? wanted->list : known;

	for (char **one = versions; *one; one++) {
		const struct toolchain *fetched;
		unsigned minor = toolchain_minor(*one);
		scoped(error) struct error *error = NULL;

		if (!minor || named(&session->toolchains, *one) ||
		    (!wanted->list && (minor < wanted->first || minor > wanted->last ||
				       newest_of(&session->toolchains, minor))))
			continue;
		session->options->progress("fetching Go releases");
		error = toolchains_fetch(&session->toolchains, *one, &fetched);
		if (error && error_code(error) == ERROR_INTERRUPTED)
			return g_steal_pointer(&error);
		if (error)
			note_problem(session,
				     error_with_hint(
					     g_steal_pointer(&error),
					     "check the network and $GOPROXY, or leave --download "
					     "out to measure the releases that are here"));
	}
	return NULL;
}

static void choose(struct session *session, const struct toolchain *toolchain)
{
	struct sensitivity *result = session->result;

	if (toolchain && result->version_count < VERSIONS_MAX)
		result->versions[result->version_count++] = toolchain->version;
}

static struct error *choose_versions(struct session *session)
{
	struct sensitivity *result = session->result;
	struct wanted wanted;
	struct error *error = NULL;

	TRY(wanted_parse(session->options->versions, &wanted));
	if (session->options->download)
		error = fetch_missing(session, &wanted);
	for (unsigned minor = wanted.first; !wanted.list && minor <= wanted.last; minor++)
		choose(session, newest_of(&session->toolchains, minor));
	for (char **one = wanted.list; one && *one; one++) {
		const struct toolchain *toolchain = named(&session->toolchains, *one);

		choose(session, toolchain);
		if (!toolchain)
			notes_add(&result->notes, "Go %s is not here; --download fetches it", *one);
	}
	g_strfreev(wanted.list);
	if (error || result->version_count)
		return error;
	if (session->problem)
		return g_steal_pointer(&session->problem);
	return error_with_hint(
		error_new(ERROR_NOT_FOUND, place_whole(""), "none of these Go releases is here"),
		"--download has the go command fetch them; without Go, install it "
		"(https://go.dev/dl)");
}

static struct error *build(struct session *session, const struct toolchain *toolchain,
			   const char *program)
{
	g_autofree char *folder =
		g_build_filename(session->programs.path, toolchain->version, NULL);
	g_autofree char *main = g_strdup_printf("%s/main.go", toolchain->version);
	g_autofree char *clone = g_strdup_printf("%s/clone.go", toolchain->version);
	g_autofree char *module = g_strdup_printf("%s/go.mod", toolchain->version);
	g_autofree char *go = g_strdup_printf("module probe\n\ngo 1.%u\n", toolchain->minor);
	const struct toolchain_build how = {
		.folder = folder, .output = program, .seconds = BUILD_SECONDS};

	TRY(folder_write(&session->programs, main, template_text("probe.go")));
	if (toolchain->minor >= GO_WITH_CLONE)
		TRY(folder_write(&session->programs, clone, template_text("probe_clone.go")));
	TRY(folder_write(&session->programs, module, go));
	return toolchain_build(toolchain, &how);
}

static int order_times(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Milliseconds from the race's start, which the program printed by the wall clock, to now. */
static double since_start_ms(const char *output)
{
	const char *start = strstr(output, "start ");
	gint64 ns = start ? g_ascii_strtoll(start + strlen("start "), NULL, 10) : 0;

	return ns ? (double)g_get_real_time() / 1e3 - (double)ns / 1e6 : 0;
}

static struct error *run_once(const char *program, char **environment,
			      struct sensitivity_cell *cell, double *times)
{
	const char *name = sensitivity_races[cell->race].name;
	g_autofree char *goroutines = g_strdup_printf("-goroutines=%u", cell->goroutines);
	g_autofree char *race = g_strdup_printf("-race=%s", name);
	const char *const arguments[] = {program, race, goroutines, NULL};
	const struct child_request request = {.arguments = arguments,
					      .environment = (const char *const *)environment,
					      .seconds = RUN_SECONDS};
	scoped(child_result) struct child_result result = {NULL};

	TRY(child_run(&request, &result));
	if (strstr(result.output, "fatal error: concurrent map"))
		times[cell->detected++] = since_start_ms(result.output);
	else if (result.timed_out)
		cell->hung++;
	else if (result.exit_status != 0)
		cell->died++;
	else if (!strstr(result.output, "lost 0 extra 0\n"))
		cell->wrong++;
	cell->runs++;
	return NULL;
}

static struct error *measure(struct session *session, const char *program,
			     struct sensitivity_cell *cell)
{
	g_autofree char *procs = g_strdup_printf("%u", cell->procs);
	g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "GOMAXPROCS", procs, TRUE);
	g_autofree double *times = g_new0(double, session->options->runs);

	environment = g_environ_setenv(environment, "GOTRACEBACK", "none", TRUE);
	for (unsigned i = 0; i < session->options->runs; i++)
		TRY(run_once(program, environment, cell, times));
	if (cell->detected) {
		qsort(times, cell->detected, sizeof(*times), order_times);
		cell->median_ms = times[cell->detected / 2];
		cell->slowest_ms = times[cell->detected - 1];
	}
	cell_add(session->result, cell);
	return state_add(session, cell);
}

/* To be measured: the release has the operation, and nobody did it before. */
static bool is_open(const struct session *session, const struct sensitivity_cell *cell)
{
	return toolchain_minor(cell->version) >= sensitivity_races[cell->race].minor_since &&
	       !sensitivity_find(session->result, cell->version, cell->race, cell->goroutines,
				 cell->procs);
}

/* All races of one release in one setting. */
static struct error *measure_races(struct session *session, const struct probe *probe,
				   const struct setting *setting)
{
	for (size_t race = 0; race < sensitivity_race_count; race++) {
		struct sensitivity_cell cell = {.version = probe->version,
						.race = race,
						.goroutines = setting->goroutines,
						.procs = setting->procs};

		if (!is_open(session, &cell))
			continue;
		if (g_get_monotonic_time() >= session->end_us)
			session->result->cells_left++;
		else
			TRY(measure(session, probe->program, &cell));
	}
	return NULL;
}

static bool is_measured(const struct session *session, const struct probe *probe,
			const struct setting *setting)
{
	for (size_t race = 0; race < sensitivity_race_count; race++) {
		const struct sensitivity_cell cell = {.version = probe->version,
						      .race = race,
						      .goroutines = setting->goroutines,
						      .procs = setting->procs};

		if (is_open(session, &cell))
			return false;
	}
	return true;
}

/* Built when it is first needed; a release that does not build it is told of once. */
static struct error *probe_build(struct session *session, struct probe *probe)
{
	const struct toolchain *toolchain = toolchains_exact(&session->toolchains, probe->version);
	scoped(error) struct error *error = NULL;

	if (probe->program || probe->failed)
		return NULL;
	probe->program = arena_format(session->result->arena, "%s/probe-%s", session->programs.path,
				      probe->version);
	error = build(session, toolchain, probe->program);
	if (!error)
		return NULL;
	probe->failed = true;
	if (error_code(error) == ERROR_INTERRUPTED)
		return g_steal_pointer(&error);
	note_problem(session, g_steal_pointer(&error));
	return NULL;
}

static struct error *measure_setting(struct session *session, struct probe *probes,
				     const struct setting *setting)
{
	for (size_t i = 0; i < session->result->version_count; i++) {
		struct probe *probe = &probes[i];
		g_autofree char *what =
			g_strdup_printf("Go %s, %u goroutines, GOMAXPROCS %u", probe->version,
					setting->goroutines, setting->procs);

		if (is_measured(session, probe, setting))
			continue;
		session->options->progress(what);
		if (g_get_monotonic_time() < session->end_us)
			TRY(probe_build(session, probe));
		if (!probe->failed)
			TRY(measure_races(session, probe, setting));
	}
	return NULL;
}

/* One setting after the other, each with every release: when time is up, whole tables are there. */
static struct error *measure_all(struct session *session)
{
	const struct sensitivity *result = session->result;
	unsigned main = sensitivity_procs(result), others[] = {1, 2 * main};
	struct probe *probes = arena_array(result->arena, result->version_count, sizeof(*probes));

	for (size_t i = 0; i < result->version_count; i++)
		probes[i] = (struct probe){.version = result->versions[i]};
	for (const unsigned *n = sensitivity_goroutines; *n; n++)
		TRY(measure_setting(session, probes, &(struct setting){*n, main}));
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		for (const unsigned *n = few_goroutines; *n; n++)
			TRY(measure_setting(session, probes, &(struct setting){*n, others[i]}));
	return result->cell_count ? NULL : g_steal_pointer(&session->problem);
}

struct error *sensitivity_run(const struct sensitivity_options *options, struct sensitivity *ret)
{
	scoped(session) struct session session = {.options = options, .result = ret};

	*ret = (struct sensitivity){
		.arena = arena_new(), .runs = options->runs, .before = machine_now()};
	ret->notes.arena = ret->arena;
	ret->versions = arena_array(ret->arena, VERSIONS_MAX, sizeof(*ret->versions));
	session.end_us = g_get_monotonic_time() + (gint64)options->minutes * 60 * G_USEC_PER_SEC;
	interrupt_watch();
	TRY(toolchains_find(ret->arena, &session.toolchains));
	TRY(choose_versions(&session));
	TRY(state_open(&session));
	TRY(folder_open_temporary(&session.programs));
	TRY(measure_all(&session));
	if (ret->cells_left)
		notes_add(&ret->notes, "time was up: %zu cells are not measured%s", ret->cells_left,
			  options->directory ? "; the same command goes on where this one stopped"
					     : "");
	ret->after = machine_now();
	return NULL;
}

void sensitivity_done(struct sensitivity *sensitivity)
{
	if (sensitivity->arena)
		arena_free(sensitivity->arena);
	*sensitivity = (struct sensitivity){NULL};
}

static json_t *summary_json(const struct sensitivity *s, const char *version, size_t race)
{
	unsigned half = sensitivity_enough(s, version, race, 0.5);
	unsigned nearly_all = sensitivity_enough(s, version, race, 0.99);

	return json_pack("{s:s, s:s, s:i, s:o, s:o}", "go", version, "race",
			 sensitivity_races[race].name, "procs", (int)sensitivity_procs(s),
			 "goroutines_for_50_percent", half ? json_integer(half) : json_null(),
			 "goroutines_for_99_percent",
			 nearly_all ? json_integer(nearly_all) : json_null());
}

json_t *sensitivity_json(const struct sensitivity *s)
{
	json_t *cells = json_array(), *summary = json_array(), *notes = json_array();

	for (size_t i = 0; i < s->cell_count; i++)
		json_array_append_new(cells, cell_json(&s->cells[i]));
	for (size_t v = 0; v < s->version_count; v++)
		for (size_t race = 0; race < sensitivity_race_count; race++)
			if (toolchain_minor(s->versions[v]) >= sensitivity_races[race].minor_since)
				json_array_append_new(summary,
						      summary_json(s, s->versions[v], race));
	for (size_t i = 0; i < s->notes.count; i++)
		json_array_append_new(notes, json_string(s->notes.lines[i]));
	return json_pack("{s:s, s:{s:i, s:f, s:f}, s:i, s:i, s:o, s:o, s:o}", "schema",
			 SENSITIVITY_SCHEMA, "machine", "cpus", (int)s->before.processors,
			 "load_before", s->before.load, "load_after", s->after.load, "runs",
			 (int)s->runs, "cells_left", (int)s->cells_left, "summary", summary,
			 "cells", cells, "notes", notes);
}
