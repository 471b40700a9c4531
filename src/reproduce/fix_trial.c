// SPDX-License-Identifier: Apache-2.0
#include "reproduce/fix_trial.h"

#include "reproduce/child.h"
#include "reproduce/gofmt.h"
#include "reproduce/race_text.h"
#include "reproduce/shape.h"
#include "reproduce/template.h"

#include <glib.h>

#define SIZE_MIN      16
#define SIZE_DEFAULT  1024
#define SIZE_MAX_KEYS 65536
#define BUILD_SECONDS 300
#define RUN_EXTRA     20 /* a busy machine stops a program's clock, too */

/* Which access patterns a fix is for. */
enum fix_for {
	FOR_ALL,
	FOR_READERS, /* the detector only reads */
	FOR_WALKERS, /* the detector walks or clones the map */
	FOR_WRITERS, /* both sides assign */
	FOR_HASHED,  /* keys that a line of code can hash */
};

static const struct fix {
	const char *name, *text;
	enum fix_for suits;
	const char *patterns; // of advice that proposes it
} fixes_known[] = {
	{"mutex", "one sync.Mutex around every use", FOR_ALL, " P5 P6 P13 P15 "},
	{"rwmutex", "one sync.RWMutex: readers share it", FOR_READERS, " lock-reader "},
	{"sync_map", "a sync.Map instead of the map", FOR_ALL, ""},
	{"sharded", "32 maps with a mutex each, by the key's hash", FOR_HASHED, ""},
	{"copy_on_write", "an immutable map, copied and published on every change", FOR_READERS,
	 " P8 "},
	{"clone", "walkers get a copy, made under a mutex", FOR_WALKERS,
	 " P1 P2 P3 P4 P7 P9 P11 P12 P14 "},
	{"own_maps", "a map of its own for each goroutine, merged at the end", FOR_WRITERS,
	 " P17 "},
};

struct writer {
	const struct verdict *verdict;
	const struct go_program *program;
	struct arena *arena;
};

static enum reproduced_operation operation_of(const struct writer *writer, size_t side)
{
	return writer->verdict->sides[side].operation;
}

/* A line that hashes the key, "" where there is none as short. */
static const char *hash_text(struct arena *arena, const char *key_type)
{
	const struct shape *shape = shape_parse(arena, key_type);

	if (!shape || shape->kind != SHAPE_BASIC)
		return "";
	if (g_str_equal(shape->name, "string"))
		return "\th := uint32(2166136261)\n\tfor i := 0; i < len(k); i++ {\n"
		       "\t\th = (h ^ uint32(k[i])) * 16777619\n\t}\n\treturn h % shards\n";
	if (strstr(shape->name, "int") || g_str_equal(shape->name, "byte") ||
	    g_str_equal(shape->name, "rune"))
		return "\treturn uint32(uint64(k)*0x9e3779b97f4a7c15>>32) % shards\n";
	return "";
}

static bool suits(const struct writer *writer, const struct fix *fix)
{
	enum reproduced_operation detector = operation_of(writer, 0);

	switch (fix->suits) {
	case FOR_READERS:
		return !reproduced_operation_writes(detector);
	case FOR_WALKERS:
		return detector == REPRODUCE_ITERATE || detector == REPRODUCE_CLONE;
	case FOR_WRITERS:
		return detector == REPRODUCE_ASSIGN && operation_of(writer, 1) == REPRODUCE_ASSIGN;
	case FOR_HASHED:
		return *hash_text(writer->arena, writer->program->key_type);
	case FOR_ALL:
		break;
	}
	return true;
}

static bool is_advised(const struct writer *writer, const struct fix *fix)
{
	bool reader = !reproduced_operation_writes(operation_of(writer, 0));

	for (const char *const *pattern = writer->verdict->patterns; *pattern; pattern++) {
		g_autofree char *word = g_strdup_printf(" %s ", *pattern);

		if (strstr(fix->patterns, word))
			return true;
		if (g_str_equal(*pattern, "lock") &&
		    g_str_equal(fix->name, reader ? "rwmutex" : "mutex"))
			return true;
	}
	return false;
}

static const char *call_text(const struct writer *writer, size_t side)
{
	switch (operation_of(writer, side)) {
	case REPRODUCE_READ:
		return "\t\t\t\tmine.read(keys[n])\n";
	case REPRODUCE_ASSIGN:
		return "\t\t\t\tmine.assign(keys[n], value)\n";
	case REPRODUCE_DELETE:
		return "\t\t\t\tmine.remove(keys[n])\n\t\t\t\tmine.assign(keys[n], value)\n";
	case REPRODUCE_CLEAR:
		return "\t\t\t\tmine.assign(keys[n], value)\n"
		       "\t\t\t\tif n == 0 {\n\t\t\t\t\tmine.removeAll()\n\t\t\t\t}\n";
	case REPRODUCE_ITERATE:
	case REPRODUCE_CLONE:
		break;
	}
	return arena_format(writer->arena, "\t\t\t\tmine.walk(func(%s, %s) { n++ })\n",
			    writer->program->key_type, writer->program->value_type);
}

static const char *program_text(const struct writer *writer, const struct fix *fix)
{
	struct arena *arena = writer->arena;
	const struct go_program *program = writer->program;
	g_autofree char *template = g_strdup_printf("fix_%s.go", fix->name);
	bool own = fix->suits == FOR_WRITERS;
	uint64_t size = writer->verdict->map_count ? 2 * writer->verdict->map_count : SIZE_DEFAULT;
	const struct template_value inner[] = {
		{"key_type", program->key_type},
		{"value_type", program->value_type},
		{"hash", hash_text(arena, program->key_type)},
		{NULL, NULL},
	};
	const struct template_value values[] = {
		{"comment", template_comment(arena, arena_format(arena,
								 "A fix: %s.\n\nThe map is guarded "
								 "here; the program puts the "
								 "report's load on it.",
								 fix->text))},
		{"imports", strstr(program->key, "strconv.") ? "\t\"strconv\"\n" : ""},
		{"types", program->declarations},
		{"guarded", template_expand(arena, template, inner)},
		{"size", arena_format(arena, "%u", (unsigned)CLAMP(size, SIZE_MIN, SIZE_MAX_KEYS))},
		{"detectors", arena_format(arena, "%u", program->detectors)},
		{"others", arena_format(arena, "%u", program->others)},
		{"value_type", program->value_type},
		{"key_type", program->key_type},
		{"key", program->key},
		{"detector_label", program->labels[0]},
		{"other_label", program->labels[1]},
		{"mine", own ? arena_format(arena, "newGuardedMap(make(map[%s]%s))",
					    program->key_type, program->value_type)
			     : "shared"},
		{"merge", own ? "\t\t\tshared.merge(mine)\n" : ""},
		{"detector", call_text(writer, 0)},
		{"other", call_text(writer, 1)},
		{NULL, NULL},
	};

	return gofmt_structs(arena, template_expand(arena, "fix_load.go", values));
}

struct error *fixes_write(const struct verdict *verdict, const struct go_program *program,
			  struct arena *arena, const struct folder *folder, struct fix_trials *ret)
{
	const struct writer writer = {verdict, program, arena};

	ret->count = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(fixes_known); i++) {
		const struct fix *fix = &fixes_known[i];
		g_autofree char *name = g_strdup_printf("fixes/%s/main.go", fix->name);

		if (!suits(&writer, fix))
			continue;
		TRY(folder_write(folder, name, program_text(&writer, fix)));
		ret->items[ret->count++] = (struct fix_trial){.name = fix->name,
							      .text = fix->text,
							      .advised = is_advised(&writer, fix),
							      .problem = ""};
	}
	return NULL;
}

static struct error *build(const struct fixes_input *input, struct fix_trial *fix,
			   const char *program, bool race, bool *ret_built)
{
	g_autofree char *folder = g_build_filename(input->folder->path, "fixes", fix->name, NULL);
	const struct toolchain_build how = {
		.folder = folder, .output = program, .race = race, .seconds = BUILD_SECONDS};
	scoped(error) struct error *error = toolchain_build(input->toolchain, &how);

	*ret_built = !error;
	if (error && error_code(error) == ERROR_INTERRUPTED)
		return g_steal_pointer(&error);
	if (error && race)
		fix->problem = "not tried under the race detector: it does not build";
	else if (error)
		fix->problem = arena_string(input->arena, text_of(error_text(error)));
	return NULL;
}

/* Why a run did not end as it should. */
static const char *problem_of(struct arena *arena, const struct child_result *result)
{
	static const char *const words[] = {"fatal error: ", "panic: ", "runtime: "};

	if (result->timed_out)
		return arena_format(arena, "it did not end within %.0f s", result->seconds);
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		const char *line = strstr(result->output, words[i]);

		if (line)
			return arena_string(arena, (struct text){line, strcspn(line, "\n")});
	}
	if (result->signal)
		return arena_format(arena, "signal %d ended it", result->signal);
	return arena_format(arena, "it ended with status %d", result->exit_status);
}

static void add_time(struct fix_trial *fix, double nanoseconds)
{
	size_t i = fix->time_count++;

	for (; i > 0 && fix->times[i - 1] > nanoseconds; i--)
		fix->times[i] = fix->times[i - 1];
	fix->times[i] = nanoseconds;
}

double fix_trial_median(const struct fix_trial *fix)
{
	return fix->time_count ? fix->times[fix->time_count / 2] : 0;
}

/* One run under load; anything but a quiet end with its count is a crash. */
static struct error *run(const struct fixes_input *input, struct fix_trial *fix,
			 const char *program, bool race)
{
	double share = race ? input->seconds : input->seconds / FIX_RUNS;
	g_autofree char *seconds = g_strdup_printf("-seconds=%g", share);
	const char *const arguments[] = {program, seconds, NULL};
	const struct child_request request = {.arguments = arguments,
					      .seconds = (unsigned)share + RUN_EXTRA};
	scoped(child_result) struct child_result result = {NULL};
	const char *nanoseconds;
	bool quiet;

	TRY(child_run(&request, &result));
	nanoseconds = strstr(result.output, "nanoseconds ");
	fix->races += race_text_count(result.output);
	quiet = nanoseconds && !result.timed_out && (result.exit_status == 0 || race);
	fix->crashes += !quiet;
	if (!quiet)
		fix->problem = problem_of(input->arena, &result);
	if (race) {
		fix->raced = true;
	} else {
		fix->ran = true;
		if (nanoseconds)
			add_time(fix, g_ascii_strtod(nanoseconds + strlen("nanoseconds "), NULL));
	}
	return NULL;
}

static char *program_of(const struct folder *place, const struct fix_trial *fix, bool race)
{
	return g_strdup_printf("%s/%s%s", place->path, fix->name, race ? ".race" : "");
}

/* Both programs, and the one run of the race detector's. */
static struct error *prepare(const struct fixes_input *input, const struct folder *place,
			     struct fix_trial *fix)
{
	g_autofree char *plain = program_of(place, fix, false);
	g_autofree char *race = program_of(place, fix, true);
	bool raced = false;

	TRY(build(input, fix, plain, false, &fix->built));
	TRY(build(input, fix, race, true, &raced));
	return raced ? run(input, fix, race, true) : NULL;
}

/* In turns, so that what else the machine does slows down all of them alike. */
static struct error *take_times(const struct fixes_input *input, const struct folder *place,
				struct fix_trials *fixes)
{
	for (unsigned turn = 0; turn < FIX_RUNS; turn++) {
		g_autofree char *what =
			g_strdup_printf("taking the fixes' times, %u of %u", turn + 1, FIX_RUNS);

		input->progress(what);
		for (size_t i = 0; i < fixes->count; i++) {
			struct fix_trial *fix = &fixes->items[i];
			g_autofree char *program = program_of(place, fix, false);

			if (fix->built && !(fix->ran && fix->crashes))
				TRY(run(input, fix, program, false));
		}
	}
	return NULL;
}

static void compare(struct fix_trials *fixes)
{
	double fastest = 0;

	for (size_t i = 0; i < fixes->count; i++) {
		double median = fix_trial_median(&fixes->items[i]);

		if (median > 0 && (fastest == 0 || median < fastest))
			fastest = median;
	}
	for (size_t i = 0; i < fixes->count && fastest > 0; i++)
		fixes->items[i].relative = fix_trial_median(&fixes->items[i]) / fastest;
}

struct error *fixes_run(const struct fixes_input *input, struct fix_trials *fixes)
{
	scoped(folder) struct folder place = {NULL};

	fixes->before = machine_now();
	TRY(folder_open_temporary(&place));
	for (size_t i = 0; i < fixes->count; i++) {
		g_autofree char *what = g_strdup_printf("trying the fix %s", fixes->items[i].name);

		input->progress(what);
		TRY(prepare(input, &place, &fixes->items[i]));
	}
	TRY(take_times(input, &place, fixes));
	compare(fixes);
	fixes->after = machine_now();
	return NULL;
}
