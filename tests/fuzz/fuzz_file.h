// SPDX-License-Identifier: Apache-2.0
// The readers of whole files want a path: bytes → a file in memory that has one.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct fuzz_file {
	int file;
	char path[64];
};

static inline struct fuzz_file fuzz_file_open(const uint8_t *data, size_t size)
{
	struct fuzz_file made = {.file = memfd_create("fuzz", MFD_CLOEXEC)};

	if (made.file < 0 || (size && write(made.file, data, size) != (ssize_t)size))
		abort();
	snprintf(made.path, sizeof(made.path), "/proc/self/fd/%d", made.file);
	return made;
}

static inline void fuzz_file_close(struct fuzz_file *made) { close(made->file); }
