// SPDX-License-Identifier: Apache-2.0
#include "cli/spool.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES (1u << 20)

/* There is one standard input: what was read of it, and can't be read again, is kept here. */
static struct text head;

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
							    "copying a pipe there failed"),
					       "set TMPDIR to a directory with room");
		if (written > 0) {
			bytes += written;
			n -= (size_t)written;
		}
	}
	return NULL;
}

/** A pipe that was opened without waiting for its writer has nothing yet: waits. */
static void wait_for(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	poll(&ready, 1, -1);
}

static struct error *copy(int from, const char *name, int fd)
{
	g_autofree char *chunk = g_malloc(CHUNK_BYTES);
	uint64_t total = 0;
	ssize_t n;

	if (from == STDIN_FILENO)
		TRY(write_all(fd, head.p, head.n));
	while ((n = read(from, chunk, CHUNK_BYTES)) != 0) {
		if (n < 0 && errno == EAGAIN)
			wait_for(from);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return error_system(errno, place_whole(name), "cannot be read");
		total += (uint64_t)n;
		if (total > LIMIT_INFLATED_BYTES)
			return error_new(ERROR_LIMIT, place_whole(name),
					 "holds more than %llu bytes", LIMIT_INFLATED_BYTES);
		TRY(write_all(fd, chunk, (size_t)n));
	}
	return NULL;
}

static struct error *spool(int from, const char *name, char **ret)
{
	g_autofree char *path = g_strdup_printf("%s/mapfault.XXXXXX", directory());
	int fd = mkostemp(path, O_CLOEXEC);
	struct error *error;

	if (fd < 0)
		return error_system(errno, place_whole(directory()), "cannot hold a copy of %s",
				    name);
	unlink(path);
	error = copy(from, name, fd);
	if (error) {
		close(fd);
		return error;
	}
	*ret = g_strdup_printf("/dev/fd/%d", fd);
	return NULL;
}

struct error *spool_standard_input(char **ret)
{
	struct stat info;

	if (fstat(STDIN_FILENO, &info) != 0 || !S_ISREG(info.st_mode))
		return spool(STDIN_FILENO, "standard input", ret);
	*ret = g_strdup("/dev/fd/0");
	return NULL;
}

bool spool_is_pipe(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISFIFO(info.st_mode);
}

struct error *spool_pipe(const char *path, char **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // without a writer it is empty
	struct error *error;

	if (fd < 0)
		return error_system(errno, place_whole(path), "cannot be opened");
	error = spool(fd, path, ret);
	close(fd);
	return error;
}

struct text spool_head(void) { return head; }

struct error *spool_peek(size_t size, struct text *ret)
{
	bool again = lseek(STDIN_FILENO, 0, SEEK_CUR) >= 0; // a file, not a pipe
	char *bytes = g_malloc(size);
	ssize_t n = 1;

	for (ret->n = 0; n && ret->n < size;) {
		n = again ? pread(STDIN_FILENO, bytes + ret->n, size - ret->n, (off_t)ret->n)
			  : read(STDIN_FILENO, bytes + ret->n, size - ret->n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			g_free(bytes);
			return error_system(errno, place_whole("standard input"), "cannot be read");
		}
		ret->n += (size_t)n;
	}
	ret->p = bytes;
	if (!again)
		head = *ret;
	return NULL;
}
