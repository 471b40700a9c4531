// SPDX-License-Identifier: Apache-2.0
// What becomes of maps over a series of heap profiles.
#include "cli/command.h"
#include "cli/gather.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/recognise.h"
#include "cli/spool.h"

#include "findings/growth.h"
#include "report/growth.h"
#include "model/process/program_open.h"

#include <sys/stat.h>

/* What the arguments name. */
struct growth_evidence {
	GPtrArray *profiles; /* char * */
	GArray *listed;      /* bool, one a profile: found in a directory, not named */
	struct gc_log *gc;
	struct image *image;
	struct program *program;
};

static void evidence_done(struct growth_evidence *e)
{
	if (e->program)
		program_close(e->program);
	image_close(e->image);
	gc_log_free(e->gc);
	g_ptr_array_unref(e->profiles);
	g_array_unref(e->listed);
}

static inline void evidence_free_at(struct growth_evidence *e) { evidence_done(e); }

static void add_profile(struct growth_evidence *e, const char *path, bool listed)
{
	g_ptr_array_add(e->profiles, g_strdup(path));
	g_array_append_val(e->listed, listed);
}

static struct error *add_image(struct growth_evidence *e, const char *path)
{
	if (e->image)
		return error_with_hint(error_new(ERROR_USAGE, place_whole(path),
						 "is a second program, after %s",
						 image_path(e->image)),
				       "give the program that the profiles are of");
	return image_open(path, &e->image);
}

static struct error *add_gc_log(struct growth_evidence *e, const char *path)
{
	if (e->gc)
		return error_with_hint(error_new(ERROR_USAGE, place_whole(path),
						 "is a second log of the collector, after %s",
						 e->gc->path),
				       "give the log of the run that the profiles are of");
	return gc_log_read(path, &e->gc);
}

static struct error *add_file(struct growth_evidence *e, const char *path)
{
	const char *looks_like;
	enum file_kind kind;

	TRY(file_recognise_path(path, &kind, &looks_like));
	switch (kind) {
	case FILE_PROFILE:
	case FILE_GZIP: /* too little of it to tell */
		add_profile(e, path, false);
		return NULL;
	case FILE_IMAGE:
		return add_image(e, path);
	case FILE_TEXT:
		return add_gc_log(e, path);
	default:
		return error_with_hint(
			error_new(ERROR_UNRECOGNISED, place_whole(path), "%s", looks_like),
			"growth reads heap profiles (/debug/pprof/heap), the program, and a "
			"GODEBUG=gctrace=1 log");
	}
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

/* The profiles in a directory; what else is in it is passed over. */
static struct error *add_directory(struct growth_evidence *e, const char *path)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(GDir) directory = g_dir_open(path, 0, &why);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	guint before = e->profiles->len;
	const char *name;

	if (!directory)
		return error_new(ERROR_NOT_FOUND, place_whole(path), "%s", why->message);
	while ((name = g_dir_read_name(directory)))
		g_ptr_array_add(names, g_build_filename(path, name, NULL));
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++) {
		const char *file = g_ptr_array_index(names, i), *looks_like;
		enum file_kind kind = FILE_UNKNOWN;

		if (!g_file_test(file, G_FILE_TEST_IS_REGULAR))
			continue;
		error_free(file_recognise_path(file, &kind, &looks_like));
		if (kind == FILE_PROFILE)
			add_profile(e, file, true);
	}
	if (e->profiles->len > before)
		return NULL;
	return error_with_hint(error_new(ERROR_NOT_FOUND, place_whole(path),
					 "there is no profile in this directory"),
			       "name the profiles themselves, or their directory");
}

static struct error *add_argument(struct growth_evidence *e, const char *argument)
{
	g_autofree char *spooled = NULL;

	if (g_file_test(argument, G_FILE_TEST_IS_DIR))
		return add_directory(e, argument);
	if (g_str_equal(argument, "-"))
		TRY(spool_standard_input(&spooled));
	else if (spool_is_pipe(argument))
		TRY(spool_pipe(argument, &spooled));
	return add_file(e, spooled ? spooled : argument);
}

static struct error *gather_growth(struct growth_evidence *e, const struct invocation *invocation)
{
	for (size_t i = 0; i < invocation->argument_count; i++)
		TRY(add_argument(e, invocation->arguments[i]));
	if (!e->profiles->len)
		return error_with_hint(
			error_new(ERROR_USAGE, place_whole(""), "no heap profile given"),
			"mapfault growth PROFILE... [BINARY]; take one with "
			"`curl -o heap1.pb.gz http://HOST/debug/pprof/heap`");
	if (!e->image)
		return NULL;
	return program_open(&(struct program_evidence){.image = e->image}, &e->program);
}

static struct error *read_series(const struct growth_evidence *e, bool force,
				 struct profile_series **ret)
{
	const struct series_request request = {
		.paths = (const char *const *)e->profiles->pdata,
		.listed = (const bool *)e->listed->data,
		.count = e->profiles->len,
		.program = e->program,
		.force = force,
	};

	return profile_series_read(&request, ret);
}

/* 4: no program tells which sites are maps, or no site has a verdict. */
static int exit_status(const struct growth *growth)
{
	bool decided = growth->site_count == 0;

	for (size_t i = 0; i < growth->site_count; i++) {
		if (growth->sites[i].site->role == SITE_MAP_UNKNOWN)
			return 4;
		decided |= growth->sites[i].verdict != GROWTH_UNKNOWN;
	}
	return decided ? 0 : 4;
}

static struct error *report(const struct invocation *invocation, const struct growth_evidence *e,
			    FILE *out, int *ret_status)
{
	const struct options *options = &invocation->options;
	const struct report_style style = {.color = options->color, .width = options_width()};
	scoped(profile_series) struct profile_series *series = NULL;
	scoped(growth) struct growth *growth = NULL;

	TRY(read_series(e, options->force, &series));
	growth = growth_derive(series, e->gc);
	if (options->format == FORMAT_JSON)
		report_growth_json(growth, out);
	else
		report_growth_text(growth, options->all, &style, out);
	*ret_status = exit_status(growth);
	return NULL;
}

static struct error *growth(const struct invocation *invocation, int *ret_status)
{
	scoped(output) struct output output = {0};
	scoped(evidence) struct growth_evidence evidence = {
		.profiles = g_ptr_array_new_with_free_func(g_free),
		.listed = g_array_new(FALSE, FALSE, sizeof(bool)),
	};
	scoped(progress) struct progress progress = {0};

	TRY(output_open(invocation->options.output, &output));
	progress = progress_start("reading the profiles", &invocation->options);
	TRY(gather_growth(&evidence, invocation));
	TRY(report(invocation, &evidence, output.stream, ret_status));
	progress_stop(&progress);
	return output_commit(&output);
}

const struct command command_growth = {
	.name = "growth",
	.arguments = "PROFILE... [BINARY] [GCTRACE.LOG]",
	.summary = "tell which places make and grow maps: leak, burst, churn or steady",
	.examples = "  mapfault growth heap*.pb.gz ./server\n"
		    "  mapfault growth profiles/ ./server gctrace.log\n"
		    "  mapfault growth heap.pb.gz ./server    # where maps live now\n"
		    "  mapfault growth --json profiles/ ./server | jq '.sites[] | "
		    "select(.verdict == \"leak\")'\n",
	.about = "Reads heap or allocs profiles of one process, in any order, or directories of "
		 "them,\n"
		 "protobuf or text (debug=1). With the program, tells which sites are maps and of\n"
		 "which type: profiles alone hide it. With a GODEBUG=gctrace=1 log, tells what "
		 "the\n"
		 "collector did around each change.\n"
		 "Exit status: 0 done; 2 wrong usage; 3 unreadable evidence; 4 done, but what is\n"
		 "missing kept a verdict from being reached.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_EVIDENCE | OPTIONS_ALL,
	.arguments_min = 1,
	.arguments_max = SIZE_MAX,
	.run = growth,
};
