// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the signal handler removes; "" when there is nothing. */
static char half_written[PATH_MAX];

static void remove_and_die(int number)
{
	if (*half_written)
		unlink(half_written);
	raise(number); /* SA_RESETHAND: dies of it now */
}

/* Memory may run out in the middle of writing. */
static void remove_at_exit(void)
{
	if (*half_written)
		unlink(half_written);
}

static void watch(const char *path)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	struct sigaction action = {.sa_handler = remove_and_die,
				   .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};

	g_strlcpy(half_written, path, sizeof(half_written));
	atexit(remove_at_exit);
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		struct sigaction old;

		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

/* mkostemp() makes files private; a report is as readable as the umask lets any file be. */
static void open_to_umask(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	(void)!fchmod(fd, 0666 & ~mask);
}

static bool is_special(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static struct error *open_special(const char *path, struct output *ret)
{
	FILE *stream = fopen(path, "we");

	if (!stream)
		return error_system(errno, place_whole(path), "cannot be written");
	*ret = (struct output){.stream = stream, .path = path};
	return NULL;
}

struct error *output_open(const char *path, struct output *ret)
{
	g_autofree char *temporary = NULL, *directory = NULL, *name = NULL;
	int fd;

	*ret = (struct output){.stream = stdout};
	if (!path || g_str_equal(path, "-"))
		return NULL;
	if (is_special(path)) /* /dev/null, a pipe: nothing to rename over */
		return open_special(path, ret);
	directory = g_path_get_dirname(path);
	name = g_path_get_basename(path);
	temporary = g_strdup_printf("%s/.%s.XXXXXX", directory, name);
	if (strlen(temporary) >= PATH_MAX)
		return error_new(ERROR_USAGE, place_whole(path), "is too long a path");
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_with_hint(error_system(errno, place_whole(path), "cannot be written"),
				       "check that %s is a directory that you may write to",
				       directory);
	watch(temporary);
	open_to_umask(fd);
	*ret = (struct output){
		.stream = fdopen(fd, "w"), .path = path, .temporary = g_steal_pointer(&temporary)};
	return NULL;
}

void output_json(struct output *output, const json_t *document)
{
	json_dumpf(document, output->stream, JSON_INDENT(2));
	fputc('\n', output->stream);
}

static struct error *flushed(struct output *output, const char *name)
{
	int number = 0;

	errno = 0;
	if (fflush(output->stream) != 0 || ferror(output->stream))
		number = errno ? errno : EIO;
	if (number == 0 || number == EPIPE)
		return NULL;
	return error_with_hint(error_system(number, place_whole(name), "writing failed"),
			       "make room there, or have it written elsewhere");
}

struct error *output_commit(struct output *output)
{
	TRY(flushed(output, output->path ? output->path : "standard output"));
	if (!output->temporary)
		return NULL;
	if (fsync(fileno(output->stream)) != 0 && errno != EINVAL)
		return error_system(errno, place_whole(output->path), "writing failed");
	if (rename(output->temporary, output->path) != 0)
		return error_system(errno, place_whole(output->path), "cannot be replaced");
	output->committed = true;
	return NULL;
}

void output_done(struct output *output)
{
	if (output->temporary && !output->committed)
		unlink(output->temporary);
	*half_written = '\0';
	if (output->stream && output->path)
		fclose(output->stream);
	g_free(output->temporary);
}
