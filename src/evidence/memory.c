// SPDX-License-Identifier: Apache-2.0
#include "evidence/memory.h"

#include <endian.h>
#include <glib.h>
#include <string.h>

struct memory {
	GArray *ranges; // struct memory_range, in address order, disjoint
};

#define RANGE(memory, i) (&g_array_index((memory)->ranges, struct memory_range, i))

struct memory *memory_new(void)
{
	struct memory *memory = g_new0(struct memory, 1);

	memory->ranges = g_array_new(FALSE, FALSE, sizeof(struct memory_range));
	return memory;
}

void memory_free(struct memory *memory)
{
	if (!memory)
		return;
	g_array_free(memory->ranges, TRUE);
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

void memory_add(struct memory *memory, uint64_t address, const void *bytes, uint64_t size,
		struct place origin)
{
	struct memory_range whole = {address, size, bytes, origin};
	uint64_t end, from = address;

	if (__builtin_add_overflow(address, size, &end))
		end = UINT64_MAX;
	for (guint i = range_after(memory, address); from < end; i++) {
		bool last = i == memory->ranges->len || RANGE(memory, i)->address >= end;
		uint64_t to = last ? end : RANGE(memory, i)->address;

		if (from < to) {
			struct memory_range part = range_part(&whole, from, to);

			g_array_insert_val(memory->ranges, i, part);
			i++;
		}
		if (last)
			return;
		from = RANGE(memory, i)->address + RANGE(memory, i)->size;
	}
}

static const struct memory_range *range_at(const struct memory *memory, uint64_t address)
{
	guint i = range_after(memory, address);
	const struct memory_range *range;

	if (i == memory->ranges->len)
		return NULL;
	range = RANGE(memory, i);
	return range->address <= address ? range : NULL;
}

uint64_t memory_extent(const struct memory *memory, uint64_t address)
{
	const struct memory_range *range = range_at(memory, address);

	return range ? range->size - (address - range->address) : 0;
}

const void *memory_view(const struct memory *memory, uint64_t address, uint64_t size)
{
	const struct memory_range *range = range_at(memory, address);

	if (!range || range->size - (address - range->address) < size)
		return NULL;
	return range->bytes + (address - range->address);
}

bool memory_read(const struct memory *memory, uint64_t address, void *ret, uint64_t size)
{
	const void *view = memory_view(memory, address, size);
	uint64_t done, piece;

	if (view) {
		memcpy(ret, view, size);
		return true;
	}
	for (done = 0; done < size; done += piece) {
		piece = memory_extent(memory, address + done);
		if (!piece)
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

bool memory_u16(const struct memory *memory, uint64_t address, uint16_t *ret)
{
	if (!memory_read(memory, address, ret, sizeof(*ret)))
		return false;
	*ret = le16toh(*ret);
	return true;
}

bool memory_u32(const struct memory *memory, uint64_t address, uint32_t *ret)
{
	if (!memory_read(memory, address, ret, sizeof(*ret)))
		return false;
	*ret = le32toh(*ret);
	return true;
}

bool memory_u64(const struct memory *memory, uint64_t address, uint64_t *ret)
{
	if (!memory_read(memory, address, ret, sizeof(*ret)))
		return false;
	*ret = le64toh(*ret);
	return true;
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
	return RANGE(memory, 0);
}
