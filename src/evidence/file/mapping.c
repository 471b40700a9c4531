// SPDX-License-Identifier: Apache-2.0
// A signal handler can take no argument of ours, so this is the one file with state of the process:
// a table of what is mapped, which the handler only reads, but for the mark of a loss.
#include "evidence/file/mapping.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAPPINGS_MAX 64 /* beyond, files are mapped all the same, but a loss ends the process */
#define NAME_BYTES   256

static struct mapping {
	uint8_t *volatile bytes; // NULL: free
	uint64_t size;
	char name[NAME_BYTES];
} mappings[MAPPINGS_MAX];

static struct {
	volatile sig_atomic_t happened;
	char name[NAME_BYTES];
} loss;

static uintptr_t page_bytes;

static struct mapping *mapping_at(const uint8_t *address)
{
	for (size_t i = 0; i < MAPPINGS_MAX; i++) {
		struct mapping *mapping = &mappings[i];

		if (mapping->bytes && address >= mapping->bytes &&
		    (uint64_t)(address - mapping->bytes) < mapping->size)
			return mapping;
	}
	return NULL;
}

/** Puts a page of zeros where the file has none any more; anything else is a crash like any other. */
static void on_bus_error(int number, siginfo_t *info, void *unused)
{
	int kept = errno;
	struct mapping *mapping = mapping_at(info->si_addr);
	void *page = (void *)((uintptr_t)info->si_addr & ~(page_bytes - 1));

	if (!mapping || mmap(page, page_bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
		signal(number, SIG_DFL);
		raise(number); // blocked until the return, and then the end
		return;
	}
	if (!loss.happened)
		for (size_t i = 0; i < NAME_BYTES; i++)
			loss.name[i] = mapping->name[i];
	loss.happened = 1;
	errno = kept;
}

static void guard(void)
{
	struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

	if (page_bytes)
		return;
	page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigaction(SIGBUS, &action, NULL);
}

struct error *mapping_open(int file, const char *path, uint64_t size, uint8_t **ret)
{
	struct mapping *free = NULL;
	// NORESERVE: a private writable mapping of a huge core would otherwise count as memory
	void *bytes =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file, 0);

	if (bytes == MAP_FAILED)
		return error_system(errno, place_whole(path), "cannot map %llu bytes",
				    (unsigned long long)size);
	guard();
	for (size_t i = 0; i < MAPPINGS_MAX && !free; i++)
		if (!mappings[i].bytes)
			free = &mappings[i];
	if (free) {
		snprintf(free->name, sizeof(free->name), "%s", path);
		free->size = size;
		free->bytes = bytes;
	}
	*ret = bytes;
	return NULL;
}

void mapping_close(uint8_t *bytes, uint64_t size)
{
	struct mapping *mapping = bytes ? mapping_at(bytes) : NULL;

	if (mapping)
		mapping->bytes = NULL;
	if (bytes)
		munmap(bytes, size);
}

struct error *mappings_check(void)
{
	if (!loss.happened)
		return NULL;
	loss.happened = 0;
	return error_with_hint(
		error_new(ERROR_TRUNCATED, place_whole(loss.name),
			  "became shorter, or could not be read, while it was being read"),
		"try again when nobody writes to it, or give a copy");
}
