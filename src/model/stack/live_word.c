// SPDX-License-Identifier: Apache-2.0
// runtime.stackmap: how many bitmaps, bits in each, the bitmaps (runtime/stkframe.go, getStackMap@1.22.12).
#include "model/stack/live_word.h"

#define WORD     8
#define BITS_MAX 4096 /* words of a frame that are looked at */
#define MAPS_MAX 65536
#define SAVED    (2 * WORD) /* between locals and arguments: return address and frame pointer */

struct bitmap {
	uint64_t bytes;
	uint64_t count; /* of bits, one a word */
};

static bool bitmap_read(struct program *program, const struct frame *frame, enum go_funcdata which,
			struct bitmap *ret)
{
	const struct pclntab *table = program->tables[frame->table];
	uint64_t map = pclntab_funcdata(table, frame->function, which);
	int32_t at = pclntab_pcdata(table, frame->function, GO_PCDATA_STACK_MAP, frame->pc - 1);
	uint32_t maps, bits;

	if (!map || at < 0 || !memory_u32(program->memory, map, &maps) ||
	    !memory_u32(program->memory, map + 4, &bits) || maps > MAPS_MAX || bits > BITS_MAX ||
	    (uint32_t)at >= maps)
		return false;
	*ret = (struct bitmap){map + 8 + (uint64_t)at * ((bits + 7) / 8), bits};
	return true;
}

static void bitmap_visit(struct program *program, struct bitmap bitmap, uint64_t words,
			 void (*visit)(uint64_t value, void *context), void *context)
{
	for (uint64_t i = 0; i < bitmap.count; i++) {
		uint64_t value;
		uint8_t bits;

		if (memory_u8(program->memory, bitmap.bytes + i / 8, &bits) && bits >> i % 8 & 1 &&
		    memory_u64(program->memory, words + i * WORD, &value))
			visit(value, context);
	}
}

void live_words(struct program *program, const struct frame *frame,
		void (*visit)(uint64_t value, void *context), void *context)
{
	struct bitmap locals, arguments;

	if (frame->exact_pc || frame->on_g0)
		return;
	if (bitmap_read(program, frame, GO_FUNCDATA_LOCALS_POINTER_MAPS, &locals) &&
	    frame->cfa - frame->sp >= SAVED + locals.count * WORD)
		bitmap_visit(program, locals, frame->cfa - SAVED - locals.count * WORD, visit,
			     context);
	if (bitmap_read(program, frame, GO_FUNCDATA_ARGS_POINTER_MAPS, &arguments))
		bitmap_visit(program, arguments, frame->cfa, visit, context);
}
