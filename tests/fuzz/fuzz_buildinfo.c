// SPDX-License-Identifier: Apache-2.0
// The whole way from an ELF file of anyone's making to its build information and its module.
#include "base/arena.h"
#include "evidence/binary/buildinfo.h"
#include "evidence/binary/moduledata.h"
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file file = fuzz_file_open(data, size);
	struct memory *memory = memory_new();
	struct arena *arena = arena_new();
	struct image *image = NULL;
	struct moduledata module;
	struct buildinfo info;
	struct error *error = image_open(file.path, &image);
	bool exact;

	if (!error) {
		image_add_to(image, 0, memory);
		error = buildinfo_read(image, 0, memory, arena, &info);
	}
	if (!error)
		error = moduledata_find(image, 0, memory,
					go_layout_find(info.version, image_arch(image), &exact),
					&module);
	error_free(error);
	memory_free(memory);
	image_close(image);
	arena_free(arena);
	fuzz_file_close(&file);
	return 0;
}
