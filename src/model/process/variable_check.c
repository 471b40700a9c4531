// SPDX-License-Identifier: Apache-2.0
// The shape of each runtime variable. Every check reads a bounded amount, whatever the memory says.
#include "model/process/variable_check.h"

#include "base/limits.h"
#include "model/process/variable.h"

enum {
	GOROUTINES_LOOKED_AT = 4096,   /* of allgs */
	GOROUTINES_WITHOUT_THREAD = 3, /* enough of them, when none is running */
	STATUS_MAX = 11,
	/* newproc1 takes ids in lots of 16 for each P (runtime/proc.go: _GoidCacheBatch); P are
	 * 1024 at most, or 256 once; doubled for the lots that were given up. */
	GOID_SLACK = 2 * 16 * 1024,
	BACKLOG_BYTES = 512, /* runtime/print.go: printBacklog */
	PAGE_SHIFT = 13,
	ARENA_SHIFT = 26, /* runtime/malloc.go: heapArenaBytes, 64-bit Linux */
	ARENA_INDEX_BITS = 22
};

static bool read_u32(struct program *program, uint64_t base, enum go_field field, uint32_t *ret)
{
	int32_t offset = program_offset(program, field);

	return base && offset != GO_ABSENT &&
	       memory_u32(program->memory, base + (uint64_t)offset, ret);
}

static bool read_u64(struct program *program, uint64_t base, enum go_field field, uint64_t *ret)
{
	int32_t offset = program_offset(program, field);

	return base && offset != GO_ABSENT &&
	       memory_u64(program->memory, base + (uint64_t)offset, ret);
}

static bool is_thread(const struct program *program, uint64_t tid)
{
	const struct process *process = program->process;

	for (size_t i = 0; process && i < process->thread_count; i++)
		if ((uint64_t)process->threads[i].tid == tid)
			return true;
	return false;
}

static bool looks_like_g(struct program *program, uint64_t g)
{
	uint64_t low, high, id;
	uint32_t status;

	if (!g || g % 8 || !read_u64(program, g, GO_G_STACK_LO, &low) ||
	    !read_u64(program, g, GO_G_STACK_HI, &high) || !read_u64(program, g, GO_G_GOID, &id) ||
	    !read_u32(program, g, GO_G_ATOMICSTATUS, &status))
		return false;
	if (low ? low >= high || high - low > LIMIT_STACK_BYTES : high != 0)
		return false;
	return id < 1ull << 48 && (status & ~GO_STATUS_SCAN) <= STATUS_MAX;
}

/* Runs on an M whose current goroutine it is and whose thread is in the core. */
static bool is_on_thread(struct program *program, uint64_t g)
{
	uint64_t m = program_word(program, g, GO_G_M), procid, current;

	return m && read_u64(program, m, GO_M_CURG, &current) && current == g &&
	       read_u64(program, m, GO_M_PROCID, &procid) && is_thread(program, procid);
}

struct slice {
	uint64_t pointer, length, room;
};

static bool read_slice(struct program *program, uint64_t address, struct slice *ret)
{
	return memory_u64(program->memory, address, &ret->pointer) &&
	       memory_u64(program->memory, address + 8, &ret->length) &&
	       memory_u64(program->memory, address + 16, &ret->room);
}

static bool read_allgs(struct program *program, struct slice *ret)
{
	uint64_t allgs = program_runtime_variable(program, "runtime.allgs");

	return allgs && read_slice(program, allgs, ret) && ret->length <= LIMIT_GOROUTINES;
}

bool variable_is_allgs(struct program *program, uint64_t address)
{
	struct slice s;
	bool running = false;
	uint64_t count, g;

	if (address % 8 || !read_slice(program, address, &s) || !s.length || s.length > s.room ||
	    s.room > LIMIT_GOROUTINES || !s.pointer || s.pointer % 8)
		return false;
	count = s.length < GOROUTINES_LOOKED_AT ? s.length : GOROUTINES_LOOKED_AT;
	for (uint64_t i = 0; i < count; i++) {
		if (!memory_u64(program->memory, s.pointer + 8 * i, &g) ||
		    !looks_like_g(program, g))
			return false;
		running = running || is_on_thread(program, g);
	}
	return running || count >= GOROUTINES_WITHOUT_THREAD;
}

static bool is_outside(uint64_t address, uint64_t start, uint64_t size)
{
	return address < start || address - start >= size;
}

/* Among the module's variables, and not in code or constants. */
static bool in_data(const struct program *program, uint64_t address)
{
	const struct moduledata *m = program->modules;

	return program->module_count && address % 8 == 0 &&
	       ((address >= m->noptrdata && address < m->enoptrdata) ||
		(address >= m->data && address < m->edata) ||
		(address >= m->bss && address < m->ebss) ||
		(address >= m->noptrbss && address < m->enoptrbss));
}

static bool is_copy_of(struct program *program, uint64_t address, uint64_t original)
{
	uint64_t a, b, allgs = program_runtime_variable(program, "runtime.allgs");

	return allgs && in_data(program, address) &&
	       is_outside(address, allgs, sizeof(struct slice)) &&
	       memory_u64(program->memory, address, &a) &&
	       memory_u64(program->memory, allgs + original, &b) && a == b && a;
}

bool variable_is_allglen(struct program *program, uint64_t address)
{
	return is_copy_of(program, address, offsetof(struct slice, length));
}

bool variable_is_allgptr(struct program *program, uint64_t address)
{
	return is_copy_of(program, address, offsetof(struct slice, pointer));
}

bool variable_is_allm(struct program *program, uint64_t address)
{
	uint64_t m, on_threads = 0, count = 0;

	if (address % 8 || !memory_u64(program->memory, address, &m) || !m)
		return false;
	for (; m && count < LIMIT_THREADS; count++) {
		uint64_t g0, back, procid;

		if (m % 8 || !read_u64(program, m, GO_M_G0, &g0) ||
		    !read_u64(program, g0, GO_G_M, &back) || back != m ||
		    !read_u64(program, m, GO_M_PROCID, &procid))
			return false;
		on_threads += is_thread(program, procid);
		m = program_word(program, m, GO_M_ALLLINK);
	}
	/* Ms that wait for a thread, or that C code gave back, stand in the list too. */
	return on_threads && on_threads * 2 >= count;
}

static uint64_t span_by_arena(struct program *program, uint64_t heap, uint64_t address)
{
	uint64_t bias = program->arch == GO_ARCH_AMD64 ? 1ull << 47 : 0; /* arenaBaseOffset */
	uint64_t index = (address + bias) >> ARENA_SHIFT, span;
	uint64_t page = address >> PAGE_SHIFT & ((1u << (ARENA_SHIFT - PAGE_SHIFT)) - 1);
	uint64_t level2 = program_word(program, heap, GO_MHEAP_ARENAS), arena;
	int32_t spans = program_offset(program, GO_HEAPARENA_SPANS);

	if (!level2 || index >> ARENA_INDEX_BITS || spans == GO_ABSENT ||
	    !memory_u64(program->memory, level2 + 8 * index, &arena) || !arena ||
	    !memory_u64(program->memory, arena + (uint64_t)spans + 8 * page, &span))
		return 0;
	return span;
}

/* To 1.10: one array of spans for the whole heap. */
static uint64_t span_by_page(struct program *program, uint64_t heap, uint64_t address)
{
	uint64_t spans = program_word(program, heap, GO_MHEAP_SPANS), span;
	uint64_t start = program_word(program, heap, GO_MHEAP_ARENA_START);
	uint64_t used = program_word(program, heap, GO_MHEAP_ARENA_USED);

	if (!spans || address < start || address >= used ||
	    !memory_u64(program->memory, spans + 8 * ((address - start) >> PAGE_SHIFT), &span))
		return 0;
	return span;
}

static bool covers(struct program *program, uint64_t heap, uint64_t address)
{
	bool arenas = program_offset(program, GO_MHEAP_ARENAS) != GO_ABSENT;
	uint64_t span = arenas ? span_by_arena(program, heap, address)
			       : span_by_page(program, heap, address);
	uint64_t start, pages;

	return span && read_u64(program, span, GO_MSPAN_STARTADDR, &start) &&
	       read_u64(program, span, GO_MSPAN_NPAGES, &pages) && start <= address &&
	       (address - start) >> PAGE_SHIFT < pages;
}

bool variable_is_mheap(struct program *program, uint64_t address)
{
	struct slice allgs;
	uint64_t g;

	return address % 8 == 0 && read_allgs(program, &allgs) && allgs.length &&
	       memory_u64(program->memory, allgs.pointer, &g) && covers(program, address, g);
}

/* schedt has pointers in it. */
static bool in_bss(const struct program *program, uint64_t address)
{
	return program->module_count && address % 8 == 0 && address >= program->modules->bss &&
	       address < program->modules->ebss;
}

/* sched.lastpoll is nanoseconds since the machine started, or 0 while a thread polls. */
static bool is_time_or_nil(struct program *program, uint64_t sched)
{
	uint64_t at;

	return read_u64(program, sched, GO_SCHED_LASTPOLL, &at) &&
	       (at == 0 || (at > 1000000000 && at < 1ull << 60));
}

bool variable_is_sched(struct program *program, uint64_t address)
{
	struct slice allgs;
	uint64_t next, largest = 0, g, id;

	if (!in_bss(program, address) || !memory_u64(program->memory, address, &next) ||
	    !read_allgs(program, &allgs) || !is_time_or_nil(program, address))
		return false;
	for (uint64_t i = 0; i < allgs.length; i++)
		if (memory_u64(program->memory, allgs.pointer + 8 * i, &g) &&
		    read_u64(program, g, GO_G_GOID, &id) && id > largest)
			largest = id;
	return largest && next >= largest && next - largest <= GOID_SLACK;
}

static bool is_text(uint8_t byte)
{
	return (byte >= ' ' && byte != 0x7f) || byte == '\n' || byte == '\t' || byte == '\r';
}

bool variable_is_backlog(struct program *program, uint64_t address)
{
	const uint8_t *ring = memory_view(program->memory, address, BACKLOG_BYTES);
	size_t used = 0;

	if (!ring)
		return false;
	while (used < BACKLOG_BYTES && is_text(ring[used]))
		used++;
	for (size_t i = used; i < BACKLOG_BYTES; i++)
		if (ring[i])
			return false;
	return used >= 8;
}

bool variable_is_backlog_index(struct program *program, uint64_t backlog, uint64_t address)
{
	const uint8_t *ring = memory_view(program->memory, backlog, BACKLOG_BYTES);
	const uint8_t *end = ring ? memchr(ring, 0, BACKLOG_BYTES) : NULL;
	uint64_t index;

	if (!ring || address % 8 || !is_outside(address, backlog, BACKLOG_BYTES) ||
	    !memory_u64(program->memory, address, &index) || index >= BACKLOG_BYTES)
		return false;
	return end ? index == (uint64_t)(end - ring) : is_text(ring[index]);
}
