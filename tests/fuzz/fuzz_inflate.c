// SPDX-License-Identifier: Apache-2.0
#include "evidence/file/inflate.h"

#include "fuzz_file.h"

#define LIMIT (1u << 20) /* of inflated bytes: keeps a bomb from slowing the search */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text input = {(const char *)data, size};
	enum compression compression = compression_recognise(input);
	struct inflated inflated = {0};
	struct fuzz_file out;

	if (compression == COMPRESSION_NONE)
		return 0;
	out = fuzz_file_open(NULL, 0);
	error_free(inflate_stream(compression, input, "fuzz", out.file, LIMIT, &inflated));
	if (inflated.size > LIMIT)
		abort();
	fuzz_file_close(&out);
	return 0;
}
