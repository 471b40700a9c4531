// SPDX-License-Identifier: Apache-2.0
// Knows frame sizes, stack switches and signal frames. Facts: runtime/traceback.go (unwinder.next,
// resolveInternal, symPC@1.22), runtime/asm_amd64.s (systemstack, mcall, morestack).
#include "model/stack/unwind.h"

#include "base/limits.h"
#include "model/stack/exact_frame.h"
#include "model/stack/signal_frame.h"
#include "model/stack/spot.h"

#include <glib.h>

#define WORD 8
#define ARM64_INJECTED_BYTES                                                                       \
	16 /* what sigpanic and asyncPreempt push: alignUp(MinFrameSize, 16)  \
				 */
#define FLAG_TOPFRAME 1
#define FLAG_SPWRITE  2

struct walk {
	struct program *program;
	uint64_t pc, sp, lr;
	uint64_t lo, hi;
	bool exact; // pc is where it stopped or where an injected call returns to
	bool innermost;
	const struct spot *spot;
	uint64_t cfa, return_pc;
	GArray *frames; // struct frame
	const char *broken;
};

static bool on_stack(uint64_t sp, uint64_t lo, uint64_t hi) { return sp >= lo && sp < hi; }

static bool start_if_on_stack(const struct goroutine *goroutine, struct unwind_start start,
			      struct unwind_start *ret)
{
	if (!start.pc || !on_stack(start.sp, goroutine->stack_lo, goroutine->stack_hi))
		return false;
	*ret = start;
	return true;
}

/**
 * Where the vdso was called from (runtime/sys_linux_amd64.s, walltime and nanotime). Up to Go 1.13
 * vdsoSP is the address of the return address itself, from 1.14 on the one above.
 */
static struct unwind_start vdso_caller(struct program *program, uint64_t m)
{
	struct unwind_start start = {program_word(program, m, GO_M_VDSOPC),
				     program_word(program, m, GO_M_VDSOSP), 0, false};
	uint64_t slot;

	if (memory_u64(program->memory, start.sp, &slot) && slot == start.pc)
		start.sp += WORD;
	return start;
}

/** The thread was on the goroutine's stack, in a signal handler above it, or in the vdso. */
static bool start_from_thread(struct program *program, const struct goroutine *goroutine,
			      struct unwind_start *ret)
{
	const struct thread *thread;
	struct signal_frame frame;
	struct unwind_start start;

	if (goroutine->thread == NO_INDEX)
		return false;
	thread = &program->threads[goroutine->thread];
	if (!thread->registers)
		return false;
	start = (struct unwind_start){thread->registers->pc, thread->registers->sp,
				      thread->registers->lr, true};
	if (start_if_on_stack(goroutine, start, ret))
		return true;
	if (signal_frame_find(program, thread, &frame) &&
	    start_if_on_stack(goroutine, frame.interrupted, ret))
		return true;
	start = vdso_caller(program, thread->address);
	return goroutine->status == GO_STATUS_RUNNING && start_if_on_stack(goroutine, start, ret);
}

bool unwind_start_of(struct program *program, const struct goroutine *goroutine,
		     struct unwind_start *ret)
{
	uint64_t g = goroutine->address;
	struct unwind_start syscall = {program_word(program, g, GO_G_SYSCALLPC),
				       program_word(program, g, GO_G_SYSCALLSP), 0, false};
	struct unwind_start sched = {program_word(program, g, GO_G_SCHED_PC),
				     program_word(program, g, GO_G_SCHED_SP),
				     program_word(program, g, GO_G_SCHED_LR), false};

	if (goroutine->status == GO_STATUS_DEAD || goroutine->status == GO_STATUS_DEADEXTRA)
		return false;
	if (start_from_thread(program, goroutine, ret))
		return true;
	return start_if_on_stack(goroutine, syscall, ret) ||
	       start_if_on_stack(goroutine, sched, ret);
}

static bool uses_link_register(const struct walk *walk)
{
	return walk->program->arch == GO_ARCH_ARM64;
}

static bool stop(struct walk *walk, const char *why)
{
	walk->broken = why;
	return false;
}

/** Fills spot, cfa and return_pc of the frame at pc, sp. */
static bool resolve_frame(struct walk *walk)
{
	struct program *program = walk->program;
	uint64_t fp, return_slot;

	walk->spot = program_spot(program, walk->pc, walk->exact);
	if (!walk->spot)
		return stop(walk, "a return address is in no Go function");
	if (walk->spot->sp_delta < 0)
		return stop(walk, "a function's frame size is not known");
	fp = walk->sp + (uint32_t)walk->spot->sp_delta;
	if (fp > walk->hi)
		return stop(walk, "a frame leaves its stack");
	if (uses_link_register(walk)) {
		walk->cfa = fp + WORD;
		walk->return_pc = walk->lr;
		if (walk->spot->sp_delta == 0 && walk->innermost)
			return true;
		return_slot = walk->sp;
	} else {
		walk->cfa = fp + WORD;
		return_slot = fp;
	}
	if (!memory_u64(program->memory, return_slot, &walk->return_pc))
		return stop(walk, "the stack was not dumped");
	return true;
}

static void append_frames(struct walk *walk)
{
	const struct spot *spot = walk->spot;

	for (size_t i = 0; i < spot->site_count; i++) {
		struct frame frame = {
			.site = &spot->sites[i],
			.function = &spot->function,
			.pc = walk->pc,
			.sp = walk->sp,
			.cfa = walk->cfa,
			.table = spot->table,
			.exact_pc = walk->exact,
			.runtime = spot->runtime[i],
		};

		g_array_append_val(walk->frames, frame);
	}
}

static bool is_top(const struct spot *spot)
{
	return spot->role == GO_ROLE_TOP || (spot->function.flag & FLAG_TOPFRAME);
}

/** Whether the caller's frame can't be told since the function moves the stack pointer itself. */
static bool moves_stack(const struct walk *walk)
{
	return (walk->spot->function.flag & FLAG_SPWRITE) && !walk->innermost &&
	       walk->spot->role != GO_ROLE_CGOCALLBACK;
}

/** On arm64 an injected call pushes the link register of the function it interrupts. */
static void pop_injected_link(struct walk *walk)
{
	const struct spot *spot;
	uint64_t pushed;

	if (!memory_u64(walk->program->memory, walk->sp, &pushed))
		return;
	walk->sp += ARM64_INJECTED_BYTES;
	spot = program_spot(walk->program, walk->pc, walk->exact);
	if (!spot) {
		walk->pc = pushed;
	} else if (spot->sp_delta == 0) {
		walk->lr = pushed;
		walk->innermost = true;
	}
}

/** Moves to the caller; false at the top of the stack. */
static bool step(struct walk *walk)
{
	bool injected = walk->spot->role == GO_ROLE_INJECTED;

	if (is_top(walk->spot))
		return false;
	if (moves_stack(walk))
		return stop(walk, "a function that moves the stack pointer itself is in between");
	if (walk->return_pc == 0)
		return stop(walk, "a return address is zero");
	walk->sp = uses_link_register(walk) ? walk->cfa - WORD : walk->cfa;
	walk->pc = walk->return_pc;
	walk->innermost = false;
	walk->exact = injected;
	if (injected && uses_link_register(walk))
		pop_injected_link(walk);
	if (!on_stack(walk->sp, walk->lo, walk->hi))
		return stop(walk, "the stack ended before its outermost function");
	return true;
}

struct stack unwind_stack(struct program *program, const struct unwind_start *start, uint64_t lo,
			  uint64_t hi)
{
	struct walk walk = {
		.program = program,
		.pc = start->pc,
		.sp = start->sp,
		.lr = start->lr,
		.lo = lo,
		.hi = hi,
		.exact = start->exact,
		.innermost = true,
		.frames = g_array_new(FALSE, FALSE, sizeof(struct frame)),
	};
	struct stack stack;

	while (resolve_frame(&walk)) {
		append_frames(&walk);
		if (walk.frames->len >= LIMIT_FRAMES) {
			walk.broken = "the stack is deeper than any that is read";
			break;
		}
		if (!step(&walk))
			break;
	}
	stack.count = walk.frames->len;
	stack.frames =
		arena_copy(program->arena, walk.frames->data, stack.count * sizeof(struct frame));
	stack.broken = walk.broken;
	g_array_free(walk.frames, TRUE);
	return stack;
}

/**
 * Whether the spill slot holds its argument at the frame's PC. Go 1.18+ records it
 * (runtime/traceback.go, printArgs@1.18.10); up to 1.16 arguments live on the stack; 1.17 passes them
 * in registers (amd64) and says nothing: what an earlier call left in the slot looks the same.
 */
static bool is_argument_live(struct program *program, const struct frame *frame, unsigned index)
{
	const struct pclntab *table = program->tables[frame->table];
	uint64_t info = pclntab_funcdata(table, frame->function, GO_FUNCDATA_ARG_LIVE_INFO);
	uint64_t pc =
		frame->exact_pc || frame->pc <= frame->function->entry ? frame->pc : frame->pc - 1;
	int32_t at = pclntab_pcdata(table, frame->function, GO_PCDATA_ARG_LIVE, pc);
	uint8_t first, bits;

	if (!info || at <= 0)
		return true;
	if (!memory_u8(program->memory, info, &first))
		return false;
	if (index * WORD < first)
		return true;
	if (!memory_u8(program->memory, info + (uint32_t)at + index / 8, &bits))
		return false;
	return bits & (1u << (index % 8));
}

enum argument_trust frame_argument(struct program *program, const struct frame *frame,
				   unsigned index, uint64_t *ret)
{
	// in the middle of its code the slot may not have been written yet
	if (frame->exact_pc && program->sites && sites_abi(program->sites).registers)
		return exact_frame_argument(program, frame, index, ret) ? ARGUMENT_LIVE
									: ARGUMENT_STALE;
	if (!memory_u64(program->memory, frame->cfa + (uint64_t)index * WORD, ret))
		return ARGUMENT_MISSING;
	if (program->layout->arch == GO_ARCH_AMD64 && program->layout->version.minor == 17)
		return ARGUMENT_UNRECORDED;
	return is_argument_live(program, frame, index) ? ARGUMENT_LIVE : ARGUMENT_STALE;
}

const struct stack *program_stack(struct program *program, struct goroutine *goroutine)
{
	struct unwind_start start;

	if (goroutine->unwound)
		return &goroutine->stack;
	goroutine->unwound = true;
	if (unwind_start_of(program, goroutine, &start))
		goroutine->stack =
			unwind_stack(program, &start, goroutine->stack_lo, goroutine->stack_hi);
	else
		goroutine->stack.broken = "nothing says where on its stack it was";
	program_walked(program);
	return &goroutine->stack;
}
