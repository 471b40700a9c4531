// SPDX-License-Identifier: Apache-2.0
// Instructions assembled by hand (Intel and Arm manuals), and what they must come out as.
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "evidence/binary/code.h"

static struct code_operation ops[CODE_OPERATIONS_MAX];

static size_t decode(enum go_arch arch, const char *bytes, size_t size)
{
	struct code *code = code_new(arch);
	size_t count;

	assert_non_null(code);
	count = code_decode(code, (const uint8_t *)bytes, size, 0x1000, ops);
	code_free(code);
	return count;
}
#define DECODE(arch, bytes) decode(arch, bytes, sizeof(bytes) - 1)

static void lea_of_rip_is_a_constant(void **state)
{
	assert_int_equal(DECODE(GO_ARCH_AMD64, "\x48\x8d\x05\x10\x00\x00\x00"), 1);
	assert_int_equal(ops[0].kind, CODE_SET);
	assert_int_equal(ops[0].destination, 0);
	assert_int_equal(ops[0].value, 0x1017);
	assert_int_equal(ops[0].size, 7);
}

static void load_of_rip_is_absolute(void **state)
{
	DECODE(GO_ARCH_AMD64, "\x48\x8b\x1d\x10\x00\x00\x00"); /* mov rbx, [rip+0x10] */
	assert_int_equal(ops[0].kind, CODE_LOAD);
	assert_int_equal(ops[0].destination, 3);
	assert_int_equal(ops[0].base, CODE_NONE);
	assert_int_equal(ops[0].offset, 0x1017);
}

static void spill_and_push(void **state)
{
	DECODE(GO_ARCH_AMD64, "\x48\x89\x44\x24\x18"); /* mov [rsp+0x18], rax */
	assert_int_equal(ops[0].kind, CODE_STORE);
	assert_int_equal(ops[0].base, 4);
	assert_int_equal(ops[0].offset, 0x18);
	assert_int_equal(ops[0].source, 0);
	assert_int_equal(DECODE(GO_ARCH_AMD64, "\x55"), 2); /* push rbp */
	assert_int_equal(ops[0].kind, CODE_ADD);
	assert_int_equal(ops[0].offset, -8);
	assert_int_equal(ops[1].source, 5);
}

/** The compiler zeroes and copies with them. */
static void vector_moves_to_memory_are_stores(void **state)
{
	static const struct {
		const char *bytes;
		size_t size, width;
	} stores[] = {{"\x44\x0f\x11\x7c\x24\x18", 6, 16},  /* movups [rsp+0x18], xmm15 */
		      {"\x0f\x29\x44\x24\x18", 5, 16},      /* movaps [rsp+0x18], xmm0 */
		      {"\x66\x0f\xd6\x44\x24\x18", 6, 8},   /* movq [rsp+0x18], xmm0 */
		      {"\xc5\xfe\x7f\x44\x24\x18", 6, 32}}; /* vmovdqu [rsp+0x18], ymm0 */

	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		decode(GO_ARCH_AMD64, stores[i].bytes, stores[i].size);
		assert_int_equal(ops[0].kind, CODE_STORE);
		assert_int_equal(ops[0].base, 4);
		assert_int_equal(ops[0].offset, 0x18);
		assert_int_equal(ops[0].width, stores[i].width);
	}
	DECODE(GO_ARCH_AMD64, "\x0f\x10\x44\x24\x18"); /* movups xmm0, [rsp+0x18] */
	assert_int_equal(ops[0].kind, CODE_OTHER);
	DECODE(GO_ARCH_AMD64, "\x66\x0f\x2e\x44\x24\x18"); /* ucomisd xmm0, [rsp+0x18] */
	assert_int_equal(ops[0].kind, CODE_OTHER);
}

static void calls_and_jumps(void **state)
{
	DECODE(GO_ARCH_AMD64, "\xe8\xfb\xff\xff\xff");
	assert_int_equal(ops[0].kind, CODE_CALL);
	assert_int_equal(ops[0].value, 0x1000);
	DECODE(GO_ARCH_AMD64, "\xff\x24\xc1"); /* jmp [rcx+rax*8] */
	assert_int_equal(ops[0].kind, CODE_JUMP);
	assert_int_equal(ops[0].value, 0);
	assert_true(ops[0].indexed);
	DECODE(GO_ARCH_ARM64, "\x01\x00\x00\x94"); /* bl .+4 */
	assert_int_equal(ops[0].kind, CODE_CALL);
	assert_int_equal(ops[0].value, 0x1004);
}

static void other_instructions_say_what_they_change(void **state)
{
	DECODE(GO_ARCH_AMD64, "\x31\xc0"); /* xor eax, eax */
	assert_int_equal(ops[0].kind, CODE_OTHER);
	assert_true(ops[0].writes & 1);
	assert_int_equal(DECODE(GO_ARCH_AMD64, "\x06"), 1); /* not in 64-bit mode */
	assert_int_equal(ops[0].size, 1);
	assert_int_equal(ops[0].writes, UINT32_MAX);
	DECODE(GO_ARCH_AMD64, "\x64\x48\x8b\x0c\x25\xf8\xff\xff\xff"); /* mov rcx, fs:[-8] */
	assert_int_equal(ops[0].width, 0);
	assert_true(ops[0].writes & 2);
}

static void arm64_pairs_and_write_back(void **state)
{
	/* ldp x0, x1, [sp, #16] */
	assert_int_equal(DECODE(GO_ARCH_ARM64, "\xe0\x07\x41\xa9"), 2);
	assert_int_equal(ops[1].kind, CODE_LOAD);
	assert_int_equal(ops[1].destination, 1);
	assert_int_equal(ops[1].offset, 24);
	/* str x30, [sp, #-32]! */
	assert_int_equal(DECODE(GO_ARCH_ARM64, "\xfe\x0f\x1e\xf8"), 2);
	assert_int_equal(ops[0].kind, CODE_ADD);
	assert_int_equal(ops[0].offset, -32);
	assert_int_equal(ops[1].offset, 0);
	assert_int_equal(ops[1].source, 30);
	/* adrp x0, .+0x1000 */
	DECODE(GO_ARCH_ARM64, "\x00\x00\x00\xb0");
	assert_int_equal(ops[0].kind, CODE_SET);
	assert_int_equal(ops[0].value, 0x2000);
}

static bool ends(enum go_arch arch, const char *bytes, size_t size, uint64_t *target)
{
	const uint8_t *p = (const uint8_t *)bytes;

	return code_ends_in_call(arch, p, p + size, 0x1000, target);
}
#define ENDS(arch, bytes) ends(arch, bytes, sizeof(bytes) - 1, &target)

static void bytes_before_a_return_address(void **state)
{
	uint64_t target;

	assert_true(ENDS(GO_ARCH_AMD64, "\x90\x90\xe8\x10\x00\x00\x00"));
	assert_int_equal(target, 0x1010);
	assert_true(ENDS(GO_ARCH_AMD64, "\xff\xd0"));                 /* call rax */
	assert_true(ENDS(GO_ARCH_AMD64, "\xff\x50\x08"));             /* call [rax+8] */
	assert_true(ENDS(GO_ARCH_AMD64, "\xff\x54\x24\x08"));         /* call [rsp+8] */
	assert_true(ENDS(GO_ARCH_AMD64, "\xff\x15\x00\x00\x00\x00")); /* call [rip] */
	assert_true(ENDS(GO_ARCH_AMD64, "\xff\x94\x24\x00\x01\x00\x00"));
	assert_int_equal(target, 0);
	assert_false(ENDS(GO_ARCH_AMD64, "\xff\xe0")); /* jmp rax */
	assert_false(ENDS(GO_ARCH_AMD64, "\x10"));
	assert_true(ENDS(GO_ARCH_ARM64, "\x00\x00\x3f\xd6")); /* blr x0 */
	assert_false(ENDS(GO_ARCH_ARM64, "\x00\x00\x1f\xd6"));
	assert_true(ENDS(GO_ARCH_ARM64, "\xff\xff\xff\x97"));
	assert_int_equal(target, 0xff8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lea_of_rip_is_a_constant),
		cmocka_unit_test(load_of_rip_is_absolute),
		cmocka_unit_test(spill_and_push),
		cmocka_unit_test(vector_moves_to_memory_are_stores),
		cmocka_unit_test(calls_and_jumps),
		cmocka_unit_test(other_instructions_say_what_they_change),
		cmocka_unit_test(arm64_pairs_and_write_back),
		cmocka_unit_test(bytes_before_a_return_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
