// SPDX-License-Identifier: Apache-2.0
// The runtime's own index of its heap: from an address to the span and the object that hold it. One
// array of spans to Go 1.10 (mheap_.spans), a table of 64 MiB arenas from 1.11 on (mheap_.arenas).
// Only spans in use for objects count; stacks and the runtime's own memory are no heap.
#include "model/data/heap_span.h"
#include "model/process/variable.h"

#include <endian.h>
#include <string.h>

#define PAGE_SHIFT  13
#define ARENA_SHIFT 26
#define ARENA_PAGES (1ull << (ARENA_SHIFT - PAGE_SHIFT))
#define ARENA_INDEX_BITS                                                                           \
	22 /* L2 on 64-bit Linux; L1 has one entry (runtime/malloc.go:238@go1.22.12) */
#define AMD64_ARENA_BASE (1ull << 47) /* added to an address: amd64's are signed 48-bit numbers */
#define SPAN_IN_USE      1
#define SPAN_PAGES_LIMIT (1ull << 34) /* 128 TiB */
/* Larger objects with pointers start with their type, smaller ones have bits in the span (1.22+,
   runtime/mbitmap.go:76@go1.27.2). */
#define HEADER_OVER  512
#define HEADER_BYTES 8

struct heap *heap_new_at(struct program *program, uint64_t mheap)
{
	struct heap *heap = g_new0(struct heap, 1);

	heap->program = program;
	heap->mheap = mheap;
	return heap;
}

struct heap *heap_new(struct program *program) { return heap_new_at(program, 0); }

void heap_free(struct heap *heap) { g_free(heap); }

static uint64_t heap_word(const struct heap *heap, enum go_field field)
{
	return program_word(heap->program, heap->mheap, field);
}

/** Reads where the index stands; false when this program's runtime has none that is understood. */
static bool index_locate(struct heap *heap)
{
	struct program *program = heap->program;

	if (program_offset(program, GO_MHEAP_ARENAS) != GO_ABSENT) {
		heap->arenas = heap_word(heap, GO_MHEAP_ARENAS);
		return heap->arenas != 0;
	}
	heap->spans = heap_word(heap, GO_MHEAP_SPANS);
	heap->arena_start = heap_word(heap, GO_MHEAP_ARENA_START);
	heap->arena_used = heap_word(heap, GO_MHEAP_ARENA_USED);
	return heap->spans && heap->arena_start && heap->arena_start < heap->arena_used;
}

bool heap_ready(struct heap *heap)
{
	if (!heap || heap->looked)
		return heap && heap->ready;
	heap->looked = true;
	if (!heap->mheap)
		heap->mheap = program_runtime_variable(heap->program, "runtime.mheap_");
	heap->ready = heap->mheap && index_locate(heap);
	if (!heap->ready)
		program_gap(heap->program, "the heap's spans",
			    heap->mheap ? "runtime.mheap_ is not dumped or not as expected"
					: "runtime.mheap_ was not found",
			    "which object holds an address, and whether it was still allocated");
	return heap->ready;
}

static const struct arena_kept *arena_recall(struct heap *heap, uint64_t number)
{
	struct arena_kept *kept = &heap->arenas_kept[number % ARENAS_KEPT];
	const struct memory *memory = heap->program->memory;
	uint64_t arena = 0;

	if (kept->known && kept->number == number)
		return kept;
	*kept = (struct arena_kept){.known = true, .number = number};
	if (memory_u64(memory, heap->arenas + number * 8, &arena) && arena) {
		kept->table = arena + (uint64_t)program_offset(heap->program, GO_HEAPARENA_SPANS);
		kept->view = memory_view(memory, kept->table, ARENA_PAGES * 8);
	}
	return kept;
}

/** Address of the span that the table of 1.11+ names for @a address; 0 when none. */
static uint64_t span_in_arena(struct heap *heap, uint64_t address)
{
	uint64_t base = heap->program->arch == GO_ARCH_AMD64 ? AMD64_ARENA_BASE : 0;
	uint64_t number = (address + base) >> ARENA_SHIFT, span = 0;
	uint64_t entry = (address >> PAGE_SHIFT) % ARENA_PAGES * 8;
	const struct arena_kept *arena;

	if (number >> ARENA_INDEX_BITS)
		return 0;
	arena = arena_recall(heap, number);
	if (!arena->table)
		return 0;
	if (arena->view) {
		memcpy(&span, arena->view + entry, sizeof(span));
		return le64toh(span);
	}
	return memory_u64(heap->program->memory, arena->table + entry, &span) ? span : 0;
}

/** Address of the span that the index names for @a address; 0 when none. */
static uint64_t span_of(struct heap *heap, uint64_t address)
{
	uint64_t page = (address - heap->arena_start) >> PAGE_SHIFT, span;

	if (heap->arenas)
		return span_in_arena(heap, address);
	if (address < heap->arena_start || address >= heap->arena_used)
		return 0;
	return memory_u64(heap->program->memory, heap->spans + page * 8, &span) ? span : 0;
}

struct span_bytes {
	uint8_t bytes[SPAN_BYTES];
	const struct program *program;
};

static uint64_t span_field(const struct span_bytes *span, enum go_field field, size_t size)
{
	int32_t offset = program_offset(span->program, field);
	uint64_t value = 0;

	if (offset >= 0 && (size_t)offset + size <= SPAN_BYTES)
		memcpy(&value, span->bytes + offset, size);
	return value;
}

/** Bytes of nelems and freeindex: they stand side by side where they are 16 bits wide (1.22+). */
static size_t index_size(const struct program *program)
{
	return program_offset(program, GO_MSPAN_NELEMS) -
				       program_offset(program, GO_MSPAN_FREEINDEX) ==
			       2
		       ? 2
		       : 8;
}

/** True when the span's numbers agree with each other. */
static bool span_sound(const struct heap_span *span)
{
	uint64_t bytes = span->pages << PAGE_SHIFT;

	if (!span->start || span->start % (1ull << PAGE_SHIFT) || !span->pages ||
	    span->pages > SPAN_PAGES_LIMIT || span->start + bytes < span->start)
		return false;
	if (span->limit <= span->start || span->limit > span->start + bytes)
		return false;
	return span->elem_size && span->elem_count && span->elem_size <= bytes &&
	       span->elem_count <= bytes / span->elem_size;
}

bool heap_span_read(const struct heap *heap, uint64_t address, struct heap_span *ret)
{
	struct span_bytes raw = {.program = heap->program};
	size_t narrow = index_size(heap->program);
	uint64_t extent = memory_extent(heap->program->memory, address);
	uint8_t class;

	if (!memory_read(heap->program->memory, address, raw.bytes,
			 extent && extent < SPAN_BYTES ? extent : SPAN_BYTES))
		return false;
	if (span_field(&raw, GO_MSPAN_STATE, 1) != SPAN_IN_USE)
		return false;
	class = (uint8_t)span_field(&raw, GO_MSPAN_SPANCLASS, 1);
	*ret = (struct heap_span){
		.start = span_field(&raw, GO_MSPAN_STARTADDR, 8),
		.pages = span_field(&raw, GO_MSPAN_NPAGES, 8),
		.limit = span_field(&raw, GO_MSPAN_LIMIT, 8),
		.elem_size = span_field(&raw, GO_MSPAN_ELEMSIZE, 8),
		.elem_count = span_field(&raw, GO_MSPAN_NELEMS, narrow),
		.free_index = span_field(&raw, GO_MSPAN_FREEINDEX, narrow),
		.allocation_bits = span_field(&raw, GO_MSPAN_ALLOCBITS, 8),
		.large_type = span_field(&raw, GO_MSPAN_LARGETYPE, 8),
		.no_pointers = class & 1,
		.large = class >> 1 == 0,
	};
	return span_sound(ret);
}

/** By the allocator's bits: everything below freeindex, and what the last sweep found alive. */
static bool element_allocated(const struct heap *heap, const struct heap_span *span, uint64_t index)
{
	uint8_t bits;

	if (index < span->free_index)
		return true;
	return span->allocation_bits &&
	       memory_u8(heap->program->memory, span->allocation_bits + index / 8, &bits) &&
	       bits >> index % 8 & 1;
}

/** The type that the allocator keeps for an object, and where its data starts (1.22+). */
static void object_type(const struct heap *heap, const struct heap_span *span,
			struct heap_object *object)
{
	if (program_offset(heap->program, GO_MSPAN_LARGETYPE) == GO_ABSENT || span->no_pointers)
		return;
	if (span->large) {
		object->type = span->large_type;
	} else if (span->elem_size > HEADER_OVER) {
		object->data += HEADER_BYTES;
		if (!memory_u64(heap->program->memory, object->address, &object->type))
			object->type = 0;
	}
}

/** NULL when the span is not in use for objects. */
static const struct heap_span *span_recall(struct heap *heap, uint64_t address)
{
	struct span_kept *kept = &heap->kept[(address * 0x9e3779b97f4a7c15ull >> 40) % SPANS_KEPT];

	if (kept->address != address) {
		kept->address = address;
		kept->in_use = heap_span_read(heap, address, &kept->span);
	}
	return kept->in_use ? &kept->span : NULL;
}

bool heap_object_at(struct program *program, uint64_t address, struct heap_object *ret)
{
	struct heap *heap = program->heap;
	const struct heap_span *span;
	uint64_t at, index;

	if (!heap_ready(heap))
		return false;
	at = span_of(heap, address);
	span = at ? span_recall(heap, at) : NULL;
	if (!span || address < span->start || address >= span->limit)
		return false;
	index = (address - span->start) / span->elem_size;
	if (index >= span->elem_count)
		return false;
	*ret = (struct heap_object){
		.address = span->start + index * span->elem_size,
		.size = span->elem_size,
		.span = span->start,
		.pointers = !span->no_pointers,
		.allocated = element_allocated(heap, span, index),
	};
	ret->data = ret->address;
	object_type(heap, span, ret);
	return true;
}
