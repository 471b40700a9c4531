// SPDX-License-Identifier: Apache-2.0
#include "evidence/process/core.h"
#include "evidence/file/inflate.h"
#include "evidence/binary/match.h"

#include "fuzz_file.h"

#define COMPRESSED_MAX 2048 /* bytes: more could hold a slow bomb; fuzz_inflate searches there */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_everything(const struct core *core)
{
	scoped(memory) struct memory *memory = memory_new();
	size_t count, length = 0;
	const struct process *process = core_process(core);
	const struct process_mapping *mappings = process->mappings;
	uint64_t value;

	for (size_t i = 0; i < process->mapping_count; i++)
		length += strlen(mappings[i].path);
	if (!match_program_path(process))
		length++;
	process_auxv(process, 9, &value);
	process->add_to(process, memory);
	for (const struct memory_range *one = memory_ranges(memory, &count), *end = one + count;
	     one < end; one++)
		length += (size_t)one->bytes[0] + one->bytes[one->size - 1]; // touches both ends
	if (length == SIZE_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text input = {(const char *)data, size};
	struct fuzz_file file;
	struct core *core = NULL;

	if (compression_recognise(input) != COMPRESSION_NONE && size > COMPRESSED_MAX)
		return 0;
	file = fuzz_file_open(data, size);
	error_free(core_open(file.path, &core));
	if (core)
		ask_everything(core);
	core_close(core);
	fuzz_file_close(&file);
	return 0;
}
