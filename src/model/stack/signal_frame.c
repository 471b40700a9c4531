// SPDX-License-Identifier: Apache-2.0
// The kernel writes uc_stack, {ss_sp, ss_flags, ss_size} of the alternate stack, at byte 16 of the
// ucontext on both architectures; the alternate stack is the m's gsignal stack, so its own bounds
// are the mark to look for. siginfo lies above the ucontext on amd64 and below it on arm64 (struct
// rt_sigframe in arch/x86/include/asm/sigframe.h and arch/arm64/kernel/signal.c).
#include "model/stack/signal_frame.h"

#define WORD           8
#define UC_STACK       16
#define STACK_T_SIZE   16 /* offset of ss_size in stack_t */
#define SCAN_MAX_BYTES (256u << 10)

/* siginfo_t: signal, errno, code, padding, then the sender or the address */
#define SI_SIGNO 0
#define SI_CODE  8
#define SI_UNION 16

struct context_layout {
	uint32_t pc, sp, lr; /* byte offsets in the ucontext; lr 0 when there is none */
	int32_t info;        /* of siginfo */
};

// asm/ucontext.h, asm/sigcontext.h: amd64 gregs at 40 (rsp is the 16th, rip the 17th); arm64
// mcontext at 176 (fault address, x0..x30, sp, pc)
static const struct context_layout layouts[] = {
	[GO_ARCH_AMD64] = {168, 160, 0, 304},
	[GO_ARCH_ARM64] = {440, 432, 424, -128},
};

static bool is_context(struct program *program, uint64_t at, uint64_t lo, uint64_t size)
{
	uint64_t stack_pointer, stack_size;

	return memory_u64(program->memory, at + UC_STACK, &stack_pointer) && stack_pointer == lo &&
	       memory_u64(program->memory, at + UC_STACK + STACK_T_SIZE, &stack_size) &&
	       stack_size == size;
}

static void read_info(struct program *program, uint64_t at, struct signal_frame *ret)
{
	uint32_t signal = 0, code = 0, sender = 0;

	memory_u32(program->memory, at + SI_SIGNO, &signal);
	memory_u32(program->memory, at + SI_CODE, &code);
	ret->signal = (int32_t)signal;
	ret->code = (int32_t)code;
	if (ret->code > 0)
		memory_u64(program->memory, at + SI_UNION, &ret->fault);
	else if (memory_u32(program->memory, at + SI_UNION, &sender))
		ret->sender = (int32_t)sender;
}

static bool read_frame(struct program *program, uint64_t at, struct signal_frame *ret)
{
	const struct context_layout *layout = &layouts[program->arch];
	struct signal_frame frame = {.interrupted.exact = true};
	struct unwind_start *start = &frame.interrupted;

	if (!memory_u64(program->memory, at + layout->pc, &start->pc) ||
	    !memory_u64(program->memory, at + layout->sp, &start->sp))
		return false;
	if (layout->lr)
		memory_u64(program->memory, at + layout->lr, &start->lr);
	read_info(program, at + (uint64_t)(int64_t)layout->info, &frame);
	*ret = frame;
	return true;
}

bool signal_frame_find(struct program *program, const struct thread *thread,
		       struct signal_frame *ret)
{
	uint64_t lo = program_word(program, thread->gsignal, GO_G_STACK_LO);
	uint64_t hi = program_word(program, thread->gsignal, GO_G_STACK_HI);
	uint64_t sp = thread->registers ? thread->registers->sp : 0;

	if (!lo || sp < lo || sp >= hi || hi - lo > SCAN_MAX_BYTES)
		return false;
	for (uint64_t at = sp & ~(uint64_t)(WORD - 1); at + UC_STACK < hi; at += WORD) {
		struct signal_frame frame;

		if (!is_context(program, at, lo, hi - lo) || !read_frame(program, at, &frame))
			continue;
		// the handler itself was interrupted here: the goroutine's frame is further up
		if (frame.interrupted.sp >= lo && frame.interrupted.sp < hi)
			continue;
		*ret = frame;
		return true;
	}
	return false;
}
