// SPDX-License-Identifier: Apache-2.0
// Any bytes as the code of a function: first byte picks the architecture and the calling convention.
#include "model/code/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct flow_effect effect(uint64_t target, void *context)
{
	return (struct flow_effect){.returns = target % 3 != 0,
				    .preserves = target % 5 == 0,
				    .clobbers = (uint32_t)target,
				    .fills = target % 7 ? 0 : 1u << target % 16,
				    .args_bytes = (uint32_t)target % 512,
				    .type = 0,
				    .map = 1,
				    .iter = target % 2 ? 2 : -1};
}

static void visit(const struct code_operation *op, const struct flow_state *state, void *context)
{
	struct flow_abi abi = *(const struct flow_abi *)context;

	for (int i = -1; i < 20; i++)
		flow_iterator(state, flow_argument(state, abi, i, i % 2), FLOW_ITERATOR_TYPE);
	flow_address(state, op);
	flow_loaded(state, op);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_object object = {-32, 16};
	struct flow_objects objects = {&object, 1};
	struct flow_abi abi;
	struct memory *memory;
	uint64_t target;

	if (size < 2)
		return 0;
	abi = (struct flow_abi){data[0] & 1 ? GO_ARCH_ARM64 : GO_ARCH_AMD64, data[0] & 2};
	memory = memory_new();
	memory_add(memory, 0x400000, data, size, place_whole("input"));
	scoped(code) struct code *code = code_new(abi.arch);
	struct flow_code flow = {code,     memory,
				 abi,      data + 1,
				 0x400001, 0x400000 + size,
				 effect,   visit,
				 &abi,     data[0] & 4 ? &objects : NULL};

	if (code)
		flow_run(&flow);
	code_ends_in_call(abi.arch, data, data + size, 0x400000 + size, &target);
	memory_free(memory);
	return 0;
}
