// SPDX-License-Identifier: Apache-2.0
#include "evidence/process/memory.h"

#include "evidence/process/memory_lazy.h"

#include <endian.h>
#include <glib.h>
#include <stdatomic.h>
#include <string.h>

struct memory {
	GArray *ranges;    // struct memory_range, in address order, disjoint
	GPtrArray *lazies; // struct memory_lazy, owned
	// Look-ups cluster: the range that answered last, asked first. Relaxed, as readers may run
	// on several threads and any value will do.
	_Atomic guint hint;
};

#define RANGE(memory, i) (&g_array_index((memory)->ranges, struct memory_range, i))

struct memory *memory_new(void)
{
	struct memory *memory = g_new0(struct memory, 1);

	// sized: data is then never NULL, and `ranges + count` sound for an empty memory
	memory->ranges = g_array_sized_new(FALSE, FALSE, sizeof(struct memory_range), 32);
	memory->lazies = g_ptr_array_new_with_free_func(memory_lazy_free);
	return memory;
}

void memory_free(struct memory *memory)
{
	if (!memory)
		return;
	g_array_free(memory->ranges, TRUE);
	g_ptr_array_free(memory->lazies, TRUE);
	g_free(memory);
}

/** Index of the first range that ends after @a address. */
static guint range_after(const struct memory *memory, uint64_t address)
{
	guint low = 0, high = memory->ranges->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		const struct memory_range *range = RANGE(memory, middle);

		if (range->address + range->size <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct memory_range range_part(const struct memory_range *whole, uint64_t from, uint64_t to)
{
	struct memory_range part = *whole;

	part.address = from;
	part.size = to - from;
	part.bytes += from - whole->address;
	part.origin.offset += from - whole->address;
	return part;
}

/** The parts of @a whole that no range covers, and the index after the last range it touches. */
static GArray *uncovered_parts(const struct memory *memory, const struct memory_range *whole,
			       guint first, guint *ret_end)
{
	GArray *parts = g_array_new(FALSE, FALSE, sizeof(struct memory_range));
	uint64_t from = whole->address, end = whole->address + whole->size;
	guint i;

	for (i = first; i < memory->ranges->len && RANGE(memory, i)->address < end; i++) {
		const struct memory_range *range = RANGE(memory, i);

		if (from < range->address) {
			struct memory_range part = range_part(whole, from, range->address);

			g_array_append_val(parts, part);
		}
		from = range->address + range->size;
	}
	if (from < end) {
		struct memory_range part = range_part(whole, from, end);

		g_array_append_val(parts, part);
	}
	*ret_end = i;
	return parts;
}

/** Merges the parts from the back, so that many of them move each range once only. */
static void parts_merge(struct memory *memory, guint first, guint end, const GArray *parts)
{
	guint from = end, part = parts->len, to = end + parts->len,
	      after = memory->ranges->len - end;

	g_array_set_size(memory->ranges, memory->ranges->len + parts->len);
	if (after)
		memmove(RANGE(memory, to), RANGE(memory, end), after * sizeof(struct memory_range));
	while (part) {
		const struct memory_range *new =
			&g_array_index(parts, struct memory_range, part - 1);

		if (from > first && RANGE(memory, from - 1)->address > new->address)
			*RANGE(memory, --to) = *RANGE(memory, --from);
		else {
			*RANGE(memory, --to) = *new;
			part--;
		}
	}
}

/** Both in the process and in the evidence, @a next begins where @a range ends. */
static bool continues(const struct memory_range *range, const struct memory_range *next)
{
	return range->lazy == next->lazy && range->address + range->size == next->address &&
	       range->bytes + range->size == next->bytes &&
	       range->origin.source == next->origin.source &&
	       range->origin.offset + range->size == next->origin.offset;
}

/**
 * Joins ranges [@a first, @a end) to their neighbours where nothing lies between them: tables span the
 * segments that a core cuts memory into, and a view must not end in their middle.
 */
static void join_touching(struct memory *memory, guint first, guint end)
{
	for (guint i = MIN(end, memory->ranges->len - 1); i > 0 && i >= first; i--) {
		if (!continues(RANGE(memory, i - 1), RANGE(memory, i)))
			continue;
		RANGE(memory, i - 1)->size += RANGE(memory, i)->size;
		g_array_remove_index(memory->ranges, i);
	}
}

static void range_add(struct memory *memory, const struct memory_range *whole)
{
	guint first, end;
	GArray *parts;

	if (whole->size == 0)
		return;
	first = range_after(memory, whole->address);
	parts = uncovered_parts(memory, whole, first, &end);
	parts_merge(memory, first, end, parts);
	join_touching(memory, first, end + parts->len);
	g_array_free(parts, TRUE);
	memory->hint = 0;
}

void memory_add(struct memory *memory, uint64_t address, const void *bytes, uint64_t size,
		struct place origin)
{
	struct memory_range whole = {address, MIN(size, UINT64_MAX - address), bytes, origin};

	range_add(memory, &whole);
}

bool memory_add_lazy(struct memory *memory, uint64_t address, uint64_t size, memory_fetch fetch,
		     void *context, struct place origin)
{
	struct memory_range whole = {address, MIN(size, UINT64_MAX - address), NULL, origin};

	if (whole.size == 0)
		return true;
	whole.lazy = memory_lazy_new(address, whole.size, fetch, context);
	if (!whole.lazy)
		return false;
	whole.bytes = memory_lazy_bytes(whole.lazy);
	g_ptr_array_add(memory->lazies, whole.lazy);
	range_add(memory, &whole);
	return true;
}

static bool range_holds(const struct memory *memory, guint i, uint64_t address)
{
	return i < memory->ranges->len &&
	       address - RANGE(memory, i)->address < RANGE(memory, i)->size;
}

static const struct memory_range *range_at(const struct memory *memory, uint64_t address)
{
	_Atomic guint *hint = (_Atomic guint *)&memory->hint; // no part of what the memory says
	guint i = atomic_load_explicit(hint, memory_order_relaxed);

	if (range_holds(memory, i, address))
		return RANGE(memory, i);
	i = range_after(memory, address);
	if (!range_holds(memory, i, address))
		return NULL;
	atomic_store_explicit(hint, i, memory_order_relaxed);
	return RANGE(memory, i);
}

uint64_t memory_extent(const struct memory *memory, uint64_t address)
{
	const struct memory_range *range = range_at(memory, address);

	return range ? range->size - (address - range->address) : 0;
}

const void *memory_view(const struct memory *memory, uint64_t address, uint64_t size)
{
	const struct memory_range *range = range_at(memory, address);

	if (!range || range->size - (address - range->address) < size ||
	    (range->lazy && !memory_lazy_have(range->lazy, address, size)))
		return NULL;
	return range->bytes + (address - range->address);
}

const void *memory_glance(const struct memory *memory, uint64_t address, uint64_t size,
			  void *buffer)
{
	const struct memory_range *range = range_at(memory, address);

	if (!range || !range->lazy || memory_lazy_has(range->lazy, address, size))
		return memory_view(memory, address, size);
	if (range->size - (address - range->address) < size ||
	    !memory_lazy_copy(range->lazy, address, buffer, size))
		return NULL;
	return buffer;
}

bool memory_read(const struct memory *memory, uint64_t address, void *ret, uint64_t size)
{
	const void *view = memory_view(memory, address, size);
	uint64_t done, piece;

	if (view) {
		memcpy(ret, view, size);
		return true;
	}
	if (size > UINT64_MAX - address)
		return false; // no object goes around the end of memory
	for (done = 0; done < size; done += piece) {
		piece = MIN(memory_extent(memory, address + done), size - done);
		if (!piece || !memory_view(memory, address + done, piece))
			return false;
	}
	for (done = 0; done < size; done += piece) {
		piece = MIN(memory_extent(memory, address + done), size - done);
		memcpy((uint8_t *)ret + done, memory_view(memory, address + done, piece), piece);
	}
	return true;
}

bool memory_u8(const struct memory *memory, uint64_t address, uint8_t *ret)
{
	return memory_read(memory, address, ret, sizeof(*ret));
}

/** Of a known size, which makes it one load where the memory is at hand. */
static inline __attribute__((always_inline)) bool load(const struct memory *memory,
						       uint64_t address, void *ret, size_t size)
{
	const void *view = memory_view(memory, address, size);

	if (!view)
		return memory_read(memory, address, ret, size);
	memcpy(ret, view, size);
	return true;
}

bool memory_u16(const struct memory *memory, uint64_t address, uint16_t *ret)
{
	if (!load(memory, address, ret, sizeof(*ret)))
		return false;
	*ret = le16toh(*ret);
	return true;
}

bool memory_u32(const struct memory *memory, uint64_t address, uint32_t *ret)
{
	if (!load(memory, address, ret, sizeof(*ret)))
		return false;
	*ret = le32toh(*ret);
	return true;
}

bool memory_u64(const struct memory *memory, uint64_t address, uint64_t *ret)
{
	if (!load(memory, address, ret, sizeof(*ret)))
		return false;
	*ret = le64toh(*ret);
	return true;
}

static bool words_hold(const uint8_t *bytes, uint64_t count, uint64_t word)
{
	uint64_t value, same = 0;

	// no early end: this way the compiler looks at several words at once
	for (uint64_t i = 0; i < count; i++) {
		memcpy(&value, bytes + i * sizeof(value), sizeof(value));
		same |= value == htole64(word);
	}
	return same;
}

bool memory_holds(const struct memory *memory, uint64_t address, uint64_t size, uint64_t word)
{
	const uint8_t *view;

	for (uint64_t done = 0, piece; done < size; done += piece) {
		piece = MIN(memory_extent(memory, address + done), size - done);
		if (piece < sizeof(word))
			return false;
		piece -= piece % sizeof(word);
		view = memory_view(memory, address + done, piece);
		if (view && words_hold(view, piece / sizeof(word), word))
			return true;
	}
	return false;
}

struct place memory_place(const struct memory *memory, uint64_t address)
{
	const struct memory_range *range = range_at(memory, address);

	if (!range)
		return (struct place){"", 0};
	return (struct place){range->origin.source,
			      range->origin.offset + (address - range->address)};
}

const struct memory_range *memory_ranges(const struct memory *memory, size_t *ret_count)
{
	*ret_count = memory->ranges->len;
	return (const struct memory_range *)(const void *)memory->ranges->data;
}
