// SPDX-License-Identifier: Apache-2.0
// A frame is printed as name, file, line and "+0x1d": the offset of its PC from the function's entry. With the binary
// that is an address again. A frame that called something holds a return address, whose line is that of the byte before
// (runtime/traceback.go, tracebackPCs@1.22.12); where a signal or an asynchronous preemption stopped the code the PC is
// exact. Which of the two it is, the printed line tells, and else whether a CALL ends there.
#include "model/printout/printout_frame.h"

#include "model/printout/printout_goroutine.h"

#include <glib.h>

#define GENERIC_MARK "[...]"

/* What a numbered frame of the dump is. */
struct printed {
	const struct go_function *function; /**< of the binary, else the name alone */
	const struct go_site *site;
	uint64_t pc;
	bool exact, found;
};

struct printout_frames {
	struct program *program;
	const struct dump *dump;
	GHashTable *printed; /**< number → struct printed */
	GHashTable *stacks;  /**< group → struct stack */
	GHashTable *generic; /**< folded name → GArray of indexes: table << 32 | function */
	struct printout_agreement agreement;
};

static void free_array(gpointer data) { g_array_free(data, TRUE); }

struct printout_frames *printout_frames_new(struct program *program, const struct dump *dump)
{
	struct printout_frames *frames = g_new0(struct printout_frames, 1);

	frames->program = program;
	frames->dump = dump;
	frames->printed = g_hash_table_new(NULL, NULL);
	frames->stacks = g_hash_table_new(NULL, NULL);
	return frames;
}

void printout_frames_free(struct printout_frames *frames)
{
	if (!frames)
		return;
	g_hash_table_destroy(frames->printed);
	g_hash_table_destroy(frames->stacks);
	if (frames->generic)
		g_hash_table_destroy(frames->generic);
	g_free(frames);
}

struct printout_agreement printout_frames_agreement(const struct printout_frames *frames)
{
	return frames->agreement;
}

static void index_generic(struct printout_frames *frames)
{
	const struct program *program = frames->program;

	frames->generic = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_array);
	for (size_t table = 0; table < program->module_count; table++) {
		uint32_t count = pclntab_count(program->tables[table]);
		struct go_function function;

		for (uint32_t i = 0; i < count; i++) {
			uint64_t index = (uint64_t)table << 32 | i;
			char *folded;
			GArray *same;

			if (!pclntab_function(program->tables[table], i, &function) ||
			    !strchr(function.name, '['))
				continue;
			folded = go_function_name_folded(function.name);
			same = g_hash_table_lookup(frames->generic, folded);
			if (!same) {
				same = g_array_new(FALSE, FALSE, sizeof(index));
				g_hash_table_insert(frames->generic, folded, same);
			} else {
				g_free(folded);
			}
			g_array_append_val(same, index);
		}
	}
}

static bool same_file(const char *a, struct text b)
{
	const char *slash = strrchr(a, '/');
	size_t n;

	a = slash ? slash + 1 : a;
	n = strlen(a);
	return b.n >= n && !memcmp(b.p + b.n - n, a, n) && (b.n == n || b.p[b.n - n - 1] == '/');
}

/** The function's own line at @a pc is the printed one. */
static bool has_line(const struct printout_frames *frames, const struct go_function *function,
		     uint64_t pc, const struct dump_frame *frame)
{
	struct go_site sites[PCLNTAB_MAX_INLINED];
	size_t count = program_sites(frames->program, pc, sites);

	return count && pc >= function->entry && pc < function->end &&
	       sites[count - 1].line == (int32_t)frame->line &&
	       same_file(sites[count - 1].file, frame->file);
}

static bool fits(const struct printout_frames *frames, const struct go_function *function,
		 const struct dump_frame *frame)
{
	uint64_t pc = function->entry + frame->pc_offset;

	return has_line(frames, function, pc, frame) ||
	       (frame->pc_offset && has_line(frames, function, pc - 1, frame));
}

/** A CALL ends where the frame stood, which a return address needs. */
static bool follows_call(const struct printout_frames *frames, const struct go_function *function,
			 const struct dump_frame *frame)
{
	uint64_t target;

	return sites_is_call_boundary(frames->program->sites, function->entry + frame->pc_offset,
				      &target);
}

/** Instances of generic code share a printed name: the one whose code has the line, and best a CALL, at that offset. */
static bool generic_by_code(struct printout_frames *frames, const struct dump_frame *frame,
			    const char *name, struct go_function *ret)
{
	struct go_function function;
	size_t found = 0, calling = 0;
	GArray *same;

	if (!frames->generic)
		index_generic(frames);
	same = g_hash_table_lookup(frames->generic, name);
	for (guint i = 0; same && i < same->len; i++) {
		uint64_t index = g_array_index(same, uint64_t, i);
		bool calls;

		if (!pclntab_function(frames->program->tables[index >> 32], (uint32_t)index,
				      &function) ||
		    !fits(frames, &function, frame))
			continue;
		calls = follows_call(frames, &function, frame);
		if (!found++ || (calls && !calling))
			*ret = function;
		calling += calls;
	}
	return found == 1 || calling == 1;
}

/** The caller's own CALL says which instance it was. */
static bool generic_by_caller(struct printout_frames *frames, const struct printed *caller,
			      const char *name, struct go_function *ret)
{
	g_autofree char *folded = NULL;
	uint64_t target = 0;
	uint32_t table;

	if (!caller || !caller->found || caller->exact ||
	    !sites_is_return_address(frames->program->sites, caller->pc, &target) || !target ||
	    !program_function(frames->program, target, ret, &table))
		return false;
	folded = go_function_name_folded(ret->name);
	return g_str_equal(folded, name);
}

static bool find_function(struct printout_frames *frames, const struct dump_frame *frame,
			  const char *name, const struct printed *caller, struct go_function *ret)
{
	if (!strstr(name, GENERIC_MARK))
		return program_function_named(frames->program, name, ret);
	return generic_by_caller(frames, caller, name, ret) ||
	       generic_by_code(frames, frame, name, ret);
}

static bool is_exact(const struct printout_frames *frames, const struct go_function *function,
		     const struct dump_frame *frame, uint64_t pc)
{
	bool here = has_line(frames, function, pc, frame);
	bool before = pc > function->entry && has_line(frames, function, pc - 1, frame);
	uint64_t target;

	if (here != before)
		return here;
	return pc == function->entry ||
	       !sites_is_return_address(frames->program->sites, pc, &target);
}

static void find_pc(struct printout_frames *frames, const struct dump_frame *frame,
		    const char *name, const struct printed *caller, struct printed *printed)
{
	struct program *program = frames->program;
	struct go_function function;

	if (!program->image || frame->flags & DUMP_FRAME_FOREIGN)
		return;
	if (!find_function(frames, frame, name, caller, &function)) {
		frames->agreement.other += !memchr(frame->function.p, '[', frame->function.n);
		return;
	}
	printed->function = arena_copy(program->arena, &function, sizeof(function));
	if (!(frame->flags & DUMP_FRAME_OFFSET))
		return;
	if (!fits(frames, &function, frame)) {
		frames->agreement.other++;
		return;
	}
	frames->agreement.same++;
	printed->found = true;
	printed->pc = function.entry + frame->pc_offset;
	printed->exact = is_exact(frames, &function, frame, printed->pc);
}

/** The same place of generic code may be of different instances, by who called. */
static gpointer key_of(const struct dump_frame *frame, uint32_t number,
		       const struct printed *caller)
{
	bool generic = memmem(frame->function.p, frame->function.n, GENERIC_MARK,
			      strlen(GENERIC_MARK)) != NULL;
	uint64_t key = (uint64_t)number + 1;

	return GSIZE_TO_POINTER(generic && caller ? key | caller->pc << 32 : key);
}

static const struct printed *printed_frame(struct printout_frames *frames, uint32_t number,
					   const struct printed *caller)
{
	struct arena *arena = frames->program->arena;
	const struct dump_frame *frame = dump_frame(frames->dump, number);
	gpointer key = key_of(frame, number, caller);
	struct printed *printed = g_hash_table_lookup(frames->printed, key);
	struct go_function *named;
	struct go_site *site;

	if (printed)
		return printed;
	printed = arena_take(arena, sizeof(*printed));
	printed->pc = frame->pc;
	site = arena_take(arena, sizeof(*site));
	*site = printout_site(frame, arena);
	find_pc(frames, frame, site->function, caller, printed);
	site->pc = printed->pc;
	site->entry = printed->function ? printed->function->entry : 0;
	if (!printed->function) {
		named = arena_take(arena, sizeof(*named));
		named->name = site->function;
		printed->function = named;
	}
	printed->site = site;
	g_hash_table_insert(frames->printed, key, printed);
	return printed;
}

/** Inlined frames are part of the next one that is not: they have its PC and its code. */
static void fill_frames(struct printout_frames *frames, const struct dump_group *group,
			struct frame *ret)
{
	const struct printed *physical = NULL;

	for (size_t i = group->frame_count; i-- > 0;) {
		const struct printed *printed =
			printed_frame(frames, dump_frame_number(frames->dump, group, i), physical);

		if (!printed->site->inlined || !physical)
			physical = printed;
		ret[i] = (struct frame){
			.site = printed->site,
			.function = physical->function,
			.pc = physical->pc,
			.exact_pc = physical->exact,
			.runtime = go_is_runtime_function(printed->site->function),
		};
	}
}

static struct stack stack_of(struct printout_frames *frames, uint32_t number)
{
	struct arena *arena = frames->program->arena;
	struct stack *stack = g_hash_table_lookup(frames->stacks, GUINT_TO_POINTER(number + 1));
	const struct dump_group *group = dump_group(frames->dump, number);

	if (stack)
		return *stack;
	stack = arena_take(arena, sizeof(*stack));
	stack->count = group->frame_count;
	stack->frames = arena_array(arena, stack->count, sizeof(*stack->frames));
	stack->broken = printout_broken(group);
	fill_frames(frames, group, stack->frames);
	g_hash_table_insert(frames->stacks, GUINT_TO_POINTER(number + 1), stack);
	return *stack;
}

struct goroutine printout_frames_goroutine(struct printout_frames *frames, uint32_t index)
{
	const struct dump *dump = frames->dump;
	struct goroutine ret = printout_goroutine(dump, index, frames->program->arena);
	uint32_t group = dump_goroutine(dump, index)->group;
	uint32_t created_by = dump_group(dump, group)->created_by;

	ret.stack = stack_of(frames, group);
	if (created_by != DUMP_NO_FRAME)
		ret.created_by = *printed_frame(frames, created_by, NULL)->site;
	return ret;
}
