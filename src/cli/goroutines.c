// SPDX-License-Identifier: Apache-2.0
// Every goroutine with its stack, or one of them.
#include "cli/progress.h"
#include "cli/recognise.h"
#include "cli/session.h"

#include "report/goroutine_profile.h"
#include "report/lists.h"
#include "model/process/program_open.h"

static struct error *no_goroutine(uint64_t id)
{
	return error_with_hint(error_new(ERROR_USAGE, place_whole(""), "there is no goroutine %llu",
					 (unsigned long long)id),
			       "see `mapfault goroutines` for those that there are");
}

static bool dump_has(const struct dump *dump, uint64_t id)
{
	const struct roster_filter filter = {.id = id};

	for (size_t i = 0; i < dump_goroutine_count(dump); i++)
		if (roster_wants(dump, &filter, i))
			return true;
	return false;
}

/** From a text no program is rebuilt: it may hold a million goroutines. */
static struct error *list_text(const struct invocation *invocation, const struct dump *dump,
			       const struct goroutine_filter *filter)
{
	const struct options *options = &invocation->options;
	const struct report_style style = {.color = options->color, .width = options_width()};
	scoped(output) struct output output = {0};

	if (filter->id && !dump_has(dump, filter->id))
		return no_goroutine(filter->id);
	TRY(output_open(options->output, &output));
	report_roster_text(dump, filter, &style, output.stream);
	return output_commit(&output);
}

static struct error *read_text(const struct options *options, char *const *paths, size_t count,
			       struct dump **ret)
{
	scoped(progress) struct progress progress = progress_start("reading the text", options);

	return gather_text(paths, count, ret);
}

static struct error *list(const struct invocation *invocation, char *const *paths, size_t count,
			  uint64_t id)
{
	const struct options *options = &invocation->options;
	const struct goroutine_filter filter = {.id = id,
						.system = options->system,
						.each = options->all,
						.blocked = options->blocked};
	scoped(session) struct session session = {0};
	scoped(dump) struct dump *dump = NULL;

	if (options->format == FORMAT_TEXT && !options->blocked)
		TRY(read_text(options, paths, count, &dump));
	if (dump)
		return list_text(invocation, dump, &filter);
	TRY(session_open(invocation, paths, count, NEED_GOROUTINES, &session));
	if (id && !program_goroutine(session.program, id))
		return no_goroutine(id);
	if (options->format == FORMAT_JSON && session.evidence.dump)
		report_roster_json(session.evidence.dump, session.program, &filter,
				   session.output.stream);
	else if (options->format == FORMAT_JSON)
		report_goroutines_json(session.program, &filter, session.output.stream);
	else
		report_goroutines_text(session.program, &filter, &session.style,
				       session.output.stream);
	return output_commit(&session.output);
}

/* What a goroutine profile in protobuf is given with. */
struct profile_arguments {
	const char *profile, *image; /* NULL without */
	bool others;                 /* something else was given as well */
};

static struct error *look_at(const struct invocation *invocation, struct profile_arguments *ret)
{
	*ret = (struct profile_arguments){0};
	for (size_t i = 0; i < invocation->argument_count; i++) {
		const char *path = invocation->arguments[i], *looks_like;
		enum file_kind kind = FILE_UNKNOWN;

		if (!g_str_equal(path, "-"))
			TRY(file_recognise_path(path, &kind, &looks_like));
		if (kind == FILE_PROFILE && !ret->profile)
			ret->profile = path;
		else if (kind == FILE_IMAGE && !ret->image)
			ret->image = path;
		else
			ret->others = true;
	}
	return NULL;
}

static struct error *list_crowds(const struct invocation *invocation,
				 const struct goroutine_profile *profile)
{
	const struct options *options = &invocation->options;
	const struct report_style style = {.color = options->color, .width = options_width()};
	scoped(output) struct output output = {0};

	TRY(output_open(options->output, &output));
	if (options->format == FORMAT_JSON)
		report_goroutine_profile_json(profile, output.stream);
	else
		report_goroutine_profile_text(profile, &style, output.stream);
	return output_commit(&output);
}

static struct error *list_profile(const struct invocation *invocation,
				  const struct profile_arguments *arguments)
{
	scoped(image) struct image *image = NULL;
	struct program *program = NULL;
	struct goroutine_profile *profile = NULL;
	struct error *error;

	if (arguments->image) {
		TRY(image_open(arguments->image, &image));
		TRY(program_open(&(struct program_evidence){.image = image}, &program));
	}
	error = goroutine_profile_read(arguments->profile, program, invocation->options.force,
				       &profile);
	if (!error)
		error = list_crowds(invocation, profile);
	goroutine_profile_free(profile);
	if (program)
		program_close(program);
	return error;
}

static struct error *goroutines(const struct invocation *invocation, int *ret_status)
{
	struct profile_arguments arguments;

	TRY(look_at(invocation, &arguments));
	if (arguments.profile && !arguments.others && !invocation->options.blocked)
		return list_profile(invocation, &arguments);
	return list(invocation, invocation->arguments, invocation->argument_count, 0);
}

static struct error *goroutine(const struct invocation *invocation, int *ret_status)
{
	guint64 id;

	if (!g_ascii_string_to_unsigned(invocation->arguments[0], 10, 1, UINT64_MAX, &id, NULL))
		return error_with_hint(error_new(ERROR_USAGE, place_whole(""),
						 "\"%s\" is no goroutine's number",
						 invocation->arguments[0]),
				       "mapfault goroutine 18 CORE BINARY");
	return list(invocation, invocation->arguments + 1, invocation->argument_count - 1, id);
}

const struct command command_goroutines = {
	.name = "goroutines",
	.arguments = "CORE|TEXT|PROFILE [BINARY]",
	.summary = "list goroutines, grouped by equal stacks",
	.examples =
		"  mapfault goroutines core ./server\n"
		"  kubectl logs -p pod | mapfault goroutines -\n"
		"  mapfault goroutines --all core ./server\n"
		"  mapfault goroutines goroutine.pb.gz ./server    # of /debug/pprof/goroutine\n"
		"  mapfault goroutines -p $(pidof server)     # as it runs\n"
		"  mapfault goroutines --json core ./server | jq '.goroutines[].state'\n",
	.about = "The largest group comes first, with how long its goroutines have waited.\n"
		 "A goroutine profile has counts, stacks and labels; no numbers, states or waits.\n"
		 "The runtime's own goroutines are left out without --system.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_EVIDENCE | OPTIONS_PROCESS | OPTIONS_ALL | OPTIONS_SYSTEM,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = goroutines,
};

const struct command command_goroutine = {
	.name = "goroutine",
	.arguments = "N CORE|TEXT [BINARY]",
	.summary = "show one goroutine",
	.examples = "  mapfault goroutine 18 core ./server\n"
		    "  mapfault goroutine 18 -p $(pidof server)\n",
	.about = "N is the goroutine's number, as crash output and reports have it.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_EVIDENCE | OPTIONS_PROCESS,
	.arguments_min = 2,
	.arguments_max = 3,
	.run = goroutine,
};
