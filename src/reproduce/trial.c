// SPDX-License-Identifier: Apache-2.0
#include "reproduce/trial.h"

#include "reproduce/child.h"
#include "reproduce/race_text.h"

#include <glib.h>
#include <unistd.h>

#define ATTEMPTS         5 /* crashes to look at until one names both sides */
#define ATTEMPT_EXTRA    10
#define DIAGNOSE_SECONDS 120
#define FATAL_WORDS      "fatal error: "

struct bench {
	const struct trial_input *input;
	struct folder folder;
	char *program;
};

static void bench_free_at(struct bench *bench)
{
	folder_done(&bench->folder);
	g_free(bench->program);
}

static struct error *build(struct bench *bench, bool race)
{
	struct toolchain_build how = *bench->input->build;

	bench->input->progress(race ? "building for the race detector" : "building");
	g_free(bench->program);
	bench->program =
		g_build_filename(bench->folder.path, race ? "program.race" : "program", NULL);
	how.output = bench->program;
	how.race = race;
	return toolchain_build(bench->input->toolchain, &how);
}

/* The kind whose words the runtime's last ones are; "" for another death or none. */
static const char *kind_of(const char *output)
{
	static const char *const kinds[] = {
		"concurrent_map_writes", "concurrent_map_read_and_write",
		"concurrent_map_iteration_and_write", "concurrent_map_clone_and_write"};
	const char *fatal = strstr(output, FATAL_WORDS "concurrent map");

	for (size_t i = 0; fatal && i < G_N_ELEMENTS(kinds); i++)
		if (g_str_has_prefix(fatal + strlen(FATAL_WORDS), verdict_kind_words(kinds[i])))
			return kinds[i];
	return "";
}

static unsigned last_round(const char *output)
{
	const char *fatal = strstr(output, FATAL_WORDS);
	gssize n = fatal ? fatal - output : -1;
	const char *round = g_strrstr_len(output, n, "round ");

	return round ? (unsigned)g_ascii_strtoull(round + strlen("round "), NULL, 10) : 0;
}

static char *find_core(const char *folder)
{
	g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
	const char *name;

	while (entries && (name = g_dir_read_name(entries)))
		if (g_str_has_prefix(name, "core"))
			return g_build_filename(folder, name, NULL);
	return NULL;
}

/* The innermost place that is the generated code's own. A writer that was known by the trace it left stands
 * elsewhere by then: its site is not among its frames. */
static struct trial_side side_of(struct arena *arena, const struct verdict_side *side,
				 const char *package)
{
	struct trial_side ret = {reproduced_operation_name(side->operation), "", 0};
	const struct verdict_frame *place = NULL;

	if (side->basis == SIDE_STAND_IN)
		return ret;
	if (race_text_is_own(side->site.function, package))
		place = &side->site;
	for (size_t i = 0; !place && i < side->frame_count; i++)
		if (race_text_is_own(side->frames[i].function, package))
			place = &side->frames[i];
	if (place) {
		ret.function = arena_string(arena, text_of(place->function));
		ret.line = place->line;
	}
	return ret;
}

/* mapfault in a process of its own: a core is large, and what reads it is given back. */
static struct error *diagnose(struct bench *bench, const char *core, struct trial *ret)
{
	const struct trial_input *input = bench->input;
	const char *const arguments[] = {input->mapfault, "diagnose", "--json", "--quiet", core,
					 bench->program,  NULL};
	const struct child_request request = {.arguments = arguments, .seconds = DIAGNOSE_SECONDS};
	scoped(child_result) struct child_result result = {NULL};
	scoped(report_document) json_t *report = NULL;
	scoped(error) struct error *error = NULL;
	struct verdict *verdict = arena_take(input->arena, sizeof(*verdict));

	TRY(child_run(&request, &result));
	error = report_document_parse("the report of the reproduction", result.output,
				      strlen(result.output), &report);
	if (!error)
		error = verdict_read(report, input->arena, verdict);
	if (error) {
		notes_add(input->tried, "mapfault could not read the core of the reproduction: %s",
			  error_text(error));
		return NULL;
	}
	ret->diagnosed = true;
	for (size_t i = 0; i < 2; i++) {
		struct trial_side *side = &ret->sides[i];

		*side = side_of(input->arena, &verdict->sides[i], input->package);
		/* A mere candidate who stands elsewhere says nothing against the report. */
		if (verdict->sides[i].basis != SIDE_NAMED &&
		    !program_site_is(&input->sites[0], side->function, side->line) &&
		    !program_site_is(&input->sites[1], side->function, side->line))
			side->function = "";
	}
	return NULL;
}

static bool names_both(const struct program_site *sites, const struct trial_side *sides)
{
	for (size_t i = 0; i < 2; i++)
		if (program_site_is(&sites[0], sides[i].function, sides[i].line) &&
		    program_site_is(&sites[1], sides[1 - i].function, sides[1 - i].line))
			return true;
	return false;
}

struct race_watch {
	const struct trial_input *input;
	struct arena *arena;
	struct race_pair pair;
	size_t seen;
};

/* Enough as soon as one race is between the two sites. */
static bool race_is_between(const char *output, void *context)
{
	struct race_watch *watch = context;
	const struct program_site *sites = watch->input->sites;
	size_t count = race_text_count(output);

	for (; watch->seen < count; watch->seen++) {
		struct race_frame *sides = watch->pair.sides;
		struct trial_side found[2];

		if (!race_text_pair(watch->arena, output, watch->seen, watch->input->package,
				    &watch->pair))
			return false; // not all of it has come
		for (size_t i = 0; i < 2; i++)
			found[i] = (struct trial_side){"", sides[i].function, sides[i].line};
		if (names_both(sites, found))
			return true;
	}
	return false;
}

/* With a watch it is the race detector's build, which leaves no core. */
static struct error *run_once(struct bench *bench, unsigned seconds, struct race_watch *watch,
			      struct child_result *ret)
{
	g_autofree char *limit = g_strdup_printf("-seconds=%u", seconds);
	g_autofree char *timeout = g_strdup_printf("-test.timeout=%us", seconds + 1);
	const char *const plain[] = {bench->program, limit, NULL};
	const char *const test[] = {bench->program, "-test.run=^TestMapfault$", "-test.v", timeout,
				    NULL};
	g_auto(GStrv) environment =
		g_environ_setenv(g_get_environ(), "GOTRACEBACK", watch ? "all" : "crash", TRUE);
	const struct child_request request = {
		.arguments = bench->input->build->test ? test : plain,
		.environment = (const char *const *)environment,
		.folder = bench->folder.path,
		.seconds = seconds + ATTEMPT_EXTRA,
		.core = !watch,
		.enough = watch ? race_is_between : NULL,
		.context = watch,
	};

	return child_run(&request, ret);
}

static struct error *crash_once(struct bench *bench, unsigned seconds, struct trial *ret)
{
	const struct trial_input *input = bench->input;
	scoped(child_result) struct child_result result = {NULL};
	g_autofree char *core = NULL;
	const char *kind;

	TRY(run_once(bench, seconds, NULL, &result));
	kind = kind_of(result.output);
	core = find_core(bench->folder.path);
	if (!*kind) {
		const char *fatal = strstr(result.output, FATAL_WORDS);

		notes_add(input->tried, "%.0f s without that fatal error%s%.*s", result.seconds,
			  fatal ? "; it died of: " : "", fatal ? (int)strcspn(fatal, "\n") : 0,
			  fatal ? fatal : "");
		if (core)
			unlink(core);
		return NULL;
	}
	if (!ret->crashed) {
		ret->seconds = result.seconds;
		ret->round = last_round(result.output);
	}
	ret->crashed = true;
	ret->kind = kind;
	if (core) {
		TRY(diagnose(bench, core, ret));
		unlink(core);
	} else {
		notes_add(input->tried, "it left no core to diagnose (see ulimit -c and "
					"/proc/sys/kernel/core_pattern)");
	}
	return NULL;
}

/* Whom a core names is partly luck: some crashes are looked at until one names both sides. */
static struct error *crash(struct bench *bench, struct trial *ret)
{
	const struct trial_input *input = bench->input;
	gint64 end = g_get_monotonic_time() + (gint64)input->seconds * G_USEC_PER_SEC;

	for (unsigned i = 0; i < ATTEMPTS; i++) {
		gint64 left = (end - g_get_monotonic_time()) / G_USEC_PER_SEC;

		if (left <= 0)
			break;
		input->progress("running it until it dies");
		TRY(crash_once(bench, (unsigned)left, ret));
		if (!ret->crashed || !ret->diagnosed || names_both(input->sites, ret->sides))
			break;
	}
	if (ret->crashed)
		notes_add(input->tried, "plain: %s after %.2f s", verdict_kind_words(ret->kind),
			  ret->seconds);
	return NULL;
}

static struct error *race(struct bench *bench, struct trial *ret)
{
	const struct trial_input *input = bench->input;
	struct race_watch watch = {.input = input, .arena = input->arena};
	scoped(error) struct error *error = build(bench, true);
	gint64 end = g_get_monotonic_time() + (gint64)input->seconds * G_USEC_PER_SEC;

	if (error) {
		if (error_code(error) == ERROR_INTERRUPTED)
			return g_steal_pointer(&error);
		notes_add(input->tried, "under -race: %s (%s)", error_text(error),
			  error_hint(error));
		return NULL;
	}
	ret->race_built = true;
	input->progress("running it under the race detector");
	while (!ret->race_names_both && g_get_monotonic_time() < end) {
		scoped(child_result) struct child_result result = {NULL};

		TRY(run_once(bench, input->seconds, &watch, &result));
		ret->races += race_text_count(result.output);
		ret->race_names_both = result.stopped;
		watch.seen = 0;
		if (!*kind_of(result.output))
			break; // it ran to its end
	}
	for (size_t i = 0; ret->races && i < 2; i++)
		ret->race_sides[i] = (struct trial_side){"", watch.pair.sides[i].function,
							 watch.pair.sides[i].line};
	notes_add(input->tried, "under -race: %zu race%s%s", ret->races, ret->races == 1 ? "" : "s",
		  ret->race_names_both ? ", between the two sites" : "");
	return NULL;
}

struct trial trial_none(void)
{
	const struct trial_side nobody = {"", "", 0};

	return (struct trial){
		.kind = "", .sides = {nobody, nobody}, .race_sides = {nobody, nobody}};
}

struct error *trial_run(const struct trial_input *input, struct trial *ret)
{
	scoped(bench) struct bench bench = {.input = input};

	*ret = trial_none();
	TRY(folder_open_temporary(&bench.folder));
	TRY(build(&bench, false));
	TRY(crash(&bench, ret));
	return race(&bench, ret);
}
