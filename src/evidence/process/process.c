// SPDX-License-Identifier: Apache-2.0
#include "evidence/process/process.h"

#include <endian.h>

#define NO_WORD 0xff

/** Which word of the register set holds what: amd64's user_regs_struct, arm64's user_pt_regs. */
static const struct register_layout {
	uint8_t words;
	uint8_t pc, sp, bp, lr, tls;
	uint8_t general_count;
	uint8_t general[32];
} layouts[] = {
	[GO_ARCH_AMD64] = {27,
			   16,
			   19,
			   4,
			   NO_WORD,
			   21,
			   16,
			   {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0}},
	[GO_ARCH_ARM64] = {34, 32, 31, 29, 30, NO_WORD, 31, {0,  1,  2,  3,  4,  5,  6,  7,
							     8,  9,  10, 11, 12, 13, 14, 15,
							     16, 17, 18, 19, 20, 21, 22, 23,
							     24, 25, 26, 27, 28, 29, 30}},
};

size_t process_register_words(enum go_arch arch) { return layouts[arch].words; }

static uint64_t word_of(const uint64_t *words, uint8_t index)
{
	return index == NO_WORD ? 0 : le64toh(words[index]);
}

struct process_registers process_registers_from(enum go_arch arch, const uint64_t *words)
{
	const struct register_layout *layout = &layouts[arch];
	struct process_registers registers = {
		.pc = word_of(words, layout->pc),
		.sp = word_of(words, layout->sp),
		.bp = word_of(words, layout->bp),
		.lr = word_of(words, layout->lr),
		.tls = word_of(words, layout->tls),
	};

	for (size_t i = 0; i < layout->general_count; i++)
		registers.general[i] = word_of(words, layout->general[i]);
	return registers;
}

bool process_auxv(const struct process *process, uint64_t type, uint64_t *ret)
{
	struct text auxv = process->auxv;
	uint64_t pair[2];

	for (size_t at = 0; auxv.n - at >= sizeof(pair); at += sizeof(pair)) {
		memcpy(pair, auxv.p + at, sizeof(pair));
		if (le64toh(pair[0]) == type) {
			*ret = le64toh(pair[1]);
			return true;
		}
	}
	return false;
}
