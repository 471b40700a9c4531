// SPDX-License-Identifier: Apache-2.0
// The map walks and the heap's index over memory that an enemy wrote. The input is a Go minor, the
// sizes of a map type, and up to a few tens of KiB in which the map's header, buckets and mheap_
// stand.
#include "base/arena.h"
#include "base/bytes.h"
#include "model/data/heap.h"
#include "model/data/map.h"

#define SPACE_START 0xc000000000ull
#define SPACE_BYTES (1u << 16)
#define MHEAP       (SPACE_START + 0x800)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool visit(uint64_t key, uint64_t elem, void *context)
{
	++*(uint64_t *)context;
	return true;
}

static void word_visit(uint64_t word, uint64_t value, void *context) { ++*(uint64_t *)context; }

static void program_try(struct program *program, const struct go_map_shape *shape)
{
	const struct go_type word = {.kind = GO_KIND_INT, .size = 8};
	struct go_type type = {.kind = GO_KIND_MAP, .key = &word, .elem = &word, .map = *shape};
	struct heap_object object;
	uint64_t calls = 0;
	struct go_map map;

	type.map.swiss = program_offset(program, GO_SWISS_USED) != GO_ABSENT;
	for (uint64_t at = 0; at < 0x400; at += 0x100)
		if (map_read(program, SPACE_START + at, &map))
			map_entries(program, &map, &type, visit, &calls);
	for (uint64_t at = 0; at < SPACE_BYTES; at += 0x1000)
		heap_object_at(program, SPACE_START + at, &object);
	heap_references(program, SPACE_START, SPACE_START + SPACE_BYTES, word_visit, &calls);
}

static struct error *shape_read(struct bytes *b, uint8_t *minor, struct go_map_shape *shape)
{
	uint8_t small[5];

	TRY(bytes_u8(b, "minor", minor));
	for (size_t i = 0; i < sizeof(small); i++)
		TRY(bytes_u8(b, "size", &small[i]));
	*shape = (struct go_map_shape){
		.indirect_key = small[0] & 1,
		.indirect_elem = small[0] & 2,
		.key_size = small[1],
		.elem_size = small[2],
		.bucket_size = small[3] * 8u,
		.group_size = small[3] * 8u,
		.keys_offset = 8,
		.key_stride = small[4],
		.elems_offset = 8u + small[1],
		.elem_stride = small[4],
	};
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = bytes_over(data, size, place_whole("input"));
	struct program program = {.arena = arena_new(), .memory = memory_new()};
	scoped(error) struct error *error = NULL;
	struct go_map_shape shape;
	uint8_t minor;
	bool exact;

	error = shape_read(&b, &minor, &shape);
	if (!error && bytes_left(&b) > 0) {
		program.layout = go_layout_find((struct go_version){9 + minor % 19, 0, true},
						GO_ARCH_AMD64, &exact);
		program.heap = heap_new_at(&program, MHEAP);
		memory_add(program.memory, SPACE_START, b.at, bytes_left(&b), b.origin);
		program_try(&program, &shape);
		heap_free(program.heap);
	}
	memory_free(program.memory);
	arena_free(program.arena);
	free(program.gaps.items);
	return 0;
}
