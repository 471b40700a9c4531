// SPDX-License-Identifier: Apache-2.0
#include "reproduce/reproduce.h"

#include "reproduce/interrupt.h"

#include <glib.h>

#define BUILD_SECONDS 300
#define FIX_SHARE     10.0 /* of the time for a run, what each fix gets */

static void plan(struct reproduction *r, unsigned go_minor, size_t first_round)
{
	const struct program_input input = {&r->verdict, go_minor, first_round, r->arena,
					    &r->outcome.notes};

	go_program_plan(&input, &r->program);
}

static struct error *write_program(const struct folder *folder, struct reproduction *r)
{
	TRY(folder_write(folder, "main.go", r->program.main_go));
	TRY(folder_write(folder, "main_test.go", r->program.main_test_go));
	TRY(folder_write(folder, "go.mod", r->program.go_mod));
	return fixes_write(&r->verdict, &r->program, r->arena, folder, &r->outcome.fixes);
}

static struct error *no_go(const char *version, const struct reproduce_options *options)
{
	return error_with_hint(
		error_new(ERROR_NOT_FOUND, place_whole(""),
			  "no Go toolchain is here to %s with%s%s",
			  options->source ? "read the module" : "build",
			  *version ? "; the crash was of go" : "", version),
		"install Go (https://go.dev/dl), or leave %s out: the program is written all "
		"the same",
		options->source ? "--source" : "--run");
}

/* The crash's own release, or the nearest with a word about it. */
static struct error *choose_toolchain(struct reproduction *r,
				      const struct reproduce_options *options,
				      const struct toolchain **ret)
{
	const char *wanted = r->verdict.go_version;
	struct toolchains toolchains;

	TRY(toolchains_find(r->arena, &toolchains));
	*ret = toolchains_exact(&toolchains, wanted);
	if (!*ret && !toolchains.count)
		return no_go(wanted, options);
	if (!*ret && options->download && *wanted) {
		options->progress("fetching the crash's own Go release");
		TRY(toolchains_fetch(&toolchains, wanted, ret));
	}
	if (*ret)
		return NULL;
	*ret = toolchains_nearest(&toolchains, wanted);
	if (*wanted)
		notes_add(&r->outcome.notes,
			  "Go %s is not on this machine: built with %s, whose runtime may behave "
			  "otherwise (--download fetches the right one)",
			  wanted, (*ret)->version);
	else
		notes_add(&r->outcome.notes,
			  "the report does not say which Go release it was: built with %s",
			  (*ret)->version);
	return NULL;
}

static struct trial_input trial_of(struct reproduction *r, const struct reproduce_options *options,
				   const struct toolchain *toolchain)
{
	return (struct trial_input){
		.verdict = &r->verdict,
		.sites = r->program.sites,
		.package = "main",
		.toolchain = toolchain,
		.mapfault = options->mapfault,
		.seconds = options->seconds,
		.arena = r->arena,
		.tried = &r->outcome.tried,
		.progress = options->progress,
	};
}

static struct error *try_program(const struct folder *folder, struct reproduction *r,
				 const struct reproduce_options *options,
				 const struct toolchain *toolchain)
{
	const struct toolchain_build build = {.folder = folder->path, .seconds = BUILD_SECONDS};
	struct trial_input trial = trial_of(r, options, toolchain);
	const struct fixes_input fixes = {folder, toolchain, options->seconds / FIX_SHARE, r->arena,
					  options->progress};

	trial.build = &build;
	TRY(trial_run(&trial, &r->outcome.trial));
	outcome_compare(&r->verdict, r->program.sites, &r->outcome);
	return fixes_run(&fixes, &r->outcome.fixes);
}

/* The user's own functions, called at once by a test that stands in their package. */
static struct error *try_source(struct reproduction *r, const struct reproduce_options *options,
				const struct toolchain *toolchain)
{
	scoped(folder) struct folder place = {NULL};
	struct trial_input trial = trial_of(r, options, toolchain);
	struct toolchain_build build = {
		.test = true, .user_module = true, .seconds = BUILD_SECONDS};

	if (!r->source.ready) {
		r->outcome.status = OUTCOME_NOT_REPRODUCED;
		notes_add(&r->outcome.tried, "nothing was run: the test needs your hand");
		return NULL;
	}
	TRY(folder_open_temporary(&place));
	TRY(source_stage(&r->source, options->source, toolchain, r->arena, &place, &build));
	trial.build = &build;
	trial.sites = r->source.sites;
	trial.package = r->source.module;
	TRY(trial_run(&trial, &r->outcome.trial));
	outcome_compare(&r->verdict, r->source.sites, &r->outcome);
	return NULL;
}

static struct error *run(const struct folder *folder, struct reproduction *r,
			 const struct reproduce_options *options, const struct toolchain *toolchain,
			 json_t *report)
{
	struct fix_trials fixes;

	if (options->source) {
		TRY(try_source(r, options, toolchain));
	} else {
		TRY(try_program(folder, r, options, toolchain));
		fixes = r->outcome.fixes;
		if (r->outcome.trial.round > 0) { // what worked comes first
			plan(r, r->program.go_minor, r->outcome.trial.round);
			TRY(write_program(folder, r));
		}
		r->outcome.fixes = fixes;
	}
	r->ran = true;
	json_object_set_new(report, "reproduction", outcome_json(&r->outcome));
	return NULL;
}

static struct error *write_report(const struct folder *folder, const json_t *report)
{
	char *text = json_dumps(report, JSON_INDENT(2));
	struct error *error;

	if (!text)
		return error_new(ERROR_SYSTEM, place_whole("report.json"), "cannot be written");
	error = folder_write(folder, "report.json", text);
	free(text);
	return error;
}

static const char *basis_word(enum side_basis basis)
{
	static const char *const words[] = {[SIDE_NAMED] = "report",
					    [SIDE_SUSPECTED] = "candidate",
					    [SIDE_STAND_IN] = "stand-in"};

	return words[basis];
}

struct error *reproduce(json_t *report, const struct reproduce_options *options,
			struct reproduction *ret)
{
	scoped(folder) struct folder folder = {NULL};
	struct outcome *outcome = &ret->outcome;
	const struct toolchain *toolchain = NULL;
	unsigned minor;

	*ret = (struct reproduction){.arena = arena_new()};
	outcome->differences.arena = outcome->tried.arena = outcome->notes.arena = ret->arena;
	outcome->directory = g_utf8_make_valid(options->directory, -1);
	outcome->go_version = "";
	outcome->trial = trial_none();
	TRY(verdict_read(report, ret->arena, &ret->verdict));
	outcome->side_from = basis_word(ret->verdict.sides[1].basis);
	interrupt_watch();
	TRY(folder_open(options->directory, &folder));
	minor = go_program_minor(&ret->verdict);
	if (options->run || options->source) {
		TRY(choose_toolchain(ret, options, &toolchain));
		minor = MIN(minor, toolchain->minor);
		outcome->go_version = toolchain->version;
	}
	plan(ret, minor, 0);
	TRY(write_program(&folder, ret));
	if (options->source) {
		const struct source_input source = {&ret->verdict, options->source,
						    toolchain,     options->seconds,
						    ret->arena,    &outcome->notes};

		options->progress("reading the module");
		TRY(source_plan(&source, &ret->source));
		TRY(source_write(&ret->source, options->directory, &folder));
	}
	if (options->run)
		TRY(run(&folder, ret, options, toolchain, report));
	TRY(write_report(&folder, report));
	return folder_commit(&folder);
}

void reproduction_done(struct reproduction *reproduction)
{
	g_free((char *)reproduction->outcome.directory);
	arena_free(reproduction->arena);
	*reproduction = (struct reproduction){NULL};
}
