// SPDX-License-Identifier: Apache-2.0
#include "evidence/debug/debugfile.h"
#include "evidence/binary/image.h"

#include "fuzz_file.h"

#define BIAS 0x555555554000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_everything(struct image *image)
{
	scoped(memory) struct memory *memory = memory_new();
	struct image_range range;
	uint64_t value;
	char path[256];
	size_t count;

	image_section(image, ".text", &range);
	image_symbol(image, "runtime.allgs", &value);
	image_header_address(image, &value);
	image_missing_bytes(image);
	error_free(debugfile_find(image, "/nonexistent", path, sizeof(path)));
	image_add_to(image, BIAS, memory);
	image_add_to(image, 2 * BIAS, memory);
	for (const struct memory_range *one = memory_ranges(memory, &count), *end = one + count;
	     one < end; one++)
		if (one->size && one->bytes[0] + one->bytes[one->size - 1] > 2 * UINT8_MAX)
			abort(); // touches both ends
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file file = fuzz_file_open(data, size);
	struct image *image = NULL;

	error_free(image_open(file.path, &image));
	if (image)
		ask_everything(image);
	image_close(image);
	fuzz_file_close(&file);
	return 0;
}
