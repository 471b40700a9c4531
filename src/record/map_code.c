// SPDX-License-Identifier: Apache-2.0
// The compiler changes the flag with a load, an operation with a constant and a store of one byte
// (h.flags ^= hashWriting; m.writing ^= 1). Nothing else is taken for a change of it.
#include "record/map_code.h"

#include <stdlib.h>

#define JUMP_BYTES 5 /* of the jump that a hook is replaced by */
#define LOOK_BACK                                                                                  \
	24 /* instructions between a check of the flag and the branch that depends on it */
#define FUNCTION_BYTES (64u << 10)

enum change { CHANGE_NONE, CHANGE_SET, CHANGE_CLEAR, CHANGE_TOGGLE };

/** What is known of each instruction besides what it is. */
struct mark {
	bool is_target;  /**< something jumps here */
	uint8_t visited; /**< 1 + the flag, by the walk */
	uint8_t change;  /**< enum change, of a store to the flag */
	uint32_t begins; /**< of a change: the instruction at which its arithmetic begins */
};

struct reading {
	const struct map_code_question *question;
	struct instruction *code;
	struct mark *marks;
	uint32_t *index; /**< byte offset -> 1 + instruction */
	uint32_t count;
	struct map_code *ret;
};

static bool find_index(const struct reading *r, uint64_t address, uint32_t *ret)
{
	uint64_t offset = address - r->question->address;

	if (offset >= r->question->size || !r->index[offset])
		return false;
	*ret = r->index[offset] - 1;
	return true;
}

static const char *decode(struct reading *r, struct decoder *decoder)
{
	const struct map_code_question *q = r->question;

	for (uint64_t at = 0; at < q->size; at += r->code[r->count++].size) {
		if (!decoder_next(decoder, q->bytes + at, q->size - at, q->address + at,
				  &r->code[r->count]))
			return "it contains an instruction that is not known";
		r->index[at] = r->count + 1;
	}
	return NULL;
}

static const char *mark_targets(struct reading *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		const struct instruction *in = &r->code[i];
		uint64_t offset = in->target - r->question->address;
		uint32_t target;

		if (in->kind != INSTRUCTION_JUMP && in->kind != INSTRUCTION_BRANCH)
			continue;
		if (!in->target)
			return "it jumps to where a register says";
		if (offset >= r->question->size)
			continue;
		if (!find_index(r, in->target, &target))
			return "it jumps into the middle of an instruction";
		r->marks[target].is_target = true;
	}
	return NULL;
}

/** What @a in does to the flag, when it works on the register that is then stored. */
static enum change change_by(const struct reading *r, const struct instruction *in)
{
	uint8_t mask = r->question->flag_mask;

	switch (in->operation) {
	case OPERATION_OR:
		return in->immediate & mask ? CHANGE_SET : CHANGE_NONE;
	case OPERATION_XOR:
		return in->immediate & mask ? CHANGE_TOGGLE : CHANGE_NONE;
	case OPERATION_AND:
		return in->immediate & mask ? CHANGE_NONE : CHANGE_CLEAR;
	default:
		return CHANGE_NONE;
	}
}

static bool is_arithmetic(const struct instruction *in)
{
	return in->operation == OPERATION_OR || in->operation == OPERATION_XOR ||
	       in->operation == OPERATION_AND;
}

/** The arithmetic that leads to the store at @a store, back to the load of the flag. */
static void mark_change(struct reading *r, uint32_t store)
{
	const struct instruction *in = &r->code[store];
	struct mark *mark = &r->marks[store];

	for (uint32_t i = store; i-- > 0 && !r->marks[i + 1].is_target;) {
		const struct instruction *before = &r->code[i];

		if (before->kind != INSTRUCTION_PLAIN || before->writes & 1u << in->base)
			return;
		if (!(before->writes & 1u << in->source))
			continue;
		if (!is_arithmetic(before))
			return;
		mark->begins = i;
		if (change_by(r, before) != CHANGE_NONE)
			mark->change = (uint8_t)change_by(r, before);
	}
}

static void mark_changes(struct reading *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		const struct instruction *in = &r->code[i];

		if (in->operation == OPERATION_STORE && in->width == 1 &&
		    in->base != REGISTER_NONE && in->source != REGISTER_NONE &&
		    in->displacement == r->question->flag_offset)
			mark_change(r, i);
	}
}

/* The walk */

struct walk {
	struct reading *r;
	uint32_t *stack; /**< instruction << 1 | flag */
	size_t depth, room;
	const char *wrong;
};

static void walk_to(struct walk *w, uint32_t instruction, bool flag)
{
	struct mark *mark = &w->r->marks[instruction];

	if (mark->visited == 1 + flag)
		return;
	if (mark->visited || w->depth == w->room) {
		w->wrong = "the writing flag is not the same on all ways to one place";
		return;
	}
	mark->visited = (uint8_t)(1 + flag);
	w->stack[w->depth++] = instruction << 1 | flag;
}

static void walk_out(struct walk *w, bool flag)
{
	if (flag)
		w->wrong = "it can be left with the writing flag set";
}

static void walk_target(struct walk *w, const struct instruction *in, bool flag)
{
	uint32_t target;

	if (find_index(w->r, in->target, &target))
		walk_to(w, target, flag);
	else
		walk_out(w, flag);
}

/** Applies a change to the flag, and settles which of both a toggle is. */
static void walk_change(struct walk *w, struct mark *mark, bool *flag)
{
	if (mark->change == CHANGE_NONE)
		return;
	if (mark->change == CHANGE_TOGGLE)
		mark->change = *flag ? CHANGE_CLEAR : CHANGE_SET;
	if (*flag == (mark->change == CHANGE_SET))
		w->wrong = "it changes the writing flag twice";
	*flag = mark->change == CHANGE_SET;
}

static void walk_step(struct walk *w, uint32_t at, bool flag)
{
	const struct reading *r = w->r;
	const struct instruction *in = &r->code[at];

	walk_change(w, &r->marks[at], &flag);
	switch (in->kind) {
	case INSTRUCTION_RETURN:
		walk_out(w, flag);
		return;
	case INSTRUCTION_TRAP:
		return;
	case INSTRUCTION_JUMP:
		walk_target(w, in, flag);
		return;
	case INSTRUCTION_BRANCH:
		walk_target(w, in, flag);
		break;
	case INSTRUCTION_CALL:
		if (in->target &&
		    r->question->callee(r->question->context, in->target) != CALLEE_OTHER)
			return;
		break;
	}
	if (at + 1 < r->count)
		walk_to(w, at + 1, flag);
	else
		w->wrong = "its end is not where it should be";
}

static const char *follow(struct reading *r)
{
	struct walk walk = {r, calloc(r->count + 1, sizeof(uint32_t)), 0, r->count + 1, NULL};

	if (!walk.stack)
		return "there is no memory";
	walk_to(&walk, 0, false);
	while (walk.depth && !walk.wrong) {
		uint32_t top = walk.stack[--walk.depth];

		walk_step(&walk, top >> 1, top & 1);
	}
	free(walk.stack);
	return walk.wrong;
}

/* The hooks */

/** Whole instructions from @a first on, @a last at least included, as many as a jump needs. */
static const char *add_hook(struct reading *r, uint32_t first, uint32_t last,
			    enum map_moment moment, uint8_t map_register)
{
	uint32_t size = 0;

	for (uint32_t i = first; i <= last || size < JUMP_BYTES; i++) {
		if (i >= r->count || (i > first && r->marks[i].is_target))
			return "something jumps to where the hook would be";
		if (r->code[i].kind != INSTRUCTION_PLAIN)
			return "there is no room for a jump";
		size += r->code[i].size;
	}
	if (r->ret->count == MAP_HOOKS_MAX || size > MAP_HOOK_ROOM)
		return "it has too many places to hook";
	r->ret->hooks[r->ret->count++] =
		(struct map_hook){r->code[first].address, (uint8_t)size, (uint8_t)moment,
				  map_register, moment != MOMENT_GROWN};
	return NULL;
}

/** Nobody looks at the flags that the instruction at @a at finds. */
static bool flags_are_dead(const struct reading *r, uint32_t at)
{
	for (uint32_t i = at; i < r->count; i++) {
		const struct instruction *in = &r->code[i];

		if (in->reads_flags)
			return false;
		if (in->writes_flags || in->kind == INSTRUCTION_RETURN ||
		    in->kind == INSTRUCTION_CALL)
			return true;
		if (in->kind == INSTRUCTION_JUMP) {
			if (!find_index(r, in->target, &i))
				return true;
			if (i <= at)
				return false;
			i--;
		}
	}
	return false;
}

/** `MOVQ SP, BP` or `LEAQ n(SP), BP`. */
static bool keeps_frame_pointer(const struct reading *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		const struct instruction *in = &r->code[i];

		if (in->writes & 1u << RBP && in->operation == OPERATION_OTHER &&
		    (in->base == RSP || in->source == RSP))
			return true;
	}
	return false;
}

static const char *add_changes(struct reading *r)
{
	size_t count[2] = {0};

	for (uint32_t i = 0; i < r->count; i++) {
		const struct mark *mark = &r->marks[i];
		bool is_set = mark->change == CHANGE_SET;
		const char *wrong;

		if (mark->change == CHANGE_NONE || !mark->visited)
			continue;
		wrong = add_hook(r, mark->begins, i, is_set ? MOMENT_SET : MOMENT_CLEAR,
				 r->code[i].base);
		if (wrong)
			return wrong;
		if (!is_set && !flags_are_dead(r, i + 1))
			return "the processor's flags are used over the change of the map's";
		count[is_set]++;
	}
	if (r->question->writes && (count[0] == 0 || count[1] == 0))
		return "it is not seen to set and clear the writing flag";
	if (r->question->writes && !keeps_frame_pointer(r))
		return "it keeps no frame pointer";
	return !r->question->writes && count[0] + count[1]
		       ? "it changes the writing flag, which it should not"
		       : NULL;
}

/** The instruction that reads the flag that the branch at @a branch depends on, and the register through which. */
static bool find_check(const struct reading *r, uint32_t branch, uint32_t *ret, uint8_t *ret_map)
{
	uint8_t flag = REGISTER_NONE; // holds the byte that was tested

	for (uint32_t i = branch, n = 0; i-- > 0 && n < LOOK_BACK; n++) {
		const struct instruction *in = &r->code[i];
		bool is_flag = in->width == 1 && in->base != REGISTER_NONE &&
			       in->displacement == r->question->flag_offset;
		bool compares = in->operation == OPERATION_COMPARE && flag == REGISTER_NONE;
		bool loads = in->operation == OPERATION_LOAD && in->destination == flag;

		if (is_flag && (compares || loads)) {
			*ret = i;
			*ret_map = in->base;
			return true;
		}
		if (in->operation == OPERATION_TEST && flag == REGISTER_NONE &&
		    in->immediate & r->question->flag_mask)
			flag = in->destination;
	}
	return false;
}

/** The register that holds the checked map still at the branch at @a branch. */
static uint8_t checked_map(const struct reading *r, uint32_t branch)
{
	uint32_t check;
	uint8_t map;

	if (!find_check(r, branch, &check, &map))
		return REGISTER_NONE;
	for (uint32_t i = check; i < branch; i++)
		if (r->code[i].writes & 1u << map)
			return REGISTER_NONE;
	return map;
}

/** What every branch to the block at @a block has checked; REGISTER_NONE when they differ. */
static uint8_t map_register_at(const struct reading *r, uint32_t block)
{
	uint8_t found = REGISTER_NONE;
	bool any = false;

	for (uint32_t i = 0; i < r->count; i++) {
		const struct instruction *in = &r->code[i];
		bool falls = i + 1 == block && in->kind == INSTRUCTION_BRANCH;
		uint8_t map;

		if (!falls && !((in->kind == INSTRUCTION_BRANCH || in->kind == INSTRUCTION_JUMP) &&
				in->target == r->code[block].address))
			continue;
		map = checked_map(r, i);
		if (any && map != found)
			return REGISTER_NONE;
		found = map;
		any = true;
	}
	return found;
}

static bool goes_on(const struct reading *r, uint32_t at)
{
	const struct map_code_question *q = r->question;
	const struct instruction *in = &r->code[at];

	if (in->kind == INSTRUCTION_CALL && in->target)
		return q->callee(q->context, in->target) == CALLEE_OTHER;
	return in->kind != INSTRUCTION_JUMP && in->kind != INSTRUCTION_RETURN &&
	       in->kind != INSTRUCTION_TRAP;
}

/** Only the branch at @a branch leads to @a at. */
static bool leads_alone(const struct reading *r, uint32_t branch, uint32_t at)
{
	for (uint32_t i = 0; i < r->count; i++) {
		const struct instruction *in = &r->code[i];
		bool jumps = in->kind == INSTRUCTION_BRANCH || in->kind == INSTRUCTION_JUMP;

		if (i == branch || !r->marks[i].visited)
			continue;
		if (jumps && in->target == r->code[at].address)
			return false;
		if (i + 1 == at && goes_on(r, i))
			return false;
	}
	return true;
}

/** Behind the check at @a branch, which gives up in the block at @a block. */
static const char *add_read_behind(struct reading *r, uint32_t branch, uint32_t block)
{
	uint32_t first = branch + 1;
	uint8_t map = checked_map(r, branch);

	if (map == REGISTER_NONE)
		return "it does not tell which map it checked";
	if (first == block && !find_index(r, r->code[branch].target, &first))
		return "its check leads out of it";
	if (first >= r->count || !leads_alone(r, branch, first))
		return "its check is not the only way to where it reads";
	if (!flags_are_dead(r, first))
		return "the processor's flags are used behind its check";
	return add_hook(r, first, first, MOMENT_READ, map);
}

/** In place of the check itself, which sets the processor's flags anew for the branch at @a branch. */
static const char *add_read_at_check(struct reading *r, uint32_t branch)
{
	uint32_t check;
	uint8_t map;

	if (!find_check(r, branch, &check, &map))
		return "it does not tell which map it checked";
	for (uint32_t i = check; i < branch; i++)
		if (r->code[i].reads_flags)
			return "the processor's flags are used over its check";
	return add_hook(r, check, branch - 1, MOMENT_READ, map);
}

static const char *add_read(struct reading *r, uint32_t branch, uint32_t block)
{
	const char *wrong = add_read_at_check(r, branch);

	if (wrong)
		wrong = add_read_behind(r, branch, block);
	if (!wrong)
		r->ret->hooks[r->ret->count - 1].in_frame = keeps_frame_pointer(r);
	return wrong;
}

/** Behind every check that leads to the block at @a block. */
static const char *add_reads(struct reading *r, uint32_t block)
{
	const char *wrong = NULL;

	for (uint32_t i = 0; i < r->count && !wrong; i++) {
		const struct instruction *in = &r->code[i];
		bool jumps = in->target == r->code[block].address;

		if (in->kind == INSTRUCTION_BRANCH && (jumps || i + 1 == block))
			wrong = add_read(r, i, block);
		else if (in->kind == INSTRUCTION_JUMP && jumps)
			wrong = "it gives up by a detour";
	}
	return wrong;
}

static const char *add_give_up(struct reading *r, uint32_t call)
{
	const struct map_code_question *q = r->question;
	bool is_map_message = false;
	uint32_t block = call;

	for (; block > 0; block--) {
		const struct instruction *in = &r->code[block];

		if (in->operation == OPERATION_ADDRESS)
			is_map_message |= q->is_map_message(q->context, in->target);
		if (r->marks[block].is_target || r->code[block - 1].kind != INSTRUCTION_PLAIN)
			break;
	}
	if (!is_map_message)
		return NULL;
	if (q->reads && !r->ret->unread)
		r->ret->unread = add_reads(r, block);
	return add_hook(r, block, block, MOMENT_GIVE_UP, map_register_at(r, block));
}

static const char *add_give_ups(struct reading *r)
{
	const struct map_code_question *q = r->question;

	for (uint32_t i = 1; i < r->count; i++) {
		const struct instruction *in = &r->code[i];
		const char *wrong;

		if (in->kind != INSTRUCTION_CALL || !in->target ||
		    q->callee(q->context, in->target) != CALLEE_GIVES_UP)
			continue;
		wrong = add_give_up(r, i);
		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *read_all(struct reading *r, struct decoder *decoder)
{
	const char *wrong = decode(r, decoder);

	if (!wrong)
		wrong = mark_targets(r);
	if (wrong)
		return wrong;
	mark_changes(r);
	wrong = follow(r);
	if (!wrong)
		wrong = add_changes(r);
	return wrong ? wrong : add_give_ups(r);
}

/* Making and growing */

/** The instructions that end in the return at @a last, as few as a jump needs; the map is where it will be already. */
static const char *add_end(struct reading *r, uint32_t last)
{
	uint8_t map = r->question->map_register;
	uint32_t first = last, size = r->code[last].size;
	bool in_frame = false;

	for (; size < JUMP_BYTES; first--) {
		const struct instruction *in;

		if (first == 0 || r->marks[first].is_target ||
		    r->code[first - 1].kind != INSTRUCTION_PLAIN)
			return "there is no room for a jump before it returns";
		in = &r->code[first - 1];
		if (map == REGISTER_NONE ? in->operation == OPERATION_STORE
					 : (in->writes >> map & 1) != 0)
			return "it has its result too late";
		in_frame |= in->writes >> RBP & 1;
		size += in->size;
	}
	if (r->ret->count == MAP_HOOKS_MAX)
		return "it has too many places to hook";
	r->ret->hooks[r->ret->count++] = (struct map_hook){r->code[first].address, (uint8_t)size,
							   MOMENT_MADE, map, in_frame};
	return NULL;
}

static const char *add_ends(struct reading *r)
{
	const char *wrong = NULL;

	for (uint32_t i = 0; i < r->count && !wrong; i++)
		if (r->code[i].kind == INSTRUCTION_RETURN)
			wrong = add_end(r, i);
	return !wrong && r->ret->count == 0 ? "it does not return" : wrong;
}

/** Behind the check for room on the stack: nothing else has happened yet. */
static const char *add_start(struct reading *r)
{
	uint32_t touched = 1u << RSP | 1u << RBP, i = 0;

	if (r->question->map_register != REGISTER_NONE)
		touched |= 1u << r->question->map_register;
	for (; i < r->count && r->code[i].kind == INSTRUCTION_PLAIN; i++)
		if (r->code[i].writes & touched)
			return "it does not begin with a check for room on its stack";
	if (i + 1 >= r->count || r->code[i].kind != INSTRUCTION_BRANCH)
		return "it does not begin with a check for room on its stack";
	return add_hook(r, i + 1, i + 1, MOMENT_GROWN, r->question->map_register);
}

static const char *read_birth(struct reading *r, struct decoder *decoder, enum map_moment moment)
{
	const char *wrong = decode(r, decoder);

	if (!wrong)
		wrong = mark_targets(r);
	if (wrong)
		return wrong;
	return moment == MOMENT_MADE ? add_ends(r) : add_start(r);
}

/** @param moment  MADE or GROWN; anything else: where the flag is set, cleared and checked */
static const char *read_function(struct decoder *decoder, const struct map_code_question *question,
				 enum map_moment moment, struct map_code *ret)
{
	struct reading r = {.question = question, .ret = ret};
	const char *wrong;

	ret->count = 0;
	ret->unread = NULL;
	if (question->size == 0 || question->size > FUNCTION_BYTES)
		return "its size is not that of a map function";
	r.code = calloc(question->size, sizeof(*r.code));
	r.marks = calloc(question->size, sizeof(*r.marks));
	r.index = calloc(question->size, sizeof(*r.index));
	if (!r.code || !r.marks || !r.index)
		wrong = "there is no memory";
	else if (moment == MOMENT_MADE || moment == MOMENT_GROWN)
		wrong = read_birth(&r, decoder, moment);
	else
		wrong = read_all(&r, decoder);
	free(r.code);
	free(r.marks);
	free(r.index);
	if (wrong)
		ret->count = 0;
	return wrong;
}

const char *map_code_read(struct decoder *decoder, const struct map_code_question *question,
			  struct map_code *ret)
{
	return read_function(decoder, question, MOMENT_SET, ret);
}

const char *map_code_read_birth(struct decoder *decoder, const struct map_code_question *question,
				enum map_moment moment, struct map_code *ret)
{
	return read_function(decoder, question, moment, ret);
}
