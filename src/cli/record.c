// SPDX-License-Identifier: Apache-2.0
// The flight recorder, put into a program that is started or into a process that runs, and read when it has ended.
#include "findings/derive.h"
#include "cli/command.h"

#include "cli/gather.h"
#include "cli/output.h"
#include "cli/put_recorder.h"
#include "evidence/recorded/flight.h"
#include "report/report.h"
#include "report/shared_map.h"
#include "model/process/program_open.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNALLED     128 /* added to a signal's number, as shells do */
#define LOOK_AGAIN_NS 100000000

static const int terminal_signals[] = {SIGINT, SIGQUIT},
		 other_signals[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

static volatile sig_atomic_t passed_on_to, interrupted;

static void pass_on(int number)
{
	interrupted = number;
	if (passed_on_to)
		kill((pid_t)passed_on_to, number);
}

/** The terminal's signals reach the program by themselves; others are passed on to it. */
static void take_signals(pid_t child)
{
	struct sigaction action = {.sa_handler = pass_on}, ignore = {.sa_handler = SIG_IGN};

	passed_on_to = child;
	for (size_t i = 0; i < G_N_ELEMENTS(terminal_signals); i++)
		sigaction(terminal_signals[i], child ? &ignore : &action, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(other_signals); i++)
		sigaction(other_signals[i], &action, NULL);
}

static void write_verdict(const struct findings *findings, const struct gathered *gathered,
			  const struct options *options, FILE *out)
{
	const struct report_input input = {findings, gathered->listed, gathered->listed_count};
	const struct report_style style = {.color = options->color && isatty(fileno(out)),
					   .width = options_width(),
					   .source_root = options->source_root};

	if (options->format == FORMAT_JSON)
		report_json(&input, out);
	else
		report_text(&input, &style, out);
}

static void write_shared(struct program *program, const struct options *options, FILE *out)
{
	const struct report_style style = {.color = options_color_on(options, fileno(out)),
					   .width = options_width()};
	struct shared_maps shared;

	shared_maps_find(program, &shared);
	if (options->format == FORMAT_JSON)
		report_shared_json(&shared, out);
	else
		report_shared_text(&shared, &style, out);
}

static void write_what_is_known(struct program *program, const struct gathered *gathered,
				const struct options *options, FILE *out)
{
	scoped(findings) struct findings *findings = NULL;

	if (!flight_facts(program->recording->flight)->frozen) {
		write_shared(program, options, out);
		return;
	}
	findings = findings_derive(program);
	write_verdict(findings, gathered, options, out);
}

/** Standard output is the program's own: without -o the verdict goes to standard error. */
static struct error *tell(char *path, const struct options *options)
{
	char *paths[] = {path};
	scoped(gathered) struct gathered gathered = {0};
	scoped(output) struct output output = {0};
	struct program *program = NULL;
	struct error *error = NULL;

	TRY(gather(paths, G_N_ELEMENTS(paths), NEED_DEATH, options, &gathered));
	TRY(gathered_program(&gathered, &program));
	if (options->output)
		error = output_open(options->output, &output);
	if (!error)
		write_what_is_known(program, &gathered, options,
				    options->output ? output.stream : stderr);
	program_close(program);
	return error || !options->output ? error : output_commit(&output);
}

/** The process has ended: its verdict, if it died of a map. */
static struct error *conclude(struct recorder *recorder, const struct options *options)
{
	g_autofree char *path = g_strdup(recorder_path(recorder));
	scoped(flight) struct flight *flight = NULL;

	TRY(flight_open(path, &flight));
	if (flight_facts(flight)->frozen || options->report_shared)
		TRY(tell(path, options));
	if (!options->keep)
		recorder_discard(recorder);
	else if (!options->quiet)
		fprintf(stderr, "mapfault: the record is %s\n", path);
	return NULL;
}

static int wait_for_child(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

static struct error *run_program(char **program, const struct options *options, int *ret_status)
{
	scoped(recorder) struct recorder *recorder = NULL;
	scoped(tracee) struct tracee *tracee = NULL;

	TRY(tracee_launch(program, &tracee));
	TRY(put_recorder(tracee, options, false, &recorder));
	TRY(tracee_detach(tracee));
	take_signals(tracee_pid(tracee));
	*ret_status = wait_for_child(tracee_pid(tracee));
	return conclude(recorder, options);
}

/** Signals come only while it waits, so that none can come between the look at what they left and the wait. */
static void block_signals(sigset_t *ret_before)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < G_N_ELEMENTS(terminal_signals); i++)
		sigaddset(&blocked, terminal_signals[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(other_signals); i++)
		sigaddset(&blocked, other_signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, ret_before);
}

/** @return false when this process was told to stop before the other had ended */
static bool wait_for_end(pid_t pid)
{
	struct pollfd poll_fd = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	const struct timespec look_again = {.tv_nsec = LOOK_AGAIN_NS};
	bool has_fd = poll_fd.fd >= 0, ended = false; // kernels before 5.3 have none
	sigset_t before;

	block_signals(&before);
	while (!ended && !interrupted) {
		ended = ppoll(&poll_fd, has_fd, has_fd ? NULL : &look_again, &before) > 0;
		if (!has_fd)
			ended = kill(pid, 0) != 0 && errno == ESRCH;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (has_fd)
		close(poll_fd.fd);
	return ended;
}

static struct error *record_process(const struct options *options)
{
	scoped(recorder) struct recorder *recorder = NULL;
	scoped(tracee) struct tracee *tracee = NULL;
	g_autofree char *path = NULL;

	TRY(tracee_attach(options->pid, &tracee));
	TRY(put_recorder(tracee, options, true, &recorder));
	TRY(tracee_detach(tracee));
	take_signals(0);
	path = g_strdup(recorder_path(recorder));
	if (!options->quiet)
		fprintf(stderr,
			"mapfault: recording process %d; its record is %s\n"
			"  Ctrl-C leaves it recording, `mapfault record --remove -p %d` ends "
			"that\n",
			(int)options->pid, recorder_path(recorder), (int)options->pid);
	if (wait_for_end(options->pid))
		return conclude(recorder, options);
	return options->report_shared ? tell(path, options) : NULL;
}

static struct error *remove_from(const struct options *options)
{
	scoped(tracee) struct tracee *tracee = NULL;

	TRY(tracee_attach(options->pid, &tracee));
	TRY(recorder_remove(tracee));
	return tracee_detach(tracee);
}

static struct error *record(const struct invocation *invocation, int *ret_status)
{
	const struct options *options = &invocation->options;
	char **program = invocation->arguments;

	if (*program && g_str_equal(*program, "--"))
		program++;
	if (!*program == !options->pid || options->pid < 0 || (options->remove && !options->pid))
		return error_with_hint(
			error_new(ERROR_USAGE, place_whole(""),
				  "record wants a program or --pid, not both"),
			"mapfault record -- PROGRAM ARGUMENT..., or mapfault record -p "
			"PID");
	if (options->remove)
		return remove_from(options);
	return options->pid ? record_process(options) : run_program(program, options, ret_status);
}

const struct command command_record = {
	.name = "record",
	.arguments = "-- PROGRAM [ARGUMENT...]",
	.summary = "record who writes which map while a program runs, for proof when it dies",
	.examples = "  mapfault record -- ./server -port 8080\n"
		    "  mapfault record --allocs -- ./server         # who made the map, too\n"
		    "  mapfault record --reads -- ./server          # who read it, too\n"
		    "  mapfault record --report-shared -- ./server  # maps that several goroutines "
		    "write\n"
		    "  mapfault record -p $(pidof server)\n"
		    "  mapfault record --remove -p $(pidof server)\n"
		    "  mapfault /dev/shm/mapfault-1234.flight      # a record that was left\n",
	.about =
		"Puts the flight recorder into the process and lets it run free, with no debugger\n"
		"on it. Every write of a map leaves its goroutine and caller in shared memory; "
		"when\n"
		"the process dies of a map, that says who the other side was. The program is not\n"
		"changed on disk, and needs no rebuild and no symbols. x86-64, Go 1.9 to 1.27.\n"
		"The verdict goes to standard error, or to the file of -o.\n"
		"Exit status: the program's own; 128 and the number of the signal that ended it.\n",
	.takes = OPTIONS_OUTPUT | OPTIONS_SOURCE | OPTIONS_RECORD | OPTIONS_RECORDED,
	.arguments_min = 0,
	.arguments_max = 4096,
	.run = record,
};
