// SPDX-License-Identifier: Apache-2.0
// Who holds a pointer into a range: a stream over all memory that the garbage collector would look
// at. The parts are put in order and merged first, so that nothing is read twice whatever the spans
// claim; then whole blocks are tested at once, and only a block with a hit is looked at word by
// word.
#include "model/data/heap_span.h"

#define WORD         8
#define LANES        4
#define BLOCK_WORDS  128
#define BLOCK_BYTES  (BLOCK_WORDS * WORD)
#define GLANCE_BYTES (64u << 10) /* of memory that is fetched, at a time */
#define STEP_BYTES   (32u << 20) /* after so many, what was read may go */

typedef uint64_t lanes __attribute__((vector_size(LANES * WORD), aligned(1), may_alias));
typedef int64_t signed_lanes __attribute__((vector_size(LANES * WORD)));

struct part {
	uint64_t start, end;
};

struct scan {
	uint64_t low, size; /* a hit: value - low < size */
	void (*visit)(uint64_t word, uint64_t value, void *);
	void *context;
	const struct memory *memory;
	uint8_t *buffer; /* of GLANCE_BYTES */
	uint64_t kept;   /* bytes read since the last rest */
};

/** True when a word of the block is in the range. Shifted by 2^63, signed comparison orders
 * unsigned values. */
static inline __attribute__((always_inline)) bool block_test(const uint8_t *block, uint64_t low,
							     uint64_t size)
{
	const lanes *values = (const lanes *)block;
	const uint64_t shift = low ^ 1ull << 63;
	const int64_t end = (int64_t)(size ^ 1ull << 63);
	signed_lanes any = {0};

	for (size_t i = 0; i < BLOCK_WORDS / LANES; i++)
		any |= (signed_lanes)(values[i] - shift) < end;
	return (any[0] | any[1] | any[2] | any[3]) != 0;
}

static size_t blocks_skip_plain(const uint8_t *bytes, size_t count, uint64_t low, uint64_t size)
{
	size_t i = 0;

	while (i < count && !block_test(bytes + i * BLOCK_BYTES, low, size))
		i++;
	return i;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static size_t blocks_skip_avx2(const uint8_t *bytes, size_t count,
							       uint64_t low, uint64_t size)
{
	size_t i = 0;

	while (i < count && !block_test(bytes + i * BLOCK_BYTES, low, size))
		i++;
	return i;
}
#endif

/** How many of @a count blocks in a row, from the first on, have no word in the range. */
static size_t blocks_skip(const uint8_t *bytes, size_t count, uint64_t low, uint64_t size)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return blocks_skip_avx2(bytes, count, low, size);
#endif
	return blocks_skip_plain(bytes, count, low, size);
}

static void words_visit(const struct scan *scan, uint64_t address, const uint8_t *bytes,
			uint64_t size)
{
	for (uint64_t at = 0; at < size; at += WORD) {
		uint64_t value;

		memcpy(&value, bytes + at, WORD);
		if (value - scan->low < scan->size)
			scan->visit(address + at, value, scan->context);
	}
}

/** Whole words at @a bytes, which stand at @a address. */
static void piece_scan(const struct scan *scan, uint64_t address, const uint8_t *bytes,
		       uint64_t size)
{
	uint64_t done = 0;

	while (size - done >= BLOCK_BYTES) {
		size_t blocks = (size - done) / BLOCK_BYTES;
		size_t skipped = blocks_skip(bytes + done, blocks, scan->low, scan->size);

		done += skipped * BLOCK_BYTES;
		if (skipped < blocks) {
			words_visit(scan, address + done, bytes + done, BLOCK_BYTES);
			done += BLOCK_BYTES;
		}
	}
	words_visit(scan, address + done, bytes + done, size - done);
}

/** The part of one range that lies in [@a start, @a end), cut to whole aligned words. */
static void range_scan(const struct scan *scan, const struct memory_range *range, uint64_t start,
		       uint64_t end)
{
	uint64_t from = MAX(start, range->address), to = MIN(end, range->address + range->size);
	uint64_t piece;

	from += -from % WORD;
	to -= to % WORD;
	if (from >= range->address && !range->lazy && from < to)
		piece_scan(scan, from, range->bytes + (from - range->address), to - from);
	for (; range->lazy && from < to; from += piece) {
		const uint8_t *bytes;

		piece = MIN(to - from, GLANCE_BYTES);
		bytes = memory_glance(scan->memory, from, piece, scan->buffer);
		if (bytes)
			piece_scan(scan, from, bytes, piece);
	}
}

static gint part_order(gconstpointer a, gconstpointer b)
{
	const struct part *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void part_add(GArray *parts, uint64_t start, uint64_t end)
{
	struct part part = {start, end};

	if (start < end)
		g_array_append_val(parts, part);
}

/** Sorts, and merges what overlaps or touches. */
static void parts_merge(GArray *parts)
{
	guint kept = 0;

	g_array_sort(parts, part_order);
	for (guint i = 0; i < parts->len; i++) {
		struct part part = g_array_index(parts, struct part, i);
		struct part *last = kept ? &g_array_index(parts, struct part, kept - 1) : NULL;

		if (last && part.start <= last->end)
			last->end = MAX(last->end, part.end);
		else
			g_array_index(parts, struct part, kept++) = part;
	}
	g_array_set_size(parts, kept);
}

/** Every span in use that may hold pointers: mheap_.allspans lists all that ever were. */
static bool spans_add(struct heap *heap, GArray *parts)
{
	struct program *program = heap->program;
	int32_t field = program_offset(program, GO_MHEAP_ALLSPANS);
	uint64_t list = program_word(program, heap->mheap, GO_MHEAP_ALLSPANS), count, address;

	if (field < 0 || !list || !memory_u64(program->memory, heap->mheap + field + WORD, &count))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		struct heap_span span;

		if (!memory_u64(program->memory, list + i * WORD, &address))
			return i > 0;
		if (heap_span_read(heap, address, &span) && !span.no_pointers)
			part_add(parts, span.start, span.limit);
	}
	return true;
}

static void roots_add(const struct program *program, GArray *parts)
{
	for (size_t i = 0; i < program->module_count; i++) {
		const struct moduledata *module = &program->modules[i];

		part_add(parts, module->data, module->edata);
		part_add(parts, module->bss, module->ebss);
	}
	for (size_t i = 0; i < program->live_count; i++) {
		const struct goroutine *g = &program->goroutines[i];

		if (g->live_sp >= g->stack_lo)
			part_add(parts, g->live_sp, g->stack_hi);
	}
}

/** What the collector would never look at, for when the spans are not known. */
static void excluded_add(const struct program *program, GArray *parts)
{
	for (size_t i = 0; i < program->module_count; i++) {
		const struct moduledata *module = &program->modules[i];

		part_add(parts, module->noptrdata, module->enoptrdata);
		part_add(parts, module->noptrbss, module->enoptrbss);
		part_add(parts, module->types, module->etypes);
	}
	for (size_t i = 0; i < program->goroutine_count; i++) {
		const struct goroutine *g = &program->goroutines[i];
		bool live = i < program->live_count && g->live_sp >= g->stack_lo &&
			    g->live_sp <= g->stack_hi;

		part_add(parts, g->stack_lo, live ? g->live_sp : g->stack_hi);
	}
}

/** All dumped memory less @a excluded, which is merged. */
static void memory_add_but(const struct program *program, const GArray *excluded, GArray *parts)
{
	size_t count;
	const struct memory_range *ranges = memory_ranges(program->memory, &count);
	guint next = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t from = ranges[i].address, end = from + ranges[i].size;

		while (next < excluded->len &&
		       g_array_index(excluded, struct part, next).end <= from)
			next++;
		for (guint j = next; j < excluded->len && from < end; j++) {
			const struct part *hole = &g_array_index(excluded, struct part, j);

			if (hole->start >= end)
				break;
			part_add(parts, from, hole->start);
			from = MAX(from, hole->end);
		}
		part_add(parts, from, end);
	}
}

/** Step by step: a part may be as large as the heap, and none of it is needed twice. */
static void part_scan(struct scan *scan, const struct program *program,
		      const struct memory_range *range, const struct part *part)
{
	uint64_t at = MAX(part->start, range->address);
	uint64_t end = MIN(part->end, range->address + range->size), step;

	// a word lies in one step or another: range_scan() leaves out what is no whole one
	for (at += -at % WORD; at < end; at += step) {
		step = MIN(end - at, STEP_BYTES);
		range_scan(scan, range, at, at + step);
		scan->kept += step;
		if (scan->kept < STEP_BYTES)
			continue;
		program_rest(program);
		scan->kept = 0;
	}
}

static void parts_scan(struct scan *scan, const struct program *program, const GArray *parts)
{
	size_t count, first = 0;
	const struct memory_range *ranges = memory_ranges(program->memory, &count);

	for (guint i = 0; i < parts->len; i++) {
		const struct part *part = &g_array_index(parts, struct part, i);

		while (first < count && ranges[first].address + ranges[first].size <= part->start)
			first++;
		for (size_t j = first; j < count && ranges[j].address < part->end; j++)
			part_scan(scan, program, &ranges[j], part);
	}
	program_rest(program);
}

void heap_references(struct program *program, uint64_t low, uint64_t high,
		     void (*visit)(uint64_t word, uint64_t value, void *), void *context)
{
	g_autofree uint8_t *buffer = g_malloc(GLANCE_BYTES);
	struct scan scan = {low, high - low, visit, context, program->memory, buffer, 0};
	GArray *parts, *excluded;

	if (low >= high)
		return;
	parts = g_array_new(FALSE, FALSE, sizeof(struct part));
	if (heap_ready(program->heap) && spans_add(program->heap, parts)) {
		roots_add(program, parts);
	} else {
		excluded = g_array_new(FALSE, FALSE, sizeof(struct part));
		excluded_add(program, excluded);
		parts_merge(excluded);
		g_array_set_size(parts, 0);
		memory_add_but(program, excluded, parts);
		g_array_free(excluded, TRUE);
	}
	parts_merge(parts);
	parts_scan(&scan, program, parts);
	g_array_free(parts, TRUE);
}
