// SPDX-License-Identifier: Apache-2.0
#include "model/code/flow.h"

static const struct flow_value flow_unknown = {.argument = CODE_NONE, .slot = FLOW_NOWHERE};

uint8_t flow_argument_register(enum go_arch arch, int index)
{
	/* cmd/compile/abi-internal.md: RAX, RBX, RCX, RDI, RSI, R8 ... R11; R0 ... R15 */
	static const uint8_t amd64[] = {0, 3, 1, 7, 6, 8, 9, 10, 11};

	if (index < 0 || index >= (arch == GO_ARCH_AMD64 ? 9 : 16))
		return CODE_NONE;
	return arch == GO_ARCH_AMD64 ? amd64[index] : (uint8_t)index;
}

struct flow_value flow_argument(const struct flow_state *s, struct flow_abi abi, int index,
				bool tail)
{
	struct flow_value sp = s->registers[code_stack_pointer(abi.arch)];
	int64_t skip = abi.arch == GO_ARCH_ARM64 || tail ? 8 : 0; /* the return address */
	uint8_t number = flow_argument_register(abi.arch, index);

	if (index < 0 || (abi.registers && number == CODE_NONE))
		return flow_unknown;
	if (abi.registers)
		return s->registers[number];
	if (sp.kind != FLOW_STACK)
		return flow_unknown;
	return flow_stack_word(
		s, (int64_t)((uint64_t)sp.number + (uint64_t)(skip + 8 * (int64_t)index)));
}

struct flow_value flow_iterator(const struct flow_state *s, struct flow_value iterator,
				enum flow_plane plane)
{
	if (iterator.kind != FLOW_STACK)
		return flow_unknown;
	return flow_slot_value(s, iterator.number, (uint8_t)plane);
}

/* Arguments on the stack begin above the return address. */
bool flow_is_of_first_argument(struct flow_abi abi, struct flow_value field)
{
	if (field.hops)
		return false;
	if (abi.registers)
		return field.root == FLOW_ROOT_ARGUMENT &&
		       field.origin == flow_argument_register(abi.arch, 0);
	return field.root == FLOW_ROOT_SLOT && field.origin == 8;
}
