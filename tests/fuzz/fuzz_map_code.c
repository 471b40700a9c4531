// SPDX-License-Identifier: Apache-2.0
// Any bytes as the code of a map function.
#include "record/map_code.h"

#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum callee callee_of(void *context, uint64_t address) { return (enum callee)(address % 3); }

static bool is_map_message(void *context, uint64_t address) { return address % 2; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct map_code_question question = {
		.address = 0x400000,
		.callee = callee_of,
		.is_map_message = is_map_message,
	};
	struct map_code code;

	if (size < 2)
		return 0;
	scoped(decoder) struct decoder *decoder = decoder_new();
	question.bytes = data + 1;
	question.size = size - 1;
	question.writes = data[0] & 1;
	question.reads = !question.writes;
	question.flag_offset = data[0] & 2 ? 34 : 8;
	question.flag_mask = data[0] & 2 ? 1 : 4;
	question.map_register = data[0] & 4 ? RAX : REGISTER_NONE;
	if (decoder) {
		map_code_read(decoder, &question, &code);
		map_code_read_birth(decoder, &question, MOMENT_MADE, &code);
		map_code_read_birth(decoder, &question, MOMENT_GROWN, &code);
	}
	return 0;
}
