// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#define ERASE "\r\x1b[K"

/* What the handler writes; only async-signal-safe calls there. */
static char line[80];
static volatile sig_atomic_t shown;

static const struct options *steps_options;
static struct progress step;

static void show(int number)
{
	int saved = errno;

	(void)number;
	(void)!write(STDERR_FILENO, line, strlen(line));
	shown = 1;
	errno = saved;
}

static void timer(time_t s, suseconds_t us)
{
	const struct itimerval value = {.it_value = {s, us}};

	setitimer(ITIMER_REAL, &value, NULL);
}

struct progress progress_start(const char *what, const struct options *options)
{
	struct sigaction action = {.sa_handler = show, .sa_flags = SA_RESTART};

	if (options->quiet || !isatty(STDERR_FILENO))
		return (struct progress){false};
	snprintf(line, sizeof(line), "\rmapfault: %s ...", what);
	shown = 0;
	sigaction(SIGALRM, &action, NULL);
	timer(0, 500000);
	return (struct progress){true};
}

void progress_stop(struct progress *progress)
{
	if (!progress->running)
		return;
	progress->running = false;
	timer(0, 0);
	if (shown)
		(void)!write(STDERR_FILENO, ERASE, strlen(ERASE));
}

void progress_steps(const struct options *options) { steps_options = options; }

void progress_step(const char *what)
{
	progress_stop(&step);
	if (what)
		step = progress_start(what, steps_options);
}
