// SPDX-License-Identifier: Apache-2.0
#include "evidence/process/memory_lazy.h"

#include <glib.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_SHIFT  12
#define PAGE_BYTES  (1ull << PAGE_SHIFT)
#define AHEAD_PAGES 4 /* fetched together: a call costs as much as the copy of several pages */

enum page_state { PAGE_UNKNOWN, PAGE_THERE, PAGE_MISSING };

struct memory_lazy {
	uint64_t address, size; // as asked for
	uint64_t first;         // page of `address`
	uint64_t pages;
	uint8_t *room;           // of whole pages; reserved, and touched where fetched
	_Atomic uint8_t *states; // enum page_state, one a page
	memory_fetch fetch;
	void *context;
	GMutex busy; // one thread fetches at a time
};

static void *reserve(uint64_t size)
{
	void *room = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return room == MAP_FAILED ? NULL : room;
}

struct memory_lazy *memory_lazy_new(uint64_t address, uint64_t size, memory_fetch fetch,
				    void *context)
{
	struct memory_lazy *lazy = g_new0(struct memory_lazy, 1);

	lazy->address = address;
	lazy->size = size;
	lazy->first = address >> PAGE_SHIFT;
	lazy->pages = ((address + size - 1) >> PAGE_SHIFT) - lazy->first + 1;
	lazy->fetch = fetch;
	lazy->context = context;
	g_mutex_init(&lazy->busy);
	lazy->room = reserve(lazy->pages * PAGE_BYTES);
	lazy->states = reserve(lazy->pages);
	if (lazy->room && lazy->states)
		return lazy;
	memory_lazy_free(lazy);
	return NULL;
}

void memory_lazy_free(void *one)
{
	struct memory_lazy *lazy = one;

	if (lazy->room)
		munmap(lazy->room, lazy->pages * PAGE_BYTES);
	if (lazy->states)
		munmap((void *)lazy->states, lazy->pages);
	g_mutex_clear(&lazy->busy);
	g_free(lazy);
}

const uint8_t *memory_lazy_bytes(const struct memory_lazy *lazy)
{
	return lazy->room + (lazy->address & (PAGE_BYTES - 1));
}

static uint64_t page_of(const struct memory_lazy *lazy, uint64_t address)
{
	return (address >> PAGE_SHIFT) - lazy->first;
}

/** The first page of [@a from, @a to] that is not in @a state; @a to + 1 when there is none. */
static uint64_t run_end(const struct memory_lazy *lazy, uint64_t from, uint64_t to,
			enum page_state state)
{
	while (from <= to &&
	       atomic_load_explicit(&lazy->states[from], memory_order_acquire) == state)
		from++;
	return from;
}

bool memory_lazy_has(const struct memory_lazy *lazy, uint64_t address, uint64_t size)
{
	uint64_t last = page_of(lazy, address + (size ? size - 1 : 0));

	return run_end(lazy, page_of(lazy, address), last, PAGE_THERE) > last;
}

static void mark(struct memory_lazy *lazy, uint64_t from, uint64_t to, enum page_state state)
{
	for (uint64_t page = from; page < to; page++)
		atomic_store_explicit(&lazy->states[page], (uint8_t)state, memory_order_release);
}

/** Fetches pages [@a from, @a to); where one cannot be had, the rest is tried again behind it. */
static void fetch_run(struct memory_lazy *lazy, uint64_t from, uint64_t to)
{
	while (from < to) {
		uint64_t got =
			lazy->fetch(lazy->context, (lazy->first + from) << PAGE_SHIFT,
				    lazy->room + from * PAGE_BYTES, (to - from) * PAGE_BYTES);
		uint64_t whole = from + got / PAGE_BYTES;

		mark(lazy, from, whole, PAGE_THERE);
		if (whole < to)
			mark(lazy, whole, whole + 1, PAGE_MISSING);
		from = whole + 1;
	}
}

bool memory_lazy_have(struct memory_lazy *lazy, uint64_t address, uint64_t size)
{
	uint64_t first = page_of(lazy, address);
	uint64_t last = page_of(lazy, address + (size ? size - 1 : 0)), end;

	if (memory_lazy_has(lazy, address, size))
		return true;
	g_mutex_lock(&lazy->busy);
	end = MIN(MAX(last + 1, (first & ~(AHEAD_PAGES - 1ull)) + AHEAD_PAGES), lazy->pages);
	for (uint64_t page = first; page < end; page++) {
		uint64_t run = run_end(lazy, page, end - 1, PAGE_UNKNOWN);

		if (run > page)
			fetch_run(lazy, page, run);
		page = MAX(run, page);
	}
	g_mutex_unlock(&lazy->busy);
	return memory_lazy_has(lazy, address, size);
}

bool memory_lazy_copy(struct memory_lazy *lazy, uint64_t address, void *ret, uint64_t size)
{
	return lazy->fetch(lazy->context, address, ret, size) == size;
}
