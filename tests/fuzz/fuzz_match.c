// SPDX-License-Identifier: Apache-2.0
#include "evidence/process/core.h"
#include "evidence/binary/match.h"

#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** A core, then an image: the first two bytes, little-endian, say where one ends. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file core_file, image_file;
	struct core *core = NULL;
	struct image *image = NULL;
	const char *checked;
	uint64_t bias;
	size_t cut;

	if (size < 2)
		return 0;
	cut = data[0] | (size_t)data[1] << 8;
	data += 2;
	size -= 2;
	cut = cut < size ? cut : size;
	core_file = fuzz_file_open(data, cut);
	image_file = fuzz_file_open(data + cut, size - cut);
	error_free(core_open(core_file.path, &core));
	error_free(image_open(image_file.path, &image));
	for (int force = 0; core && image && force < 2; force++)
		error_free(match_image(core_process(core), image, force, &bias, &checked));
	core_close(core);
	image_close(image);
	fuzz_file_close(&core_file);
	fuzz_file_close(&image_file);
	return 0;
}
