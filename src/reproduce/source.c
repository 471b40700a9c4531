// SPDX-License-Identifier: Apache-2.0
// Go reads Go: the module is looked through by a small Go program (templates/source.go.txt), which has
// the language's own parser.
#include "reproduce/source.h"

#include "reproduce/child.h"
#include "reproduce/template.h"

#include <glib.h>
#include <unistd.h>

#define READ_SECONDS    300
#define COPY_SECONDS    120
#define GO_WITH_OVERLAY 16

static json_t *frame_json(const struct verdict_frame *frame)
{
	return json_pack("{s:s, s:s, s:i}", "function", frame->function, "file", frame->file,
			 "line", (int)frame->line);
}

/* The site, then the stack. A party may have left its site when the evidence was made. */
static json_t *frames_json(const struct verdict_side *side)
{
	json_t *frames = json_array();

	if (*side->site.function)
		json_array_append_new(frames, frame_json(&side->site));
	for (size_t i = 0; i < side->frame_count; i++)
		json_array_append_new(frames, frame_json(&side->frames[i]));
	return frames;
}

static char *question(const struct source_input *input, const char *module)
{
	const struct verdict_side *sides = input->verdict->sides;
	json_t *object =
		json_pack("{s:s, s:s, s:i, s:[{s:o}, {s:o}]}", "module", module, "owner",
			  input->verdict->owner_path, "seconds", (int)input->seconds, "sides",
			  "frames", frames_json(&sides[0]), "frames", frames_json(&sides[1]));
	char *text = object ? json_dumps(object, 0) : NULL;

	json_decref(object);
	return text;
}

static struct error *ask(const struct source_input *input, const char *module, json_t **ret)
{
	scoped(folder) struct folder place = {NULL};
	scoped(child_result) struct child_result result = {NULL};
	g_autofree char *go = g_build_filename(input->toolchain->root, "bin", "go", NULL);
	const char *const arguments[] = {go, "run", "main.go", "question.json", NULL};
	g_auto(GStrv) environment = toolchain_environment(input->toolchain, false, false);
	struct child_request request = {.arguments = arguments, .seconds = READ_SECONDS};
	char *text = question(input, module);
	g_autofree char *words = NULL;
	struct error *error;

	if (!text)
		return error_new(ERROR_USAGE, place_whole(input->module), "its path is not UTF-8");
	error = folder_open_temporary(&place);
	if (!error)
		error = folder_write(&place, "question.json", text);
	free(text);
	if (error)
		return error;
	TRY(folder_write(&place, "main.go", template_text("source.go")));
	environment = g_environ_setenv(environment, "TMPDIR", place.path, TRUE);
	environment = g_environ_setenv(environment, "GO111MODULE", "off", TRUE);
	request.environment = (const char *const *)environment;
	request.folder = place.path;
	TRY(child_run(&request, &result));
	*ret = json_loads(result.output, JSON_DISABLE_EOF_CHECK, NULL);
	if (*ret)
		return NULL;
	words = child_result_words(&result);
	return toolchain_said(error_new(ERROR_SYSTEM, place_whole(input->module),
					"could not be looked through: %s", words),
			      words, "see what the go command says above");
}

static struct error *read_answer(const struct source_input *input, const json_t *answer,
				 struct source_plan *ret)
{
	const json_t *needs = json_object_get(answer, "needs");
	const json_t *sites = json_object_get(answer, "sites");
	const char *problem = report_text_at(answer, "error");
	struct arena *arena = input->arena;
	size_t i;
	json_t *one;

	if (*problem)
		return error_with_hint(
			error_new(ERROR_NOT_FOUND, place_whole(input->module), "%s", problem),
			"give --source the folder of the crashed program's own module, with its "
			"go.mod");
	ret->module = arena_string(arena, text_of(report_text_at(answer, "module")));
	ret->package = arena_string(arena, text_of(report_text_at(answer, "package")));
	ret->folder = arena_string(arena, text_of(report_text_at(answer, "folder")));
	ret->test = arena_string(arena, text_of(report_text_at(answer, "test")));
	ret->ready = json_array_size(needs) == 0 && json_array_size(sites) == 2;
	json_array_foreach(needs, i, one)
		notes_add(input->notes, "by hand: %s", json_string_value(one));
	json_array_foreach(sites, i, one)
	{
		unsigned line = (unsigned)report_number_at(one, "line");

		if (i < 2)
			ret->sites[i] = (struct program_site){
				arena_string(arena, text_of(report_text_at(one, "function"))),
				false, arena_string(arena, text_of(report_text_at(one, "file"))),
				line, line};
	}
	return NULL;
}

struct error *source_plan(const struct source_input *input, struct source_plan *ret)
{
	g_autofree char *module = realpath(input->module, NULL);
	json_t *answer = NULL;
	struct error *error;

	*ret = (struct source_plan){.sites = {{"", false, "", 0, 0}, {"", false, "", 0, 0}}};
	if (!module)
		return error_new(ERROR_NOT_FOUND, place_whole(input->module),
				 "there is no such folder");
	TRY(ask(input, module, &answer));
	error = read_answer(input, answer, ret);
	json_decref(answer);
	return error;
}

static char *overlay_text(const char *place, const char *file)
{
	json_t *overlay = json_pack("{s:{s:s}}", "Replace", place, file);
	char *text = overlay ? json_dumps(overlay, JSON_INDENT(2)) : NULL;

	json_decref(overlay);
	return text;
}

static struct error *write_overlay(const struct source_plan *plan, const char *file,
				   const char *name, const struct folder *folder)
{
	g_autofree char *place = g_build_filename(plan->folder, SOURCE_TEST_FILE, NULL);
	char *overlay = overlay_text(place, file);
	struct error *error;

	if (!overlay)
		return error_new(ERROR_USAGE, place_whole(file), "its path is not UTF-8");
	error = folder_write(folder, name, overlay);
	free(overlay);
	return error;
}

struct error *source_write(const struct source_plan *plan, const char *target,
			   const struct folder *folder)
{
	g_autofree char *absolute = g_canonicalize_filename(target, NULL);
	g_autofree char *file = g_build_filename(absolute, "source", SOURCE_TEST_FILE, NULL);

	TRY(folder_write(folder, "source/" SOURCE_TEST_FILE, plan->test));
	return write_overlay(plan, file, "source/overlay.json", folder);
}

/* Go before 1.16 knows no overlays: it gets a copy of the module. */
static struct error *stage_copy(const struct source_plan *plan, const char *module,
				struct arena *arena, const struct folder *place,
				struct toolchain_build *ret)
{
	g_autofree char *from = realpath(module, NULL);
	g_autofree char *copy = g_build_filename(place->path, "module", NULL);
	const char *const arguments[] = {"cp", "-RP", "--", from, copy, NULL};
	const struct child_request request = {.arguments = arguments, .seconds = COPY_SECONDS};
	scoped(child_result) struct child_result result = {NULL};
	g_autofree char *words = NULL;
	const char *below = plan->folder + (from ? strlen(from) : 0);
	g_autofree char *name = g_strdup_printf("module%s/" SOURCE_TEST_FILE, below);

	TRY(child_run(&request, &result));
	words = child_result_words(&result);
	if (result.exit_status != 0)
		return toolchain_said(
			error_new(ERROR_SYSTEM, place_whole(module), "could not be copied: %s",
				  words),
			words,
			"Go before 1.16 needs a copy: see that all of the module can be read");
	ret->folder = arena_format(arena, "%s%s", copy, below);
	return folder_write(place, name, plan->test);
}

struct error *source_stage(const struct source_plan *plan, const char *module,
			   const struct toolchain *toolchain, struct arena *arena,
			   const struct folder *place, struct toolchain_build *ret)
{
	g_autofree char *file = g_build_filename(place->path, SOURCE_TEST_FILE, NULL);

	if (toolchain->minor < GO_WITH_OVERLAY)
		return stage_copy(plan, module, arena, place, ret);
	TRY(folder_write(place, SOURCE_TEST_FILE, plan->test));
	TRY(write_overlay(plan, file, "overlay.json", place));
	ret->overlay = arena_format(arena, "%s/overlay.json", place->path);
	ret->folder = plan->folder;
	return NULL;
}
