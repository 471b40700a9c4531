// SPDX-License-Identifier: Apache-2.0
#include "reproduce/child.h"

#include "reproduce/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_MS       100
#define CHUNK_BYTES   16384
#define NOT_STARTED   127
#define US_PER_SECOND 1e6

static void limit_core(bool core)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) != 0)
		return;
	limit.rlim_cur = core ? limit.rlim_max : 0;
	(void)setrlimit(RLIMIT_CORE, &limit);
}

/* In the child, between fork and exec. Race detectors of old Go releases find no room for their
 * shadow memory where addresses are random. */
static void become(const struct child_request *request, int out, int problem)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), number;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	personality(ADDR_NO_RANDOMIZE);
	limit_core(request->core);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0 || (request->folder && chdir(request->folder) != 0))
		goto failed;
	if (request->environment)
		environ = (char **)request->environment;
	execvp(request->arguments[0], (char *const *)request->arguments);
failed:
	number = errno;
	(void)!write(problem, &number, sizeof(number));
	_exit(NOT_STARTED);
}

struct running {
	pid_t pid;
	int out;
	gint64 began_us;
};

static struct error *start(const struct child_request *request, struct running *ret)
{
	int out[2], problem[2], number = 0;

	if (pipe2(out, O_CLOEXEC) != 0)
		return error_system(errno, place_whole(request->arguments[0]), "cannot be started");
	if (pipe2(problem, O_CLOEXEC) != 0) {
		number = errno;
		close(out[0]);
		close(out[1]);
		return error_system(number, place_whole(request->arguments[0]),
				    "cannot be started");
	}
	ret->began_us = g_get_monotonic_time();
	ret->pid = fork();
	if (ret->pid == 0)
		become(request, out[1], problem[1]);
	number = ret->pid < 0 ? errno : 0;
	close(out[1]);
	close(problem[1]);
	if (ret->pid > 0)
		setpgid(ret->pid, ret->pid);
	if (ret->pid > 0 && read(problem[0], &number, sizeof(number)) > 0)
		waitpid(ret->pid, NULL, 0);
	close(problem[0]);
	ret->out = out[0];
	if (!number)
		return NULL;
	close(out[0]);
	return error_system(number, place_whole(request->arguments[0]), "cannot be started");
}

/* False when there is nothing more to come. */
static bool read_some(int fd, GString *output, bool *cut)
{
	char chunk[CHUNK_BYTES];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (output->len + (size_t)n > CHILD_OUTPUT_MAX) {
		*cut = true;
		return n > 0;
	}
	for (ssize_t i = 0; i < n; i++)
		g_string_append_c(output, chunk[i] ? chunk[i] : ' ');
	return n > 0;
}

static double seconds_since(gint64 began_us)
{
	return (double)(g_get_monotonic_time() - began_us) / US_PER_SECOND;
}

/* Until the output ends, or nobody wants more of it. */
static struct error *follow(const struct child_request *request, const struct running *running,
			    GString *output, struct child_result *ret)
{
	for (;;) {
		struct pollfd poller = {.fd = running->out, .events = POLLIN};
		int ready = poll(&poller, 1, POLL_MS);

		TRY(interrupt_check());
		if (seconds_since(running->began_us) > request->seconds) {
			ret->timed_out = true;
			return NULL;
		}
		if (ready <= 0)
			continue;
		if (!read_some(running->out, output, &ret->output_cut))
			return NULL;
		if (request->enough && request->enough(output->str, request->context)) {
			ret->stopped = true;
			return NULL;
		}
	}
}

/* A child that has closed its output may still be at work. */
static struct error *wait_for(const struct child_request *request, const struct running *running,
			      struct child_result *ret, int *ret_status)
{
	while (!ret->timed_out && !ret->stopped) {
		pid_t done = waitpid(running->pid, ret_status, WNOHANG);

		if (done == running->pid)
			return NULL;
		TRY(interrupt_check());
		ret->timed_out = seconds_since(running->began_us) > request->seconds;
		g_usleep(200);
	}
	kill(-running->pid, SIGKILL);
	while (waitpid(running->pid, ret_status, 0) < 0 && errno == EINTR)
		continue;
	return NULL;
}

static void end(const struct running *running, bool reaped)
{
	kill(-running->pid, SIGKILL); /* grandchildren too */
	while (!reaped && waitpid(running->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	close(running->out);
}

struct error *child_run(const struct child_request *request, struct child_result *ret)
{
	g_autoptr(GString) output = g_string_new(NULL);
	struct running running = {.pid = 0};
	struct error *error;
	int status = 0;

	*ret = (struct child_result){.exit_status = -1};
	TRY(interrupt_check());
	TRY(start(request, &running));
	error = follow(request, &running, output, ret);
	if (!error)
		error = wait_for(request, &running, ret, &status);
	end(&running, !error);
	if (error)
		return error;
	ret->seconds = seconds_since(running.began_us);
	if (WIFEXITED(status))
		ret->exit_status = WEXITSTATUS(status);
	else
		ret->signal = WTERMSIG(status);
	ret->output = g_string_free(g_steal_pointer(&output), FALSE);
	return NULL;
}

char *child_result_words(const struct child_result *result)
{
	g_auto(GStrv) lines = g_strsplit(result->output, "\n", 0);
	g_autoptr(GString) words = g_string_new(NULL);

	for (char **line = lines; *line && words->len < CHILD_WORDS_MAX; line++) {
		g_strstrip(*line);
		if (**line && **line != '#')
			g_string_append_printf(words, "%s%s", words->len ? "; " : "", *line);
	}
	if (words->len == 0)
		g_string_append(words, "it said nothing");
	if (words->len > CHILD_WORDS_MAX) {
		const char *cut =
			g_utf8_find_prev_char(words->str, words->str + CHILD_WORDS_MAX + 1);

		g_string_truncate(words, cut ? (gsize)(cut - words->str) : CHILD_WORDS_MAX);
		g_string_append(words, " ...");
	}
	return g_string_free(g_steal_pointer(&words), FALSE);
}

void child_result_done(struct child_result *result)
{
	g_free(result->output);
	*result = (struct child_result){NULL};
}
