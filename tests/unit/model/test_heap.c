// SPDX-License-Identifier: Apache-2.0
// A heap of a few hand-made spans, found the way the runtime's spanOf does in each era of its
// layout.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/data/heap.h"
#include "space.h"

#define PAGE 8192

static struct space space;
static uint64_t mheap, span_table; // of the arena that holds the space

/** mheap_ is huge and only a few of its words are looked at: it gets a range of its own. */
static uint8_t mheap_bytes[128 << 10];
#define MHEAP 0x500000ull

/** The table of arenas, and one heapArena, are sparse too. */
static uint8_t table_bytes[64];
#define TABLE 0x700000ull

static void mheap_word(int32_t offset, uint64_t value)
{
	assert_true(offset >= 0);
	memcpy(mheap_bytes + offset, &value, sizeof(value));
}

static void arenas_make(uint64_t base)
{
	uint64_t index = (SPACE_START + base) >> 26;
	uint64_t arena = space_take(&space, 4096);

	span_table = arena;
	arena -= (uint64_t)program_offset(&space.program, GO_HEAPARENA_SPANS);
	memcpy(table_bytes, &arena, sizeof(arena));
	memory_add(space.program.memory, TABLE + index * 8, table_bytes, 8, place_whole("table"));
	mheap_word(program_offset(&space.program, GO_MHEAP_ARENAS), TABLE);
}

static void heap_make(int minor, enum go_arch arch)
{
	space_init(&space, minor, arch);
	memset(mheap_bytes, 0, sizeof(mheap_bytes));
	memory_add(space.program.memory, MHEAP, mheap_bytes, sizeof(mheap_bytes),
		   place_whole("mheap"));
	mheap = MHEAP;
	if (program_offset(&space.program, GO_MHEAP_ARENAS) != GO_ABSENT) {
		arenas_make(arch == GO_ARCH_AMD64 ? 1ull << 47 : 0);
	} else {
		span_table = space_take(&space, 4096);
		mheap_word(program_offset(&space.program, GO_MHEAP_SPANS), span_table);
		mheap_word(program_offset(&space.program, GO_MHEAP_ARENA_START), SPACE_START);
		mheap_word(program_offset(&space.program, GO_MHEAP_ARENA_USED),
			   SPACE_START + SPACE_BYTES);
	}
	space.program.heap = heap_new_at(&space.program, mheap);
}

static int teardown(void **state)
{
	heap_free(space.program.heap);
	space_done(&space);
	return 0;
}

struct shape {
	uint64_t page, pages, elem_size, free_index;
	uint8_t bits, class, state;
};

/** A span on page @a shape->page of the space, entered in the index. */
static uint64_t span_make(const struct shape *shape)
{
	uint64_t span = space_take(&space, 256), bits = space_take(&space, 64);
	uint64_t start = SPACE_START + shape->page * PAGE;
	uint64_t count = shape->pages * PAGE / shape->elem_size;
	size_t narrow = space.program.layout->version.minor >= 22 ? 2 : 8;

	space_field(&space, span, GO_MSPAN_STARTADDR, start, 8);
	space_field(&space, span, GO_MSPAN_NPAGES, shape->pages, 8);
	space_field(&space, span, GO_MSPAN_FREEINDEX, shape->free_index, narrow);
	space_field(&space, span, GO_MSPAN_NELEMS, count, narrow);
	space_field(&space, span, GO_MSPAN_ALLOCBITS, bits, 8);
	space_field(&space, span, GO_MSPAN_SPANCLASS, shape->class, 1);
	space_field(&space, span, GO_MSPAN_STATE, shape->state, 1);
	space_field(&space, span, GO_MSPAN_ELEMSIZE, shape->elem_size, 8);
	space_field(&space, span, GO_MSPAN_LIMIT, start + count * shape->elem_size, 8);
	space_u8(&space, bits, shape->bits);
	for (uint64_t i = 0; i < shape->pages; i++)
		space_u64(&space, span_table + (shape->page + i) * 8, span);
	return span;
}

static void spans_list(const uint64_t *spans, size_t count)
{
	uint64_t list = space_take(&space, count * 8);
	int32_t field = program_offset(&space.program, GO_MHEAP_ALLSPANS);

	space_write(&space, list, spans, count * 8);
	mheap_word(field, list);
	mheap_word(field + 8, count);
}

/** An object of 48 bytes: inside, freed, beyond the last one, and in a span that is none. */
static void object_check(int minor, enum go_arch arch)
{
	const struct shape small = {.page = 20,
				    .pages = 1,
				    .elem_size = 48,
				    .free_index = 2,
				    .bits = 1 << 3,
				    .class = 5 << 1,
				    .state = 1};
	const struct shape stack = {.page = 22, .pages = 4, .elem_size = 32768, .state = 2};
	struct heap_object object;
	uint64_t start = SPACE_START + 20 * PAGE;

	heap_make(minor, arch);
	span_make(&small);
	span_make(&stack);
	assert_true(heap_object_at(&space.program, start + 48 + 47, &object));
	assert_int_equal(object.address, start + 48);
	assert_int_equal(object.data, start + 48);
	assert_int_equal(object.size, 48);
	assert_int_equal(object.span, start);
	assert_true(object.pointers);
	assert_true(object.allocated);
	assert_int_equal(object.type, 0);
	assert_true(heap_object_at(&space.program, start + 48 * 2, &object));
	assert_false(object.allocated);
	assert_true(heap_object_at(&space.program, start + 48 * 3, &object));
	assert_true(object.allocated);
	assert_false(
		heap_object_at(&space.program, start + 8191, &object)); // tail: 170 * 48 = 8160
	assert_false(heap_object_at(&space.program, start + PAGE, &object));
	assert_false(heap_object_at(&space.program, start + 2 * PAGE, &object)); // a stack
	assert_false(heap_object_at(&space.program, 0, &object));
	assert_false(heap_object_at(&space.program, UINT64_MAX, &object));
	assert_int_equal(space.program.gaps.count, 0);
	teardown(NULL);
}

static void test_object(void **state)
{
	for (int minor = GO_MINOR_OLDEST; minor <= GO_MINOR_NEWEST; minor++)
		object_check(minor, GO_ARCH_AMD64);
	object_check(22, GO_ARCH_ARM64);
	object_check(26, GO_ARCH_ARM64);
}

static void test_types_of_the_allocator(void **state)
{
	const struct shape headed = {.page = 20,
				     .pages = 1,
				     .elem_size = 1024,
				     .free_index = 8,
				     .class = 30 << 1,
				     .state = 1};
	const struct shape flat = {.page = 21,
				   .pages = 1,
				   .elem_size = 1024,
				   .free_index = 8,
				   .class = 30 << 1 | 1,
				   .state = 1};
	const struct shape large = {.page = 22,
				    .pages = 8,
				    .elem_size = 65536,
				    .free_index = 1,
				    .class = 0,
				    .state = 1};
	struct heap_object object;
	uint64_t start = SPACE_START + 20 * PAGE, span;

	heap_make(22, GO_ARCH_AMD64);
	span_make(&headed);
	span_make(&flat);
	span = span_make(&large);
	space_field(&space, span, GO_MSPAN_LARGETYPE, 0x4a1000, 8);
	space_u64(&space, start + 1024, 0x4a2000);
	assert_true(heap_object_at(&space.program, start + 1024 + 16, &object));
	assert_int_equal(object.type, 0x4a2000);
	assert_int_equal(object.data, start + 1024 + 8);
	assert_true(heap_object_at(&space.program, start + PAGE, &object));
	assert_false(object.pointers);
	assert_int_equal(object.type, 0);
	assert_int_equal(object.data, object.address);
	assert_true(heap_object_at(&space.program, start + 2 * PAGE + 50000, &object));
	assert_int_equal(object.type, 0x4a1000);
	assert_int_equal(object.data, start + 2 * PAGE);
	teardown(NULL);
}

/** The heap keeps what it has read of a span: a changed one needs a new heap. */
static void span_change(uint64_t span, enum go_field field, uint64_t value, unsigned size)
{
	space_field(&space, span, field, value, size);
	heap_free(space.program.heap);
	space.program.heap = heap_new_at(&space.program, mheap);
}

/** Spans whose numbers do not agree are not believed. */
static void test_damaged_spans(void **state)
{
	const struct shape shape = {
		.page = 20, .pages = 1, .elem_size = 64, .free_index = 128, .class = 2, .state = 1};
	uint64_t start = SPACE_START + 20 * PAGE, span;
	struct heap_object object;

	heap_make(22, GO_ARCH_AMD64);
	span = span_make(&shape);
	span_change(span, GO_MSPAN_ELEMSIZE, 0, 8);
	assert_false(heap_object_at(&space.program, start, &object));
	span_change(span, GO_MSPAN_ELEMSIZE, 640, 8); // 128 of them do not fit
	assert_false(heap_object_at(&space.program, start, &object));
	span_change(span, GO_MSPAN_ELEMSIZE, 64, 8);
	span_change(span, GO_MSPAN_NPAGES, UINT64_MAX, 8);
	assert_false(heap_object_at(&space.program, start, &object));
	span_change(span, GO_MSPAN_NPAGES, 1, 8);
	assert_true(heap_object_at(&space.program, start, &object));
	span_change(span, GO_MSPAN_LIMIT, start + 2 * PAGE, 8);
	assert_false(heap_object_at(&space.program, start, &object));
	span_change(span, GO_MSPAN_LIMIT, start + 64, 8);
	assert_false(heap_object_at(&space.program, start + 64, &object));
	teardown(NULL);
}

static void test_no_mheap(void **state)
{
	struct heap_object object;

	heap_make(22, GO_ARCH_AMD64);
	heap_free(space.program.heap);
	space.program.heap = heap_new_at(&space.program, 0x10);
	assert_false(heap_object_at(&space.program, SPACE_START, &object));
	assert_false(heap_object_at(&space.program, SPACE_START + 8, &object));
	assert_int_equal(space.program.gaps.count, 1);
	assert_string_equal(space.program.gaps.items[0].what, "the heap's spans");
	teardown(NULL);
}

struct words {
	uint64_t at[16], values[16];
	size_t count;
};

static void word_note(uint64_t word, uint64_t value, void *context)
{
	struct words *words = context;

	assert_true(words->count < 16);
	words->at[words->count] = word;
	words->values[words->count++] = value;
}

#define TARGET 0xc1234567000ull

/** One word in each kind of place; those the collector would not look at are not reported. */
static void test_references(void **state)
{
	const struct shape shapes[] = {
		{.page = 20, .pages = 1, .elem_size = 64, .class = 2, .state = 1},
		{.page = 21, .pages = 1, .elem_size = 64, .class = 3, .state = 1},    // no pointers
		{.page = 24, .pages = 4, .elem_size = 32768, .class = 0, .state = 2}, // a stack
		{.page = 30, .pages = 8, .elem_size = 65536, .class = 0, .state = 1},
	};
	struct moduledata module = {
		.data = SPACE_START + 50 * PAGE,
		.edata = SPACE_START + 51 * PAGE,
		.noptrdata = SPACE_START + 51 * PAGE,
		.enoptrdata = SPACE_START + 52 * PAGE,
	};
	struct goroutine goroutine = {
		.stack_lo = SPACE_START + 24 * PAGE,
		.stack_hi = SPACE_START + 28 * PAGE,
		.live_sp = SPACE_START + 27 * PAGE,
	};
	const uint64_t expected[] = {
		SPACE_START + 20 * PAGE,      SPACE_START + 20 * PAGE + 8184,
		SPACE_START + 27 * PAGE + 16, SPACE_START + 31 * PAGE + 1000,
		SPACE_START + 50 * PAGE + 8,
	};
	const uint64_t silent[] = {
		SPACE_START + 21 * PAGE,
		SPACE_START + 26 * PAGE,
		SPACE_START + 40 * PAGE,
		SPACE_START + 51 * PAGE + 8,
	};
	uint64_t spans[5];
	struct words words = {0};

	heap_make(22, GO_ARCH_AMD64);
	for (size_t i = 0; i < 4; i++)
		spans[i] = span_make(&shapes[i]);
	spans[4] = spans[0]; // the same one twice is looked at once
	spans_list(spans, 5);
	space.program.modules = &module;
	space.program.module_count = 1;
	space.program.goroutines = &goroutine;
	space.program.goroutine_count = space.program.live_count = 1;
	for (size_t i = 0; i < 5; i++)
		space_u64(&space, expected[i], TARGET + i);
	for (size_t i = 0; i < 4; i++)
		space_u64(&space, silent[i], TARGET);
	space_u64(&space, SPACE_START + 20 * PAGE + 800, TARGET - 1);
	space_u64(&space, SPACE_START + 20 * PAGE + 808, TARGET + 16);
	heap_references(&space.program, TARGET, TARGET + 16, word_note, &words);
	assert_int_equal(words.count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(words.at[i], expected[i]);
		assert_int_equal(words.values[i], TARGET + i);
	}
	heap_references(&space.program, TARGET, TARGET, word_note, &words);
	assert_int_equal(words.count, 5);
	teardown(NULL);
}

/** Ends of ranges that are not whole words, and bytes that the host holds unaligned. */
static void test_references_unaligned(void **state)
{
	static uint8_t bytes[5000];
	struct words words = {0};
	uint64_t value = TARGET;

	heap_make(22, GO_ARCH_AMD64);
	heap_free(space.program.heap);
	space.program.heap = heap_new_at(&space.program, 0x10);
	memcpy(bytes + 4, &value, 8);            // 0x900008
	memcpy(bytes + 4 + 4096 - 8, &value, 8); // 0x901000
	memcpy(bytes + 4999 - 7, &value, 7);     // cut off
	memory_add(space.program.memory, 0x900004, bytes, 4999, place_whole("odd"));
	heap_references(&space.program, TARGET, TARGET + 1, word_note, &words);
	assert_int_equal(words.count, 2);
	assert_int_equal(words.at[0], 0x900008);
	assert_int_equal(words.at[1], 0x901000);
	teardown(NULL);
}

/** Values on both sides of 2^63: the order is unsigned. */
static void test_references_high(void **state)
{
	struct words words = {0};

	heap_make(22, GO_ARCH_AMD64);
	heap_free(space.program.heap);
	space.program.heap = heap_new_at(&space.program, 0x10);
	space_u64(&space, SPACE_START + 65536, (1ull << 63) - 1);
	space_u64(&space, SPACE_START + 65544, 1ull << 63);
	space_u64(&space, SPACE_START + 131072, UINT64_MAX);
	heap_references(&space.program, (1ull << 63) - 1, (1ull << 63) + 1, word_note, &words);
	assert_int_equal(words.count, 2);
	heap_references(&space.program, 1ull << 63, UINT64_MAX, word_note, &words);
	assert_int_equal(words.count, 3);
	teardown(NULL);
}

static unsigned rests;

static void rest_count(const struct process *process)
{
	(void)process;
	rests++;
}

/** A heap larger than what is kept at a time: it is let go of on the way, and no word is lost where a step ends. */
static void test_references_in_steps(void **state)
{
	enum { SIZE = 40 << 20, STEP = 32 << 20 };
	struct process process = {.rest = rest_count};
	const struct process *before;
	struct words words = {0};
	uint8_t *bytes = calloc(1, SIZE);
	uint64_t value = TARGET, start = 0x10000004, boundary = start + 4 + STEP;

	heap_make(22, GO_ARCH_AMD64);
	heap_free(space.program.heap);
	space.program.heap = heap_new_at(&space.program, 0x10);
	before = space.program.process;
	space.program.process = &process;
	for (uint64_t at = boundary - 8; at <= boundary; at += 8)
		memcpy(bytes + (at - start), &value, sizeof(value));
	memory_add(space.program.memory, start, bytes, SIZE, place_whole("large"));
	rests = 0;
	heap_references(&space.program, TARGET, TARGET + 1, word_note, &words);
	space.program.process = before;
	assert_int_equal(words.count, 2);
	assert_int_equal(words.at[0], boundary - 8);
	assert_int_equal(words.at[1], boundary);
	assert_true(rests >= 2);
	teardown(NULL);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_object),
		cmocka_unit_test(test_types_of_the_allocator),
		cmocka_unit_test(test_damaged_spans),
		cmocka_unit_test(test_no_mheap),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_references_unaligned),
		cmocka_unit_test(test_references_high),
		cmocka_unit_test(test_references_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
