// SPDX-License-Identifier: Apache-2.0
#include "cli/spool.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES (1u << 20)

static const char *directory(void)
{
	const char *named = getenv("TMPDIR");

	return named && *named ? named : "/var/tmp";
}

static struct error *write_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t written = write(fd, bytes, n);

		if (written < 0 && errno != EINTR)
			return error_with_hint(error_system(errno, place_whole(directory()),
							    "copying standard input there failed"),
					       "set TMPDIR to a directory with room");
		if (written > 0) {
			bytes += written;
			n -= (size_t)written;
		}
	}
	return NULL;
}

static struct error *copy(int fd)
{
	g_autofree char *chunk = g_malloc(CHUNK_BYTES);
	uint64_t total = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, chunk, CHUNK_BYTES)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_system(errno, place_whole("standard input"), "cannot be read");
		total += (uint64_t)n;
		if (total > LIMIT_INFLATED_BYTES)
			return error_new(ERROR_LIMIT, place_whole("standard input"),
					 "holds more than %llu bytes", LIMIT_INFLATED_BYTES);
		TRY(write_all(fd, chunk, (size_t)n));
	}
	return NULL;
}

struct error *spool_standard_input(char **ret)
{
	g_autofree char *path = NULL;
	struct error *error;
	struct stat info;
	int fd;

	if (fstat(STDIN_FILENO, &info) == 0 && S_ISREG(info.st_mode)) {
		*ret = g_strdup("/dev/fd/0");
		return NULL;
	}
	path = g_strdup_printf("%s/mapfault.XXXXXX", directory());
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return error_system(errno, place_whole(directory()), "cannot hold standard input");
	unlink(path);
	error = copy(fd);
	if (error) {
		close(fd);
		return error;
	}
	*ret = g_strdup_printf("/dev/fd/%d", fd);
	return NULL;
}
