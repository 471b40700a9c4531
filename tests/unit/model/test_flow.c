// SPDX-License-Identifier: Apache-2.0
// Small functions assembled by hand: what reaches the arguments of the one call of 0x9000 in each.
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "model/code/flow.h"

#include <glib.h>

struct seen {
	struct flow_abi abi;
	unsigned calls;
	struct flow_value first, second;
};

#define FILLS_16 0x1100 /* bytes from where RDI points, as duffzero does */

static struct flow_effect effect(uint64_t target, void *context)
{
	if (target == FILLS_16)
		return (struct flow_effect){.returns = true,
					    .preserves = true,
					    .clobbers = 1u << 7,
					    .fills = 1u << 7,
					    .fill_bytes = 16,
					    .type = -1,
					    .map = -1,
					    .iter = -1};
	return (struct flow_effect){
		.returns = true, .args_bytes = 8, .type = -1, .map = -1, .iter = -1};
}

static void visit(const struct code_operation *op, const struct flow_state *state, void *context)
{
	struct seen *seen = context;

	if (op->kind != CODE_CALL)
		return;
	seen->calls++;
	seen->first = flow_argument(state, seen->abi, 0, false);
	seen->second = flow_argument(state, seen->abi, 1, false);
}

/* The function stands at 0x1000; the last call in it is what is seen. */
static struct seen follow(bool registers, const char *bytes, size_t size)
{
	struct seen seen = {.abi = {GO_ARCH_AMD64, registers}};
	struct memory *memory = memory_new();
	struct flow_code flow = {.code = code_new(GO_ARCH_AMD64),
				 .memory = memory,
				 .abi = seen.abi,
				 .bytes = (const uint8_t *)bytes,
				 .entry = 0x1000,
				 .end = 0x1000 + size,
				 .effect = effect,
				 .visit = visit,
				 .context = &seen};

	flow_run(&flow);
	code_free(flow.code);
	memory_free(memory);
	return seen;
}
#define FOLLOW(registers, bytes) follow(registers, bytes, sizeof(bytes) - 1)

static void register_arguments(void **state)
{
	/* lea rax,[rip+0x10]; mov rbx,[rip+0x20]; call */
	struct seen s = FOLLOW(true, "\x48\x8d\x05\x10\x00\x00\x00\x48\x8b\x1d\x20\x00\x00\x00"
				     "\xe8\x00\x00\x00\x00\xc3");

	assert_int_equal(s.calls, 1);
	assert_int_equal(s.first.kind, FLOW_CONSTANT);
	assert_int_equal(s.first.number, 0x1017);
	assert_int_equal(s.second.kind, FLOW_LOADED);
	assert_int_equal(s.second.number, 0x102e);
}

static void stack_arguments(void **state)
{
	/* sub rsp,0x18; lea rcx,[rip+0x10]; mov [rsp],rcx; mov rdx,[rax+0x28]; mov [rsp+8],rdx; call */
	struct seen s =
		FOLLOW(false, "\x48\x83\xec\x18\x48\x8d\x0d\x10\x00\x00\x00\x48\x89\x0c\x24"
			      "\x48\x8b\x50\x28\x48\x89\x54\x24\x08\xe8\x00\x00\x00\x00\xc3");

	assert_int_equal(s.first.kind, FLOW_CONSTANT);
	assert_int_equal(s.first.number, 0x101b);
	assert_int_equal(s.second.kind, FLOW_FIELD);
	assert_int_equal(s.second.number, 0x28);
	assert_int_equal(s.second.argument, 0);
}

static void spilled_across_a_call(void **state)
{
	/* sub rsp,0x18; lea rax,[rip+0x10]; mov [rsp+0x10],rax; call; mov rax,[rsp+0x10]; call */
	struct seen s =
		FOLLOW(true, "\x48\x83\xec\x18\x48\x8d\x05\x10\x00\x00\x00\x48\x89\x44\x24\x10"
			     "\xe8\x00\x00\x00\x00\x48\x8b\x44\x24\x10\xe8\x00\x00\x00\x00\xc3");

	assert_int_equal(s.calls, 2);
	assert_int_equal(s.first.kind, FLOW_CONSTANT);
	assert_int_equal(s.first.number, 0x101b);
	assert_int_equal(s.second.kind, FLOW_UNKNOWN); /* no register survives a call */
}

static void overwritten_by_the_callee(void **state)
{
	/* As above at [rsp], which is the callee's argument area. */
	struct seen s =
		FOLLOW(true, "\x48\x83\xec\x18\x48\x8d\x05\x10\x00\x00\x00\x48\x89\x04\x24"
			     "\xe8\x00\x00\x00\x00\x48\x8b\x04\x24\xe8\x00\x00\x00\x00\xc3");

	assert_int_equal(s.first.kind, FLOW_UNKNOWN);
}

static void paths_that_differ_are_unknown(void **state)
{
	/* lea rax,[rip+0x10]; test ecx,ecx; je +7; lea rax,[rip+0x20]; call */
	struct seen s = FOLLOW(true, "\x48\x8d\x05\x10\x00\x00\x00\x85\xc9\x74\x07"
				     "\x48\x8d\x05\x20\x00\x00\x00\xe8\x00\x00\x00\x00\xc3");

	assert_int_equal(s.calls, 1);
	assert_int_equal(s.first.kind, FLOW_UNKNOWN);
}

static void paths_that_agree_are_known(void **state)
{
	/* lea rax,[rip+0x10]; test ecx,ecx; je +2; xor ebx,ebx; call */
	struct seen s = FOLLOW(true, "\x48\x8d\x05\x10\x00\x00\x00\x85\xc9\x74\x02\x31\xdb"
				     "\xe8\x00\x00\x00\x00\xc3");

	assert_int_equal(s.first.number, 0x1017);
	assert_int_equal(s.second.kind, FLOW_UNKNOWN);
}

/** What was spilled right above the bytes that are filled is there still; what is among them is not. */
static void only_what_is_filled_changes(void **state)
{
	/* sub rsp,0x28; mov [rsp+8],rbx; mov [rsp+0x18],rax; lea rdi,[rsp+8]; call 0x1100 */
#define FILL                                                                                       \
	"\x48\x83\xec\x28\x48\x89\x5c\x24\x08\x48\x89\x44\x24\x18\x48\x8d\x7c\x24\x08"             \
	"\xe8\xe8\x00\x00\x00"
	/* mov rax,[rsp+0x18]; mov rbx,[rsp+8]; call */
	struct seen s = FOLLOW(true, FILL "\x48\x8b\x44\x24\x18\x48\x8b\x5c\x24\x08"
					  "\xe8\x00\x00\x00\x00\xc3");

	assert_int_equal(s.first.kind, FLOW_ARGUMENT);
	assert_int_equal(s.first.argument, 0);
	assert_int_equal(s.second.kind, FLOW_UNKNOWN);
}

static void a_loop_that_changes_a_value(void **state)
{
	/* lea rax,[rip+0x10]; L: call; mov rax,rcx; jmp L */
	struct seen s = FOLLOW(true, "\x48\x8d\x05\x10\x00\x00\x00\xe8\x00\x00\x00\x00\x48\x89\xc8"
				     "\xeb\xf6");

	assert_int_equal(s.first.kind, FLOW_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(register_arguments),
		cmocka_unit_test(stack_arguments),
		cmocka_unit_test(spilled_across_a_call),
		cmocka_unit_test(overwritten_by_the_callee),
		cmocka_unit_test(paths_that_differ_are_unknown),
		cmocka_unit_test(paths_that_agree_are_known),
		cmocka_unit_test(only_what_is_filled_changes),
		cmocka_unit_test(a_loop_that_changes_a_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
