// SPDX-License-Identifier: Apache-2.0
// The kernel writes uc_stack, {ss_sp, ss_flags, ss_size} of the alternate stack, at byte 16 of the
// ucontext on both architectures; the alternate stack is the m's gsignal stack, so its own bounds
// are the mark to look for.
#include "model/signal_frame.h"

#define WORD           8
#define UC_STACK       16
#define STACK_T_SIZE   16 /* offset of ss_size in stack_t */
#define SCAN_MAX_BYTES (256u << 10)

struct context_layout {
	uint32_t pc, sp, lr; /* byte offsets in the ucontext; lr 0 when there is none */
};

// asm/ucontext.h, asm/sigcontext.h: amd64 gregs at 40 (rsp is the 16th, rip the 17th); arm64
// mcontext at 176 (fault address, x0..x30, sp, pc)
static const struct context_layout layouts[] = {
	[GO_ARCH_AMD64] = {168, 160, 0},
	[GO_ARCH_ARM64] = {440, 432, 424},
};

static bool is_context(struct program *program, uint64_t at, uint64_t lo, uint64_t size)
{
	uint64_t stack_pointer, stack_size;

	return memory_u64(program->memory, at + UC_STACK, &stack_pointer) && stack_pointer == lo &&
	       memory_u64(program->memory, at + UC_STACK + STACK_T_SIZE, &stack_size) &&
	       stack_size == size;
}

static bool read_context(struct program *program, uint64_t at, struct unwind_start *ret)
{
	const struct context_layout *layout = &layouts[program->arch];
	struct unwind_start start = {.exact = true};

	if (!memory_u64(program->memory, at + layout->pc, &start.pc) ||
	    !memory_u64(program->memory, at + layout->sp, &start.sp))
		return false;
	if (layout->lr)
		memory_u64(program->memory, at + layout->lr, &start.lr);
	*ret = start;
	return true;
}

bool signal_frame_find(struct program *program, const struct thread *thread,
		       struct unwind_start *ret)
{
	uint64_t lo = program_word(program, thread->gsignal, GO_G_STACK_LO);
	uint64_t hi = program_word(program, thread->gsignal, GO_G_STACK_HI);
	uint64_t sp = thread->registers ? thread->registers->sp : 0;

	if (!lo || sp < lo || sp >= hi || hi - lo > SCAN_MAX_BYTES)
		return false;
	for (uint64_t at = sp & ~(uint64_t)(WORD - 1); at + UC_STACK < hi; at += WORD) {
		struct unwind_start start;

		if (!is_context(program, at, lo, hi - lo) || !read_context(program, at, &start))
			continue;
		// a handler that dies by its own signal is itself interrupted: look above it
		if (start.sp >= lo && start.sp < hi)
			continue;
		*ret = start;
		return true;
	}
	return false;
}
