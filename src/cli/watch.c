// SPDX-License-Identifier: Apache-2.0
// Watches the writes of one map of a running process.
#include "findings/derive.h"
#include "cli/fatal_entry.h"
#include "cli/hold.h"
#include "cli/output.h"
#include "cli/supervise.h"
#include "model/data/reachability.h"
#include "record/map_watch.h"
#include "report/watch.h"
#include "model/stack/unwind.h"
#include "model/process/program_open.h"

#include <signal.h>
#include <unistd.h>

#define CHOICE_MAX     20
#define GOROUTINES_MAX 2000 /* asked whether they reach a map */
#define HOPS           3
#define NS_PER_SECOND  1000000000ull

struct watching {
	const struct options *options;
	struct tracee *tracee;
	struct gathered gathered;
	struct program *program; /* as it stood at the beginning: types and names are of it */
	struct map_found map;
	struct fatal_stop stop;
	char *verdict;
	size_t verdict_size;
};

/* --- which map --- */

static struct error *read_address(const char *text, uint64_t *ret)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(text + (g_str_has_prefix(text, "0x") ? 2 : 0), 16, 1,
					UINT64_MAX, &value, NULL))
		return error_new(ERROR_USAGE, place_whole(""), "--map: \"%s\" is no address", text);
	*ret = value;
	return NULL;
}

static bool matches(const struct map_found *map, const char *type)
{
	return !type || (map->type && g_str_equal(map->type->name, type));
}

static size_t reached_by(struct program *program, uint64_t map)
{
	struct reachability *reachability = reachability_new(program, map);
	size_t count = 0;

	for (size_t i = 0; i < program->live_count && i < GOROUTINES_MAX; i++) {
		program_stack(program, &program->goroutines[i]);
		count += reachability_from_stack(reachability, &program->goroutines[i], HOPS);
	}
	reachability_free(reachability);
	return count;
}

static int most_entries(const void *a, const void *b)
{
	const struct map_found *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : 0;
}

static struct error *list(struct watching *w, struct map_found *maps, size_t count)
{
	const struct report_style style = {.color = options_color_on(w->options, STDERR_FILENO),
					   .width = options_width()};
	size_t reached[CHOICE_MAX];

	qsort(maps, count, sizeof(*maps), most_entries);
	for (size_t i = 0; i < count && i < CHOICE_MAX; i++)
		reached[i] = reached_by(w->program, maps[i].address);
	if (count)
		report_watch_choice(maps, reached, MIN(count, CHOICE_MAX), &style, stderr);
	if (!count && w->options->type)
		return error_with_hint(error_new(ERROR_NOT_FOUND, place_whole(""),
						 "no map of type %s was found", w->options->type),
				       "see `mapfault maps -p %d`", (int)w->options->pid);
	if (!count)
		return error_with_hint(error_new(ERROR_NOT_FOUND, place_whole(""),
						 "no maps were found by the program's variables"),
				       "give the address of one with --map");
	return error_with_hint(
		error_new(ERROR_USAGE, place_whole(""), "which of these %zu maps%s?", count,
			  count > CHOICE_MAX ? ", of which the largest are listed" : ""),
		"mapfault watch -p %d --map ADDRESS", (int)w->options->pid);
}

static struct error *by_address(struct watching *w, const struct map_found *maps, size_t count)
{
	struct go_map header;
	uint64_t address;

	TRY(read_address(w->options->map, &address));
	for (size_t i = 0; i < count; i++)
		if (maps[i].address == address) {
			w->map = maps[i];
			return NULL;
		}
	if (!map_read(w->program, address, &header))
		return error_with_hint(
			error_new(ERROR_NOT_FOUND, place_whole(""), "no map stands at %#llx",
				  (unsigned long long)address),
			"see `mapfault maps -p %d` for those that there are", (int)w->options->pid);
	w->map = (struct map_found){.address = address, .owner = "", .count = header.count};
	return NULL;
}

static struct error *choose(struct watching *w)
{
	const struct map_found *all;
	size_t count = maps_reachable(w->program, &all), fit = 0;
	g_autofree struct map_found *maps = g_new0(struct map_found, count + 1);

	if (w->options->map)
		return by_address(w, all, count);
	for (size_t i = 0; i < count; i++)
		if (matches(&all[i], w->options->type))
			maps[fit++] = all[i];
	if (fit != 1)
		return list(w, maps, fit);
	w->map = maps[0];
	return NULL;
}

/* --- the watch --- */

static bool is_map_fatal(struct tracee *tracee, pid_t tid)
{
	return fatal_stop_kind(tracee, tid) != MAP_FATAL_NONE;
}

static struct error *arm(struct watching *w)
{
	bool early;

	TRY(fatal_entries(&w->gathered, &w->stop));
	TRY(fatal_stop_arm(&w->stop, w->tracee, &early));
	if (!early && !w->stop.unshielded)
		return NULL;
	return error_with_hint(
		error_new(ERROR_UNSUPPORTED, place_whole(tracee_name(w->tracee)),
			  "cannot be watched in a way that a killed mapfault would not harm: %s",
			  early ? "its runtime has not started yet"
				: error_text(w->stop.unshielded)),
		"`mapfault record -p %d` watches without debug registers", (int)w->options->pid);
}

/** The same verdict as `attach` takes. Tells whether it is about the watched map. */
static struct error *at_fatal(struct watching *w, pid_t tid, bool *ret_same)
{
	const struct report_style style = {.color = options_color_on(w->options, STDOUT_FILENO),
					   .width = options_width(),
					   .source_root = w->options->source_root};
	scoped(gathered) struct gathered gathered = {0};
	scoped(findings) struct findings *findings = NULL;
	struct report_input input;
	struct program *program;
	struct live *live;
	FILE *memory;

	TRY(hold_evidence(w->tracee, tid, &live));
	TRY(gather_live(live, NULL, 0, w->options, &gathered));
	TRY(gathered_program(&gathered, &program));
	findings = findings_derive(program);
	*ret_same = findings->map.address == w->map.address;
	input = (struct report_input){findings, gathered.listed, gathered.listed_count};
	memory = open_memstream(&w->verdict, &w->verdict_size);
	fputc('\n', memory);
	report_text(&input, &style, memory);
	fclose(memory);
	program_close(program);
	return NULL;
}

static struct error *run(struct watching *w, const struct plan *plan, struct map_watch *watch)
{
	pid_t fatal;
	bool same = false;

	TRY(arm(w));
	if (!w->options->quiet)
		fprintf(stderr, "mapfault: watching map %#llx of %s; Ctrl-C ends that\n",
			(unsigned long long)w->map.address, tracee_name(w->tracee));
	TRY(map_watch_run(watch, is_map_fatal, &fatal));
	if (!fatal)
		return NULL;
	TRY(at_fatal(w, fatal, &same));
	if (same)
		map_watch_give_up(watch, fatal);
	return NULL;
}

static struct error *write_report(struct watching *w, const struct watch_log *log, bool swiss)
{
	const struct report_style style = {.color = w->options->color, .width = options_width()};
	const struct watch_report report = {
		.process = tracee_name(w->tracee),
		.map = w->map.address,
		.swiss = swiss,
		.type = w->map.type ? w->map.type->name : "",
		.owner = w->map.owner,
		.log = log,
	};
	scoped(output) struct output output = {0};

	TRY(output_open(w->options->output, &output));
	if (w->options->format == FORMAT_JSON)
		report_watch_json(&report, output.stream);
	else
		report_watch_text(&report, &style, output.stream);
	if (w->verdict && w->options->format != FORMAT_JSON)
		fwrite(w->verdict, 1, w->verdict_size, output.stream);
	return output_commit(&output);
}

/** The process runs on before anything is printed. */
static struct error *watch_map(struct watching *w)
{
	const struct options *options = w->options;
	scoped(plan) struct plan *plan = NULL;
	scoped(map_watch) struct map_watch *watch = NULL;
	struct map_watch_request request;
	struct error *error;

	TRY(plan_make(w->gathered.image, &(struct plan_options){.bias = w->gathered.bias}, &plan));
	request = (struct map_watch_request){
		.map = w->map.address,
		.plan = plan,
		.tables = w->program->tables,
		.table_count = w->program->module_count,
		.events_max = (size_t)options->events,
		.ns_max = (uint64_t)options->seconds * NS_PER_SECOND,
	};
	watch = map_watch_new(w->tracee, &request);
	error = run(w, plan, watch);
	fatal_stop_disarm(&w->stop, w->tracee);
	error_free(tracee_detach(w->tracee));
	if (error)
		return error;
	return write_report(w, map_watch_log(watch), plan->swiss);
}

static void catch_signals(struct tracee *tracee)
{
	const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT, supervise_detach_signal()};

	tracee_catch(tracee, signals, G_N_ELEMENTS(signals));
}

static struct error *open_and_watch(struct watching *w)
{
	struct live *live;

	TRY(tracee_attach(w->options->pid, &w->tracee));
	catch_signals(w->tracee);
	TRY(hold_evidence(w->tracee, 0, &live));
	TRY(gather_live(live, NULL, 0, w->options, &w->gathered));
	TRY(gathered_program(&w->gathered, &w->program));
	TRY(choose(w));
	return watch_map(w);
}

static struct error *trace(const struct options *options)
{
	struct watching w = {.options = options, .stop = FATAL_STOP_NONE};
	struct error *error = open_and_watch(&w);

	if (w.tracee) {
		fatal_stop_disarm(&w.stop, w.tracee);
		tracee_close(w.tracee);
	}
	if (w.program)
		program_close(w.program);
	gathered_done(&w.gathered);
	free(w.verdict);
	return error;
}

static struct error *watch(const struct invocation *invocation, int *ret_status)
{
	const struct options *options = &invocation->options;

	if (options->pid <= 0)
		return error_with_hint(
			error_new(ERROR_USAGE, place_whole(""), "watch: which process?"),
			"mapfault watch -p PID");
	if (options->map && options->type)
		return error_new(ERROR_USAGE, place_whole(""),
				 "--map and --type are two ways to choose one map: give one");
	return trace(options);
}

const struct command command_watch = {
	.name = "watch",
	.arguments = "-p PID",
	.summary = "see each write of one map of a running process begin and end",
	.examples =
		"  mapfault watch -p $(pidof server)                    # lists its maps\n"
		"  mapfault watch -p $(pidof server) --map 0xc000012340\n"
		"  mapfault watch -p $(pidof server) --type 'map[string]*cart.Cart' --seconds 5\n",
	.about = "A hardware watchpoint on the map's writing flag: who wrote, where, for how long, "
		 "and\n"
		 "whether two were inside at once, which is a proof. A write takes some 50 us "
		 "longer "
		 "while\n"
		 "the map is watched, so a program that races on it may well die of it then; that "
		 "is\n"
		 "caught, and both sides are named. x86-64, Go 1.9 to 1.27.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_SOURCE | OPTIONS_PROCESS | OPTIONS_WATCH,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = watch,
};
