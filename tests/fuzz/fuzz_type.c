// SPDX-License-Identifier: Apache-2.0
// Type descriptors from anyone: a Go minor, then the module's type data.
#include "base/arena.h"
#include "base/bytes.h"
#include "model/data/type.h"

#define START 0x400000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(const struct go_type *type, void *context)
{
	const struct go_type *part;

	for (uint64_t offset = 0; offset < 64; offset += 8) {
		char path[128] = "";

		go_type_path(type, offset, path, sizeof(path), &part);
	}
	++*(size_t *)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory *memory = memory_new();
	struct arena *arena = arena_new();
	size_t count = 0;
	bool exact;

	if (size > 1) {
		struct go_version version = {9 + data[0] % 19, 0, true};
		struct moduledata module = {.types = START, .etypes = START + size - 1};
		struct types *types =
			types_new(memory, go_layout_find(version, GO_ARCH_AMD64, &exact), arena);

		memory_add(memory, START, data + 1, size - 1, place_whole("input"));
		if (version.minor >= 27) {
			module.typedesclen = size - 1;
		} else {
			module.typelinks = START;
			module.typelink_count = 16;
		}
		types_add_module(types, &module);
		types_each(types, visit, &count);
		for (uint64_t at = START; at < START + size - 1; at += 8)
			if (types_at(types, at))
				visit(types_at(types, at), &count);
		types_free(types);
	}
	memory_free(memory);
	arena_free(arena);
	return 0;
}
