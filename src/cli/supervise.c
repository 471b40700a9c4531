// SPDX-License-Identifier: Apache-2.0
// The life of a watched process: armed, then run, perhaps stopped at its fatal, always let go.
#include "findings/derive.h"
#include "cli/supervise.h"

#include "cli/fatal_entry.h"
#include "cli/hold.h"
#include "cli/output.h"
#include "cli/put_recorder.h"
#include "record/core_write.h"
#include "record/map_watch.h"
#include "report/report.h"
#include "model/process/program_open.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define WAIT_MS 200 /* for the other side to come again */

struct supervision {
	const struct options *options;
	struct tracee *tracee;
	struct fatal_stop stop;
	struct recorder *recorder; // put in by --record
	char *report;              // of the verdict, until the process has had its own last words
	size_t report_size;
	struct supervised result;
};

int supervise_detach_signal(void) { return SIGRTMIN + 3; }

static void note(const struct supervision *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void note(const struct supervision *s, const char *format, ...)
{
	va_list arguments;

	if (s->options->quiet)
		return;
	fputs("mapfault: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

/** Its file has served, whether the process ended or was let go. */
static void forget_recorder(struct supervision *s)
{
	if (s->recorder)
		recorder_discard(s->recorder);
	recorder_free(s->recorder);
	s->recorder = NULL;
}

/** In a program that has just begun, or in a process that stands where it was found. */
static void record_if_wanted(struct supervision *s, bool fresh)
{
	scoped(error) struct error *error = NULL;

	forget_recorder(s); // an exec has done away with it
	if (!s->options->record)
		return;
	error = tracee_stop(s->tracee);
	if (!error)
		error = put_recorder(s->tracee, s->options, !fresh, &s->recorder);
	if (error)
		note(s, "%s; watching without the recorder", error_text(error));
}

/** A process that runs on is to have nothing of it; in one that stands at its fatal error it may stay. */
static void take_recorder_out(struct supervision *s)
{
	scoped(error) struct error *error = NULL;

	if (!s->recorder || !tracee_is_held(s->tracee) || s->result.verdict)
		return;
	error = tracee_stop(s->tracee);
	if (!error)
		error = recorder_remove(s->tracee);
	if (error)
		note(s, "the recorder stays in %s: %s", tracee_name(s->tracee), error_text(error));
}

/** Of the program that the process is now. Nothing of the process is changed. */
static struct error *find_entries(struct supervision *s)
{
	scoped(gathered) struct gathered gathered = {0};
	struct live *live;

	fatal_stop_forget(&s->stop);
	TRY(live_open(tracee_pid(s->tracee), NULL, 0, &live));
	TRY(gather_live(live, NULL, 0, s->options, &gathered));
	return fatal_entries(&gathered, &s->stop);
}

/** The runtime of a program that has just begun handles traps when it makes its first thread. */
static struct error *arm(struct supervision *s)
{
	bool early;

	TRY(tracee_stop(s->tracee));
	TRY(fatal_stop_arm(&s->stop, s->tracee, &early));
	tracee_tell_births(s->tracee, early);
	if (s->stop.unshielded)
		note(s, "should mapfault be killed, that could end %s: %s", tracee_name(s->tracee),
		     error_text(s->stop.unshielded));
	return NULL;
}

/**
 * A child may become a Go program later, as one that a script starts by exec.
 * @param fresh  it stands at its first instruction
 */
static struct error *arm_if_go(struct supervision *s, bool fresh)
{
	struct error *error = find_entries(s);

	tracee_tell_births(s->tracee, !error && fresh);
	if (!error)
		record_if_wanted(s, fresh);
	if (!error && !fresh)
		error = arm(s);
	if (!error || !tracee_is_child(s->tracee) || error_code(error) == ERROR_REFUSED)
		return error;
	fatal_stop_disarm(&s->stop, s->tracee);
	note(s, "%s; watching on, in case it executes one that is", error_text(error));
	error_free(error);
	return NULL;
}

static void let_go(struct supervision *s, bool stopped)
{
	take_recorder_out(s);
	fatal_stop_disarm(&s->stop, s->tracee);
	error_free(stopped ? tracee_detach_stopped(s->tracee) : tracee_detach(s->tracee));
}

static struct error *save_core(struct supervision *s, pid_t tid)
{
	scoped(output) struct output output = {0};

	if (!s->options->core)
		return NULL;
	TRY(output_open(s->options->core, &output));
	TRY(core_write(s->tracee, tid, SIGABRT, output.stream));
	return output_commit(&output);
}

/** What was seen, and how sure the other side is. */
struct scene {
	struct gathered gathered;
	struct program *program;
	struct findings *findings;
};

static void scene_done(struct scene *scene)
{
	findings_free(scene->findings);
	if (scene->program)
		program_close(scene->program);
	gathered_done(&scene->gathered);
	*scene = (struct scene){0};
}

static enum confidence other_side(const struct scene *scene)
{
	return scene->findings->other ? scene->findings->other->confidence : CONFIDENCE_UNKNOWN;
}

static void render(struct supervision *s, const struct scene *scene)
{
	const struct report_input input = {scene->findings, scene->gathered.listed,
					   scene->gathered.listed_count};
	const struct report_style style = {.color = options_color_on(s->options, STDERR_FILENO),
					   .width = options_width(),
					   .source_root = s->options->source_root};
	FILE *memory;

	free(s->report);
	memory = open_memstream(&s->report, &s->report_size);
	if (s->options->format == FORMAT_JSON)
		report_json(&input, memory);
	else
		report_text(&input, &style, memory);
	fclose(memory);
	s->result.verdict = true;
	s->result.fail = s->options->fail && scene->findings->confidence >= s->options->fail_on;
}

static struct error *look(struct supervision *s, pid_t tid, struct process_later later,
			  struct scene *ret)
{
	g_autofree char *record = s->recorder ? g_strdup(recorder_path(s->recorder)) : NULL;
	struct live *live;

	TRY(hold_evidence(s->tracee, tid, &live));
	live_set_later(live, later);
	TRY(gather_live(live, &record, record != NULL, s->options, &ret->gathered));
	TRY(gathered_program(&ret->gathered, &ret->program));
	ret->findings = findings_derive(ret->program);
	return NULL;
}

/**
 * The detector is held inside its operation, the others run on for a moment: whoever writes the map now has no lock in
 * common with it. What is seen then counts when it is surer.
 */
static struct error *look_again(struct supervision *s, pid_t tid, const struct scene *first)
{
	scoped(plan) struct plan *plan = NULL;
	struct scene second = {0};
	uint64_t begun_ns = (uint64_t)g_get_monotonic_time() * 1000;
	struct error *error;
	struct process_later later = {.map = first->findings->map.address};
	bool more;

	TRY(plan_make(first->gathered.image, &(struct plan_options){.bias = first->gathered.bias},
		      &plan));
	TRY(map_watch_await_write(s->tracee, plan, later.map, tid, WAIT_MS, &later.tid, &more));
	if (!more)
		return NULL;
	later.ns = (uint64_t)g_get_monotonic_time() * 1000 - begun_ns;
	error = look(s, tid, later, &second);
	if (!error && other_side(&second) > other_side(first))
		render(s, &second);
	scene_done(&second);
	return error;
}

static bool is_worth_another(const struct supervision *s, const struct scene *scene)
{
	return !s->recorder && scene->findings->detector && scene->findings->map.address &&
	       other_side(scene) < CONFIDENCE_PROVEN;
}

/** The core is of the first moment. */
static struct error *take_verdict(struct supervision *s, pid_t tid)
{
	struct scene scene = {0};
	struct error *error = look(s, tid, (struct process_later){0}, &scene), *second;

	if (!error)
		render(s, &scene);
	second = save_core(s, tid);
	if (!error && is_worth_another(s, &scene))
		error_free(look_again(s, tid, &scene)); // the first look stands
	scene_done(&scene);
	if (!error)
		return second;
	error_free(second);
	return error;
}

static void say_times(const struct supervision *s)
{
	struct tracee_times times = tracee_times(s->tracee);
	uint64_t now = (uint64_t)g_get_monotonic_time() * 1000;

	note(s,
	     "%s reached its fatal error: all threads stood after %.0f us, the verdict took %.1f "
	     "ms",
	     tracee_name(s->tracee), (double)(times.stopped_ns - times.hit_ns) / 1e3,
	     (double)(now - times.stopped_ns) / 1e6);
}

static void say_held(const struct supervision *s)
{
	int pid = tracee_pid(s->tracee);

	fprintf(stderr,
		"mapfault: process %d is held at its fatal error\n"
		"  look:   gdb -p %d    or    dlv attach %d\n"
		"  let go: kill -CONT %d\n",
		pid, pid, pid, pid);
}

/** All stand; the rest of the machine shall not wait for the verdict. */
static void be_ordinary(void)
{
	const struct sched_param ordinary = {0};

	sched_setscheduler(0, SCHED_OTHER, &ordinary);
}

/** At the fatal of a map: the verdict, the core, and then it goes its way. */
static struct error *at_fatal(struct supervision *s, pid_t tid)
{
	struct error *error;

	be_ordinary();
	error = take_verdict(s, tid);
	say_times(s);
	let_go(s, s->options->hold);
	if (s->options->hold)
		say_held(s);
	return error;
}

static const int passed_on[] = {SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM, SIGUSR1,
				SIGUSR2, SIGTSTP, SIGWINCH, SIGCONT};

/** A terminal sends to the child, too; what somebody sent to this process alone is meant for the child. */
static void on_signal(struct supervision *s, const struct tracee_event *event)
{
	if (event->signal == supervise_detach_signal()) {
		let_go(s, false);
		note(s, "let go of %s, which runs on", tracee_name(s->tracee));
	} else if (tracee_is_child(s->tracee)) {
		if (event->sent)
			kill(tracee_pid(s->tracee), event->signal);
	} else if (event->signal != SIGCONT && event->signal != SIGWINCH) {
		let_go(s, false);
		note(s, "let go of %s, which runs on", tracee_name(s->tracee));
	}
}

/** The shell is to see its job stopped, and to continue it as one. */
static void on_suspended(const struct supervision *s)
{
	if (!tracee_is_child(s->tracee))
		return;
	raise(SIGSTOP);
	kill(tracee_pid(s->tracee), SIGCONT);
}

static struct error *on_event(struct supervision *s, const struct tracee_event *event)
{
	switch (event->kind) {
	case TRACEE_BREAKPOINT:
		if (fatal_stop_kind(s->tracee, event->tid) != MAP_FATAL_NONE)
			return at_fatal(s, event->tid);
		return NULL;
	case TRACEE_EXEC:
		return arm_if_go(s, true);
	case TRACEE_BIRTH:
		return arm(s);
	case TRACEE_SIGNALLED:
		on_signal(s, event);
		return NULL;
	case TRACEE_SUSPENDED:
		on_suspended(s);
		return NULL;
	case TRACEE_ENDED:
		s->result.ended = true;
		s->result.status = event->status;
		return NULL;
	default:
		return NULL;
	}
}

/** A process that is no child and was let go at the request of somebody is not waited for. */
static bool is_over(const struct supervision *s)
{
	return s->result.ended ||
	       (!tracee_is_held(s->tracee) && !tracee_is_child(s->tracee) && !s->result.verdict) ||
	       (s->options->hold && s->result.verdict && !tracee_is_child(s->tracee));
}

static struct error *follow(struct supervision *s)
{
	struct error *first = arm_if_go(s, tracee_is_child(s->tracee));

	if (!first && !tracee_is_child(s->tracee))
		note(s, "watching %s until it ends; Ctrl-C lets go of it", tracee_name(s->tracee));
	while (!first && !is_over(s)) {
		struct tracee_event event = {0};

		first = tracee_resume(s->tracee);
		if (!first)
			first = tracee_wait(s->tracee, -1, &event);
		if (!first)
			first = on_event(s, &event);
	}
	let_go(s, false);
	return first;
}

static struct error *write_report(struct supervision *s)
{
	scoped(output) struct output output = {0};

	if (!s->report)
		return NULL;
	if (!s->options->output) {
		fwrite(s->report, 1, s->report_size, stderr);
		return NULL;
	}
	TRY(output_open(s->options->output, &output));
	fwrite(s->report, 1, s->report_size, output.stream);
	return output_commit(&output);
}

/** Where that is allowed: the sooner this wakes, the fresher the scene. */
static void be_prompt(void)
{
	const struct sched_param first = {.sched_priority = 1};

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first) != 0)
		setpriority(PRIO_PROCESS, 0, -10);
}

struct error *supervise_check(const struct options *options)
{
	if (options->record || (!options->allocs && !options->reads))
		return NULL;
	return error_with_hint(error_new(ERROR_USAGE, place_whole(""),
					 "%s is an option of the flight recorder",
					 options->reads ? "--reads" : "--allocs"),
			       "add --record");
}

struct error *supervise(const struct invocation *invocation, struct tracee *tracee,
			struct supervised *ret)
{
	struct supervision s = {
		.options = &invocation->options, .tracee = tracee, .stop = FATAL_STOP_NONE};
	const int detach_signal = supervise_detach_signal();
	struct error *error, *second;

	tracee_catch(tracee, passed_on, G_N_ELEMENTS(passed_on));
	tracee_catch(tracee, &detach_signal, 1);
	be_prompt();
	error = follow(&s);
	second = write_report(&s);
	forget_recorder(&s);
	free(s.report);
	*ret = s.result;
	if (!error)
		return second;
	error_free(second);
	return error;
}
