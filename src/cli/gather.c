// SPDX-License-Identifier: Apache-2.0
#include "cli/gather.h"

#include "cli/recognise.h"
#include "cli/spool.h"
#include "evidence/debug/debugfile.h"
#include "evidence/file/elf_file.h"
#include "evidence/binary/match.h"
#include "model/printout/printout.h"
#include "model/process/program_open.h"

#include <limits.h>
#include <unistd.h>

static struct error *twice(const char *path, const char *first, const char *what)
{
	return error_with_hint(
		error_new(ERROR_USAGE, place_whole(path), "is a second %s, after %s", what, first),
		"give one core and the binary that produced it");
}

static struct error *add_core(struct gathered *g, const char *path, const char *name)
{
	if (gathered_process(g))
		return twice(name, gathered_process(g)->name, "core file");
	TRY(core_open(path, &g->core));
	return NULL;
}

static struct error *add_image(struct gathered *g, const char *path, const char *name)
{
	if (g->image)
		return twice(name, image_path(g->image), "program");
	return image_open(path, &g->image);
}

static struct error *add_text(struct gathered *g, const char *path, const char *name)
{
	if (g->dump_path)
		return twice(name, g->dump_name, "text of a crash");
	g->dump_path = arena_string(g->arena, text_of(path));
	g->dump_name = arena_string(g->arena, text_of(name));
	return NULL;
}

static struct error *add_profile(struct gathered *g, const char *path, const char *name)
{
	if (g->profile_count == GATHERED_PROFILES_MAX)
		return error_new(ERROR_USAGE, place_whole(name), "is one profile too many: %d fit",
				 GATHERED_PROFILES_MAX);
	TRY(profile_open(path, &g->profiles[g->profile_count]));
	g->profile_count++;
	return NULL;
}

static struct error *add_flight(struct gathered *g, const char *path, const char *name)
{
	if (g->flight)
		return twice(name, flight_path(g->flight), "file of the flight recorder");
	return flight_open(path, &g->flight);
}

static struct error *add_gzip(struct gathered *g, const char *path, const char *name)
{
	scoped(error) struct error *error = add_profile(g, path, name);

	return error ? add_text(g, path, name) : NULL;
}

static struct error *add_file(struct gathered *g, const char *path, const char *name)
{
	const char *looks_like;
	enum file_kind kind;

	TRY(file_recognise_path(path, &kind, &looks_like));
	switch (kind) {
	case FILE_CORE:
	case FILE_COMPRESSED:
		return add_core(g, path, name);
	case FILE_IMAGE:
		return add_image(g, path, name);
	case FILE_FLIGHT:
		return add_flight(g, path, name);
	case FILE_TEXT:
		return add_text(g, path, name);
	case FILE_PROFILE:
		return add_profile(g, path, name);
	case FILE_GZIP:
		return add_gzip(g, path, name);
	case FILE_REPORT:
		return error_with_hint(
			error_new(ERROR_UNRECOGNISED, place_whole(name), "%s", looks_like),
			"if it is a report, try `mapfault explain %s`", name);
	case FILE_EMPTY:
		return error_with_hint(
			error_new(ERROR_UNRECOGNISED, place_whole(name), "%s", looks_like),
			"what was to fill it wrote nothing: look there (`kubectl logs` needs -p "
			"for "
			"a container that died)");
	default:
		return error_new(ERROR_UNRECOGNISED, place_whole(name), "%s", looks_like);
	}
}

static struct error *add_argument(struct gathered *g, const char *argument)
{
	g_autofree char *spooled = NULL;

	bool input = g_str_equal(argument, "-");

	if (!input && !spool_is_pipe(argument))
		return add_file(g, argument, argument);
	TRY(input ? spool_standard_input(&spooled) : spool_pipe(argument, &spooled));
	return add_file(g, arena_string(g->arena, text_of(spooled)),
			input ? "standard input" : argument);
}

/* The kernel writes the path of a file that was since removed or replaced with this ending
 * (d_path). */
#define DELETED " (deleted)"

static struct error *find_image(struct gathered *g)
{
	const char *path = match_program_path(core_process(g->core));

	if (!path)
		return error_with_hint(error_new(ERROR_NOT_FOUND,
						 place_whole(core_process(g->core)->name),
						 "does not say which program it came from"),
				       "give the binary as well: mapfault CORE BINARY");
	if (g_str_has_suffix(path, DELETED) || access(path, R_OK) != 0)
		return error_with_hint(error_new(ERROR_NOT_FOUND,
						 place_whole(core_process(g->core)->name),
						 "came from %s, which is not here any more", path),
				       "give that very binary as well: mapfault CORE BINARY");
	return image_open(path, &g->image);
}

static struct error *open_recorded_image(struct gathered *g)
{
	const char *path = flight_facts(g->flight)->program;

	if (access(path, R_OK) == 0)
		return image_open(path, &g->image);
	return error_with_hint(error_new(ERROR_NOT_FOUND, place_whole(flight_path(g->flight)),
					 "is of %s, which is not here any more", path),
			       "give that very binary as well: mapfault RECORD BINARY");
}

static const char *build_id(struct arena *arena, const struct image *image)
{
	struct text id = image_build_id(image);
	char *hex;

	if (id.n == 0)
		return arena_string(arena, image_go_build_id(image));
	hex = arena_take(arena, 2 * id.n + 1);
	for (size_t i = 0; i < id.n; i++)
		snprintf(hex + 2 * i, 3, "%02x", (uint8_t)id.p[i]);
	return hex;
}

static struct report_evidence *list(struct gathered *g, const char *id, const char *path)
{
	struct report_evidence *evidence = &g->listed[g->listed_count++];

	*evidence = (struct report_evidence){
		.id = id, .kind = id, .path = arena_string(g->arena, text_of(path))};
	return evidence;
}

static void add_gap(struct gathered *g, struct report_evidence *evidence, struct gap gap)
{
	struct gap *gaps = arena_array(g->arena, evidence->gap_count + 1, sizeof(*gaps));

	if (evidence->gap_count)
		memcpy(gaps, evidence->gaps, evidence->gap_count * sizeof(*gaps));
	gaps[evidence->gap_count++] = gap;
	evidence->gaps = gaps;
}

const struct process *gathered_process(const struct gathered *g)
{
	if (g->live)
		return live_process(g->live);
	return g->core ? core_process(g->core) : NULL;
}

static void list_process(struct gathered *g, const struct process *process, const char *checked)
{
	struct report_evidence *listed = list(g, process->live ? "process" : "core", process->name);

	listed->arch = go_arch_name(process->arch);
	if (process->missing_bytes)
		add_gap(g, listed,
			(struct gap){"the end of the core",
				     arena_format(g->arena,
						  "the file is cut off: %llu bytes of memory "
						  "that it promises are not in it",
						  (unsigned long long)process->missing_bytes),
				     "whatever stood in the memory that is gone"});
	if (!*checked)
		add_gap(g, listed,
			(struct gap){"proof that core and binary belong together",
				     "the core kept nothing of the binary to compare",
				     "whether function names and lines are those of this process"});
}

/** The recorder's file names the program that it recorded. */
static struct error *match_flight(struct gathered *g, const struct options *options)
{
	const struct flight_facts *facts = flight_facts(g->flight);
	struct text id = image_go_build_id(g->image);
	struct report_evidence *listed = list(g, "flight", flight_path(g->flight));

	listed->build_id = arena_string(g->arena, text_of(facts->build_id));
	listed->arch = go_arch_name(facts->arch);
	if (!gathered_process(g))
		g->bias = facts->bias;
	if (options->force || (id.n && text_is(id, facts->build_id)) || !*facts->build_id)
		return NULL;
	return error_new(
		ERROR_MISMATCH, place_whole(image_path(g->image)),
		"is not the program that was recorded: its Go build ID is %.*s, that of %s is "
		"%s",
		TEXT_ARGUMENTS(id), flight_path(g->flight), facts->build_id);
}

/** A recorded process copies the record to where its core has it. */
static struct error *find_flight(struct gathered *g)
{
	const struct process *process = gathered_process(g);
	scoped(memory) struct memory *memory = memory_new();

	if (g->flight || !process)
		return NULL;
	process->add_to(process, memory);
	return flight_find(memory, &g->flight);
}

static struct error *match(struct gathered *g, const struct options *options)
{
	const struct process *process = gathered_process(g);
	const char *checked = "";

	if (process) {
		TRY(match_image(process, g->image, options->force, &g->bias, &checked));
		list_process(g, process, checked);
	}
	list(g, "binary",
	     g->live && !g->image_given ? live_program_path(g->live) : image_path(g->image))
		->build_id = build_id(g->arena, g->image);
	g->listed[g->listed_count - 1].arch = go_arch_name(image_arch(g->image));
	TRY(find_flight(g));
	return g->flight ? match_flight(g, options) : NULL;
}

/* The binary's own DWARF, else that of the debug file which a distribution split off. */
static struct error *open_debuginfo(struct gathered *g)
{
	char path[PATH_MAX];

	TRY(debuginfo_open(g->image, &g->debuginfo));
	if (g->debuginfo)
		return NULL;
	TRY(image_find_debug_file(g->image, path, sizeof(path)));
	if (!*path)
		return NULL;
	TRY(image_open(path, &g->debug_image));
	TRY(debuginfo_open(g->debug_image, &g->debuginfo));
	list(g, "debug file", path)->build_id = build_id(g->arena, g->debug_image);
	return NULL;
}

/** A goroutine profile in words is a dump where there is nothing else. */
static void take_profile_as_text(struct gathered *g)
{
	for (size_t i = 0; i < g->profile_count && !g->dump_path && !g->core; i++)
		if (g->profiles[i]->is_text && g->profiles[i]->kind == PROFILE_GOROUTINE)
			g->dump_path = g->dump_name =
				arena_string(g->arena, text_of(g->profiles[i]->path));
}

static void list_text(struct gathered *g) { list(g, "text", g->dump_name); }

static struct error *check_text(const struct dump *dump, const char *name)
{
	if (dump_goroutine_count(dump) || dump_message_count(dump))
		return NULL;
	return error_with_hint(
		error_new(ERROR_UNRECOGNISED, place_whole(name),
			  "is text, and nothing in it is a Go program's crash or goroutine dump"),
		"give the program's standard error from the time of the crash");
}

static struct error *open_text(struct gathered *g)
{
	if (!g->dump_path)
		return NULL;
	TRY(dump_read_path(g->dump_path, &g->dump));
	TRY(check_text(g->dump, g->dump_name));
	list_text(g);
	return NULL;
}

static struct error *check_need(const struct gathered *g, enum gather_need need, const char *first)
{
	if (need == NEED_CORE && !gathered_process(g))
		return error_with_hint(
			error_new(ERROR_USAGE, place_whole(first), "no core file given"),
			"a program alone shows its map operations: mapfault sites "
			"BINARY");
	if (need == NEED_DEATH && g->flight)
		return NULL;
	if (need != NEED_IMAGE && !gathered_process(g) && !g->dump)
		return error_with_hint(
			error_new(ERROR_USAGE, place_whole(first),
				  "no core file and no text of a crash given"),
			"a program alone shows its map operations: mapfault sites BINARY");
	return NULL;
}

static void list_profiles(struct gathered *g)
{
	for (size_t i = 0; i < g->profile_count; i++)
		list(g, profile_kind_name(g->profiles[i]->kind), g->profiles[i]->path);
}

static struct error *open_all(struct gathered *g, char *const *paths, size_t count,
			      enum gather_need need, const struct options *options)
{
	for (size_t i = 0; i < count; i++)
		TRY(add_argument(g, paths[i]));
	take_profile_as_text(g);
	TRY(open_text(g));
	TRY(check_need(g, need, count ? paths[0] : ""));
	list_profiles(g);
	g->image_given = g->image != NULL;
	if (!g->image && g->live)
		TRY(image_open(live_program(g->live), &g->image));
	if (!g->image && g->core)
		TRY(find_image(g));
	if (!g->image && g->flight)
		TRY(open_recorded_image(g));
	if (!g->image && g->dump)
		return NULL;
	if (!g->image)
		return error_with_hint(error_new(ERROR_USAGE, place_whole(""), "no program given"),
				       "give the Go binary");
	g->force = options->force;
	TRY(match(g, options));
	return open_debuginfo(g);
}

static struct error *text_of_input(struct dump **ret)
{
	struct text head;

	TRY(spool_peek(RECOGNISE_BYTES, &head));
	if (!file_is_words(head))
		return NULL;
	return dump_read_fd(spool_head(), STDIN_FILENO, "standard input", ret);
}

static struct error *text_of_file(const char *path, struct dump **ret)
{
	bool words;

	TRY(file_is_words_path(path, &words));
	return words ? dump_read_path(path, ret) : NULL;
}

struct error *gather_text(char *const *paths, size_t count, struct dump **ret)
{
	const char *name = "";

	*ret = NULL;
	for (size_t i = 0; i < count && !*ret; i++) {
		bool input = g_str_equal(paths[i], "-");

		if (!input && spool_is_pipe(paths[i]))
			continue; // what is read of it can't be given back
		name = input ? "standard input" : paths[i];
		TRY(input ? text_of_input(ret) : text_of_file(paths[i], ret));
	}
	return *ret ? check_text(*ret, name) : NULL;
}

struct error *gather(char *const *paths, size_t count, enum gather_need need,
		     const struct options *options, struct gathered *ret)
{
	*ret = (struct gathered){.arena = arena_new()};
	return open_all(ret, paths, count, need, options);
}

struct error *gather_live(struct live *live, char *const *paths, size_t count,
			  const struct options *options, struct gathered *ret)
{
	*ret = (struct gathered){.arena = arena_new(), .live = live};
	return open_all(ret, paths, count, NEED_CORE, options);
}

/** Frames whose lines the binary has not at their offsets were printed by another build. */
static struct error *check_text_of(const struct gathered *g, const struct program *program)
{
	const struct printout *printout = program->printout;

	if (!printout || !g->image || g->force ||
	    printout->agreement.other <= printout->agreement.same)
		return NULL;
	return error_new(ERROR_MISMATCH, place_whole(image_path(g->image)),
			 "did not print %s: %llu of its frames stand at other lines in this binary",
			 g->dump_name, (unsigned long long)printout->agreement.other);
}

struct error *gathered_program(struct gathered *g, struct program **ret)
{
	struct program_evidence evidence = {
		.image = g->image,
		.process = gathered_process(g),
		.dump = gathered_process(g) ? NULL : g->dump,
		.flight = g->flight,
		.debuginfo = g->debuginfo,
		.bias = g->bias,
		.profiles = g->profiles,
		.profile_count = g->profile_count,
	};

	TRY(program_open(&evidence, ret));
	TRY(check_text_of(g, *ret));
	for (size_t i = 0; i < g->listed_count; i++)
		g->listed[i].go_version = (*ret)->build.go_version;
	return NULL;
}

void gathered_done(struct gathered *g)
{
	debuginfo_close(g->debuginfo);
	image_close(g->debug_image);
	image_close(g->image);
	core_close(g->core);
	live_close(g->live);
	for (size_t i = 0; i < g->profile_count; i++)
		profile_close(g->profiles[i]);
	dump_close(g->dump);
	flight_close(g->flight);
	arena_free(g->arena);
	*g = (struct gathered){0};
}
