// SPDX-License-Identifier: Apache-2.0
// Preloaded: the FAIL_AT-th call of what FAIL_CALL names fails.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

static const char *fail_call;
static long fail_at, calls;

/* The first thing that main() calls: what libraries do before is not ours to judge. */
char *setlocale(int category, const char *name)
{
	char *(*real)(int, const char *) = dlsym(RTLD_NEXT, "setlocale");
	const char *at = getenv("FAIL_AT");
	char *was = real(category, name);

	fail_at = at ? strtol(at, NULL, 10) : 0;
	fail_call = getenv("FAIL_CALL");
	return was;
}

static int fails(const char *call, int number)
{
	if (!fail_call || strcmp(fail_call, call) != 0)
		return 0;
	calls++;
	if (calls != fail_at)
		return 0;
	errno = number;
	return 1;
}

void *malloc(size_t size) { return fails("malloc", ENOMEM) ? NULL : __libc_malloc(size); }

void *calloc(size_t count, size_t size)
{
	return fails("malloc", ENOMEM) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
	return fails("malloc", ENOMEM) ? NULL : __libc_realloc(block, size);
}

void *mmap(void *address, size_t size, int rights, int flags, int file, off_t offset)
{
	void *(*real)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap");

	return fails("mmap", ENOMEM) ? MAP_FAILED
				     : real(address, size, rights, flags, file, offset);
}

ssize_t pread(int file, void *to, size_t size, off_t offset)
{
	ssize_t (*real)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, "pread");

	return fails("read", EIO) ? -1 : real(file, to, size, offset);
}

ssize_t read(int file, void *to, size_t size)
{
	ssize_t (*real)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");

	return fails("read", EIO) ? -1 : real(file, to, size);
}

int open(const char *path, int flags, ...)
{
	int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
	va_end(more);
	return fails("open", EMFILE) ? -1 : real(path, flags, mode);
}

/* The same by the names that programs with large files call. */
void *mmap64(void *address, size_t size, int rights, int flags, int file, off_t offset)
	__attribute__((alias("mmap")));
ssize_t pread64(int file, void *to, size_t size, off_t offset) __attribute__((alias("pread")));
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
