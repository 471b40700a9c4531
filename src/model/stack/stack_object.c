// SPDX-License-Identifier: Apache-2.0
// Knows the records' two shapes (stackObjectRecord, runtime/stack.go@go1.12, @go1.17, @go1.18): an
// offset from the end of the locals (negative) or from the start of the arguments, and a type or a
// size.
#include "model/stack/stack_object.h"

#include <stdlib.h>

enum {
	OBJECTS_MAX = 4096,
	WORD = 8,
	FIRST_WITH_LIST = 12,
	FIRST_WITH_SIZES = 17, /* 24 bytes a record; 16 since 1.18 */
};

struct record {
	int64_t offset, size;
};

/* 1.12 to 1.16: off int, typ *_type, whose first word is its size. */
static bool read_typed(const struct memory *memory, uint64_t at, struct record *ret)
{
	uint64_t offset, type, size;

	if (!memory_u64(memory, at, &offset) || !memory_u64(memory, at + WORD, &type) ||
	    !memory_u64(memory, type, &size))
		return false;
	*ret = (struct record){(int64_t)offset, (int64_t)size};
	return true;
}

static bool read_sized(const struct memory *memory, uint64_t at, struct record *ret)
{
	uint32_t offset, size;

	if (!memory_u32(memory, at, &offset) || !memory_u32(memory, at + 4, &size))
		return false;
	*ret = (struct record){(int32_t)offset, (int32_t)size};
	return true;
}

/*
 * Locals end below the saved frame pointer, which stands below the return address (amd64) or the
 * frame's end (arm64); arguments start above the return address or link register slot
 * (runtime/stkframe.go, varp and argp). SP at entry points to the word between.
 */
static struct flow_object placed(struct record record)
{
	int64_t base = record.offset < 0 ? -WORD : WORD;

	return (struct flow_object){base + record.offset, record.size};
}

static int by_offset(const void *a, const void *b)
{
	const struct flow_object *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Puts them in order, and those together that overlap or touch. */
static size_t joined(struct flow_object *objects, size_t count)
{
	size_t kept = 0;

	qsort(objects, count, sizeof(*objects), by_offset);
	for (size_t i = 0; i < count; i++) {
		struct flow_object *last = kept ? &objects[kept - 1] : NULL;
		int64_t end = objects[i].offset + objects[i].size;

		if (!last || objects[i].offset > last->offset + last->size)
			objects[kept++] = objects[i];
		else if (end > last->offset + last->size)
			last->size = end - last->offset;
	}
	return kept;
}

bool stack_objects_read(const struct memory *memory, const struct pclntab *table,
			const struct go_function *function, const struct go_layout *layout,
			struct flow_objects *ret)
{
	unsigned minor = layout->version.minor;
	uint64_t at, count, bytes = minor == FIRST_WITH_SIZES ? 24 : 16;
	struct flow_object *objects;
	struct record record;

	if (minor < FIRST_WITH_LIST || !table)
		return false;
	*ret = (struct flow_objects){0};
	at = pclntab_funcdata(table, function, GO_FUNCDATA_STACK_OBJECTS);
	if (!at)
		return true;
	if (!memory_u64(memory, at, &count) || count > OBJECTS_MAX)
		return false;
	objects = calloc(count + 1, sizeof(*objects));
	if (!objects)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		bool read = minor < FIRST_WITH_SIZES
				    ? read_typed(memory, at + WORD + i * bytes, &record)
				    : read_sized(memory, at + WORD + i * bytes, &record);

		if (!read || record.size < 0 || record.size > INT32_MAX ||
		    record.offset < -INT32_MAX || record.offset > INT32_MAX) {
			free(objects);
			return false;
		}
		objects[i] = placed(record);
	}
	*ret = (struct flow_objects){objects, joined(objects, count)};
	return true;
}

bool stack_object_covers(const struct flow_objects *objects, int64_t offset)
{
	size_t low = 0, high = objects->count;

	while (low < high) { /* the first that does not end below */
		size_t middle = low + (high - low) / 2;
		const struct flow_object *object = &objects->objects[middle];

		if (object->offset + object->size <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < objects->count && objects->objects[low].offset - WORD < offset;
}
