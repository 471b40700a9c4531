// SPDX-License-Identifier: Apache-2.0
// Abstract interpretation of one function: basic blocks, a state at the start of each, and rounds
// over the blocks until no state changes. A value only ever falls from known to unknown, so they
// end. Knows the Go compiler's habits: no register survives a call, spilled words never alias.
#include "model/code/flow.h"

#include "model/stack/stack_object.h"

#include <glib.h>

enum {
	BLOCKS_MAX = 32768, /* a state each; the compiler's largest functions have some thousand */
	VISITS_MAX = 32,    /* of a block, on average, before the function is given up */
	JUMP_TABLE_MAX = 4096,   /* entries */
	OBJECT_BYTES = 256,      /* how far an address that was taken reaches, at most */
	DUFF_BYTES = 1024,       /* that duffzero and duffcopy write, at most */
	INDIRECT_ARGUMENTS = 256 /* bytes that an unknown callee may overwrite */
};

struct block {
	uint32_t first, count; /* operations */
	bool dirty;
	struct flow_state state;
};

struct run {
	const struct flow_code *flow;
	GArray *operations; /* struct code_operation */
	GArray *blocks;     /* struct block */
	GArray *taken;      /* int64_t: stack addresses that got into a register */
	uint8_t sp;
};

static const struct flow_value unknown = {.argument = CODE_NONE, .slot = FLOW_NOWHERE};

static struct flow_value value_of(enum flow_kind kind, int64_t number)
{
	struct flow_value v = unknown;

	v.kind = (uint8_t)kind;
	v.number = number;
	return v;
}

static bool value_equal(struct flow_value a, struct flow_value b)
{
	return a.kind == b.kind && a.argument == b.argument && a.number == b.number &&
	       a.root == b.root && a.origin == b.origin && a.hops == b.hops &&
	       !memcmp(a.hop, b.hop, sizeof(a.hop));
}

/* The same content, of which only its place on the stack is known. */
static struct flow_value value_forgotten(struct flow_value v)
{
	struct flow_value u = unknown;

	u.slot = v.slot;
	return u;
}

static int64_t add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static struct flow_slot *slot_find(struct flow_state *s, int64_t offset, uint8_t plane)
{
	for (unsigned i = 0; i < s->slot_count; i++)
		if (s->slots[i].offset == offset && s->slots[i].plane == plane)
			return &s->slots[i];
	return NULL;
}

struct flow_value flow_slot_value(const struct flow_state *s, int64_t offset, uint8_t plane)
{
	const struct flow_slot *slot = slot_find((struct flow_state *)s, offset, plane);

	return slot ? slot->value : unknown;
}

static void slot_drop(struct flow_state *s, unsigned index)
{
	s->slots[index] = s->slots[--s->slot_count];
}

static bool touches(int64_t word, int64_t low, int64_t high)
{
	return word < high && add(word, 8) > low;
}

/* The same part of some pointer. */
static struct flow_value value_uprooted(struct flow_value v)
{
	struct flow_value u = value_of(v.kind, v.number);

	u.slot = v.slot;
	return u;
}

/* The stack words in [@low, @high) have changed: values that were described by them. */
static struct flow_value value_unlinked(struct flow_value v, int64_t low, int64_t high)
{
	if (v.kind == FLOW_COPY && touches(v.number, low, high))
		v = value_forgotten(v);
	if (v.slot != FLOW_NOWHERE && touches(v.slot, low, high))
		v.slot = FLOW_NOWHERE;
	if (v.root == FLOW_ROOT_SLOT && touches(v.origin, low, high))
		v = value_uprooted(v);
	return v;
}

static void links_cut(struct flow_state *s, int64_t low, int64_t high)
{
	for (unsigned i = 0; i < 32; i++)
		s->registers[i] = value_unlinked(s->registers[i], low, high);
	for (unsigned i = 0; i < s->slot_count; i++)
		s->slots[i].value = value_unlinked(s->slots[i].value, low, high);
}

/* Forgets the words that a write of @width bytes touches. */
static void slots_written(struct flow_state *s, int64_t offset, int64_t width)
{
	links_cut(s, offset, add(offset, width));
	for (unsigned i = s->slot_count; i-- > 0;)
		if (s->slots[i].plane == FLOW_WORD &&
		    touches(s->slots[i].offset, offset, add(offset, width)))
			slot_drop(s, i);
}

static void slot_set(struct flow_state *s, int64_t offset, uint8_t plane, struct flow_value value)
{
	struct flow_slot *slot = slot_find(s, offset, plane);

	value.slot = FLOW_NOWHERE;
	if (slot && value.kind == FLOW_UNKNOWN)
		slot_drop(s, (unsigned)(slot - s->slots));
	else if (slot)
		slot->value = value;
	else if (value.kind != FLOW_UNKNOWN && s->slot_count < FLOW_SLOTS)
		s->slots[s->slot_count++] = (struct flow_slot){offset, plane, value};
}

/* Forgets words other than constants in [@low, @high): a write of unknown place or length may have
 * changed any. */
static void slots_forget_values(struct flow_state *s, int64_t low, int64_t high)
{
	links_cut(s, low, high);
	for (unsigned i = s->slot_count; i-- > 0;)
		if (s->slots[i].plane == FLOW_WORD && s->slots[i].value.kind != FLOW_CONSTANT &&
		    touches(s->slots[i].offset, low, high))
			slot_drop(s, i);
}

/* The last of the sorted @taken that is not above @offset; INT64_MIN when none. */
static int64_t taken_below(const GArray *taken, int64_t offset)
{
	guint low = 0, high = taken->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (g_array_index(taken, int64_t, middle) <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? g_array_index(taken, int64_t, low - 1) : INT64_MIN;
}

static bool may_escape(const struct run *run, int64_t offset)
{
	if (run->flow->objects)
		return stack_object_covers(run->flow->objects, offset);
	return taken_below(run->taken, offset) > add(offset, -OBJECT_BYTES);
}

static struct flow_value value_unlinked_of(struct flow_value v, const struct flow_objects *objects)
{
	if (v.kind == FLOW_COPY && stack_object_covers(objects, v.number))
		v = value_forgotten(v);
	if (v.slot != FLOW_NOWHERE && stack_object_covers(objects, v.slot))
		v.slot = FLOW_NOWHERE;
	if (v.root == FLOW_ROOT_SLOT && stack_object_covers(objects, v.origin))
		v = value_uprooted(v);
	return v;
}

static void links_to_objects_cut(struct flow_state *s, const struct flow_objects *objects)
{
	for (unsigned i = 0; i < 32; i++)
		s->registers[i] = value_unlinked_of(s->registers[i], objects);
	for (unsigned i = 0; i < s->slot_count; i++)
		s->slots[i].value = value_unlinked_of(s->slots[i].value, objects);
}

/*
 * Somebody may have written through an address that the function gave away. Constants are spared:
 * type descriptors are spilled alone, never kept in a variable whose address is taken.
 */
static void slots_escaped(const struct run *run, struct flow_state *s)
{
	if (run->flow->objects)
		links_to_objects_cut(s, run->flow->objects);
	for (unsigned i = s->slot_count; i-- > 0;) {
		const struct flow_slot *slot = &s->slots[i];

		if (slot->plane == FLOW_WORD && slot->value.kind != FLOW_CONSTANT &&
		    may_escape(run, slot->offset))
			slot_drop(s, i);
	}
}

struct flow_value flow_address(const struct flow_state *s, const struct code_operation *op)
{
	struct flow_value base;

	if (!op->width || op->indexed)
		return unknown;
	if (op->base == CODE_NONE)
		return value_of(FLOW_CONSTANT, op->offset);
	base = s->registers[op->base & 31];
	if (base.kind != FLOW_CONSTANT && base.kind != FLOW_STACK)
		return unknown;
	base.number = add(base.number, op->offset);
	return base;
}

struct flow_value flow_stack_word(const struct flow_state *s, int64_t offset)
{
	struct flow_value v = flow_slot_value(s, offset, FLOW_WORD);

	v.slot = offset > FLOW_NOWHERE && offset <= INT32_MAX ? (int32_t)offset : FLOW_NOWHERE;
	return v;
}

/* The path to what @base points to begins where @base does, and takes one hop more. */
static void field_lengthen(struct flow_value *field, struct flow_value base)
{
	if (base.root == FLOW_ROOT_NONE || base.hops == FLOW_HOPS || base.number < INT32_MIN ||
	    base.number > INT32_MAX)
		return;
	field->root = base.root;
	field->origin = base.origin;
	field->hops = base.hops;
	memcpy(field->hop, base.hop, sizeof(field->hop));
	field->hop[field->hops++] = (int32_t)base.number;
}

/* What stands @offset bytes from @base, or (ADDRESS) where that is. */
static struct flow_value part_of(enum flow_kind kind, struct flow_value base, int64_t offset)
{
	struct flow_value field = value_of(kind, offset);

	if (base.kind == FLOW_ADDRESS) {
		field = base;
		field.kind = (uint8_t)kind;
		field.slot = FLOW_NOWHERE;
		field.number = add(base.number, offset);
	} else if (base.kind == FLOW_ARGUMENT) {
		field.argument = base.argument;
		field.root = FLOW_ROOT_ARGUMENT;
		field.origin = base.argument;
	} else if (base.kind == FLOW_LOADED) {
		field.root = FLOW_ROOT_FIXED;
		field.origin = base.number;
	} else if (base.slot != FLOW_NOWHERE) {
		field.root = FLOW_ROOT_SLOT;
		field.origin = base.slot;
	} else if (base.kind == FLOW_FIELD) {
		field_lengthen(&field, base);
	}
	return field;
}

struct flow_value flow_loaded(const struct flow_state *s, const struct code_operation *op)
{
	struct flow_value at = flow_address(s, op), base;

	if (at.kind == FLOW_CONSTANT)
		return value_of(FLOW_LOADED, at.number);
	if (at.kind == FLOW_STACK)
		return flow_stack_word(s, at.number);
	if (op->base == CODE_NONE || !op->width)
		return unknown;
	base = s->registers[op->base & 31];
	if (op->indexed)
		return base.kind == FLOW_CONSTANT
			       ? value_of(FLOW_TABLE, add(base.number, op->offset))
			       : unknown;
	return base.kind == FLOW_STACK ? unknown : part_of(FLOW_FIELD, base, op->offset);
}

uint64_t flow_holder(struct flow_value v)
{
	return v.kind == FLOW_FIELD && v.root == FLOW_ROOT_FIXED && !v.hops ? (uint64_t)v.origin
									    : 0;
}

static struct flow_value added(const struct flow_state *s, const struct code_operation *op)
{
	struct flow_value v;

	if (op->source == CODE_NONE)
		return unknown;
	v = s->registers[op->source & 31];
	if (v.kind == FLOW_CONSTANT || v.kind == FLOW_STACK)
		v.number = add(v.number, op->offset);
	else if (op->offset)
		return part_of(FLOW_ADDRESS, v, op->offset);
	if (op->offset)
		v.slot = FLOW_NOWHERE;
	return v;
}

/* A store at an index, or of a string instruction, which moves its base along. */
static void store_somewhere(struct run *run, struct flow_state *s, const struct code_operation *op)
{
	struct flow_value base = s->registers[op->base & 31];
	bool moves = op->base != run->sp && op->writes >> (op->base & 31) & 1;

	if (base.kind == FLOW_STACK && (op->indexed || moves))
		slots_forget_values(s, base.number, INT64_MAX);
	else if (base.kind != FLOW_STACK && base.kind != FLOW_CONSTANT && run->flow->objects)
		slots_escaped(run, s);
}

/* Of a value that is not known, where else on the stack it stands is still something. */
static struct flow_value value_stored(struct flow_value v, int64_t to)
{
	return v.kind == FLOW_UNKNOWN && v.slot != FLOW_NOWHERE && v.slot != to
		       ? value_of(FLOW_COPY, v.slot)
		       : v;
}

static void store(struct run *run, struct flow_state *s, const struct code_operation *op)
{
	struct flow_value at = flow_address(s, op);

	if (op->base != CODE_NONE)
		store_somewhere(run, s, op);
	if (at.kind != FLOW_STACK)
		return;
	slots_written(s, at.number, op->width);
	if (op->width != 8 || op->source == CODE_NONE)
		return;
	slot_set(s, at.number, FLOW_WORD, value_stored(s->registers[op->source & 31], at.number));
	s->registers[op->source & 31].slot = flow_stack_word(s, at.number).slot;
}

static void registers_forget(struct run *run, struct flow_state *s, uint32_t mask)
{
	for (unsigned i = 0; i < 32; i++)
		if (mask >> i & 1 && i != run->sp)
			s->registers[i] = unknown;
}

static void iterator_started(struct run *run, struct flow_state *s, const struct flow_effect *e)
{
	struct flow_abi abi = run->flow->abi;
	struct flow_value it = flow_argument(s, abi, e->iter, false);

	if (it.kind != FLOW_STACK)
		return;
	slot_set(s, it.number, FLOW_ITERATOR_TYPE, flow_argument(s, abi, e->type, false));
	slot_set(s, it.number, FLOW_ITERATOR_MAP, flow_argument(s, abi, e->map, false));
}

/* What a call has made is its result: the first register, or the word after its arguments. */
static void made(struct run *run, struct flow_state *s, const struct code_operation *op,
		 const struct flow_effect *e)
{
	struct flow_abi abi = run->flow->abi;
	struct flow_value result = value_of(FLOW_MADE, (int64_t)op->address);
	struct flow_value sp = s->registers[run->sp];

	if (abi.registers)
		s->registers[flow_argument_register(abi.arch, 0)] = result;
	else if (sp.kind == FLOW_STACK && e->args_bytes >= 8)
		slot_set(s,
			 add(sp.number,
			     (int64_t)e->args_bytes - 8 + (abi.arch == GO_ARCH_ARM64 ? 8 : 0)),
			 FLOW_WORD, result);
}

/* True when control comes back. */
static bool call(struct run *run, struct flow_state *s, const struct code_operation *op)
{
	struct flow_effect e = run->flow->effect(op->value, run->flow->context);
	struct flow_value sp = s->registers[run->sp];
	int64_t area = op->value ? (int64_t)e.args_bytes : INDIRECT_ARGUMENTS;

	if (e.iter >= 0)
		iterator_started(run, s, &e);
	for (unsigned i = 0; i < 32; i++)
		if (e.fills >> i & 1 && s->registers[i].kind == FLOW_STACK)
			slots_forget_values(s, s->registers[i].number,
					    add(s->registers[i].number,
						e.fill_bytes ? e.fill_bytes : DUFF_BYTES));
	registers_forget(run, s, e.preserves ? e.clobbers : UINT32_MAX);
	if (e.preserves || !e.returns)
		return e.returns;
	if (area && sp.kind == FLOW_STACK)
		slots_written(s, sp.number, run->flow->abi.arch == GO_ARCH_ARM64 ? area + 8 : area);
	slots_escaped(run, s);
	if (e.makes)
		made(run, s, op, &e);
	return true;
}

/* Applies one operation; false when control never goes on after it. */
static bool apply(struct run *run, struct flow_state *s, const struct code_operation *op)
{
	struct flow_value v = unknown;

	switch (op->kind) {
	case CODE_CALL:
		return call(run, s, op);
	case CODE_JUMP:
	case CODE_END:
		return false;
	case CODE_STORE:
		store(run, s, op);
		break;
	case CODE_SET:
		v = value_of(FLOW_CONSTANT, (int64_t)op->value);
		break;
	case CODE_ADD:
		v = added(s, op);
		break;
	case CODE_LOAD:
		v = flow_loaded(s, op);
		break;
	default:
		break;
	}
	registers_forget(run, s, op->writes);
	if (op->destination != CODE_NONE)
		s->registers[op->destination & 31] = v;
	return true;
}

/*
 * What is known of a value that is @into or @from. Parts of two pointers of which neither is an
 * argument or comes from a fixed address are the same part of some pointer.
 */
static struct flow_value value_either(struct flow_value into, struct flow_value from)
{
	if (value_equal(into, from))
		return into;
	if (into.kind == from.kind && into.number == from.number &&
	    (into.kind == FLOW_FIELD || into.kind == FLOW_ADDRESS) &&
	    into.argument == from.argument && flow_holder(into) == flow_holder(from))
		return value_uprooted(into);
	return value_forgotten(into);
}

static bool merge_slots(struct flow_state *into, const struct flow_state *from)
{
	bool changed = false;

	for (unsigned i = into->slot_count; i-- > 0;) {
		struct flow_slot *slot = &into->slots[i];
		struct flow_value v =
			value_either(slot->value, flow_slot_value(from, slot->offset, slot->plane));

		if (value_equal(slot->value, v))
			continue;
		slot->value = v;
		if (v.kind == FLOW_UNKNOWN)
			slot_drop(into, i);
		changed = true;
	}
	return changed;
}

/* True when @into lost something. */
static bool merge_register(struct flow_value *into, struct flow_value from)
{
	struct flow_value v = into->kind == FLOW_UNKNOWN ? *into : value_either(*into, from);
	bool changed = !value_equal(*into, v);

	*into = v;
	if (into->slot != FLOW_NOWHERE && into->slot != from.slot) {
		into->slot = FLOW_NOWHERE;
		changed = true;
	}
	return changed;
}

static void state_copy(struct flow_state *to, const struct flow_state *from)
{
	memcpy(to, from, offsetof(struct flow_state, slots));
	memcpy(to->slots, from->slots, from->slot_count * sizeof(from->slots[0]));
}

static bool merge(struct flow_state *into, const struct flow_state *from)
{
	bool changed = false;

	if (!into->reached) {
		state_copy(into, from);
		into->reached = true;
		return true;
	}
	for (unsigned i = 0; i < 32; i++)
		changed |= merge_register(&into->registers[i], from->registers[i]);
	return merge_slots(into, from) || changed;
}

static struct code_operation *operation(struct run *run, guint i)
{
	return &g_array_index(run->operations, struct code_operation, i);
}

static struct block *block(struct run *run, guint i)
{
	return &g_array_index(run->blocks, struct block, i);
}

static struct block *block_at(struct run *run, uint64_t address)
{
	guint low = 0, high = run->blocks->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		uint64_t at = operation(run, block(run, middle)->first)->address;

		if (at == address)
			return block(run, middle);
		if (at < address)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/*
 * At any one place of compiled code SP is always the same. Paths that disagree come from behind a
 * call that does not return (runtime.throw, mostly): the first to arrive, from the function's
 * entry, is the true one.
 */
static bool same_depth(const struct run *run, const struct flow_state *a,
		       const struct flow_state *b)
{
	struct flow_value x = a->registers[run->sp], y = b->registers[run->sp];

	return x.kind != FLOW_STACK || y.kind != FLOW_STACK || x.number == y.number;
}

static void edge(struct run *run, uint64_t target, const struct flow_state *s)
{
	struct block *to = block_at(run, target);

	if (!to || (to->state.reached && !same_depth(run, &to->state, s)))
		return;
	if (merge(&to->state, s))
		to->dirty = true;
}

/* A jump through a table of code addresses in read-only data, as the compiler makes for `switch`.
 */
static void edges_of_table(struct run *run, const struct code_operation *op,
			   const struct flow_state *s)
{
	struct flow_value table = unknown;
	uint64_t target;

	if (op->width && op->indexed)
		table = flow_loaded(s, op);
	else if (op->source != CODE_NONE)
		table = s->registers[op->source & 31];
	if (table.kind != FLOW_TABLE)
		return;
	for (uint64_t i = 0; i < JUMP_TABLE_MAX; i++) {
		if (!memory_u64(run->flow->memory, (uint64_t)table.number + 8 * i, &target) ||
		    target < run->flow->entry || target >= run->flow->end)
			return;
		edge(run, target, s);
	}
}

static void block_run(struct run *run, guint index)
{
	struct flow_state s;
	guint first = block(run, index)->first, count = block(run, index)->count;
	bool on = true;

	state_copy(&s, &block(run, index)->state);
	block(run, index)->dirty = false;
	for (guint i = first; i < first + count && on; i++) {
		const struct code_operation *op = operation(run, i);

		if (op->kind == CODE_BRANCH || (op->kind == CODE_JUMP && op->value))
			edge(run, op->value, &s);
		else if (op->kind == CODE_JUMP)
			edges_of_table(run, op, &s);
		on = apply(run, &s, op);
	}
	if (on && index + 1 < run->blocks->len)
		edge(run, operation(run, block(run, index + 1)->first)->address, &s);
}

static void decode_all(struct run *run)
{
	const struct flow_code *flow = run->flow;
	uint64_t size = flow->end - flow->entry;

	for (uint64_t at = 0; at < size;) {
		struct code_operation ops[CODE_OPERATIONS_MAX];
		size_t count =
			code_decode(flow->code, flow->bytes + at, size - at, flow->entry + at, ops);

		if (!count || !ops[0].size)
			break;
		g_array_append_vals(run->operations, ops, (guint)count);
		at += ops[0].size;
	}
}

static bool ends_block(const struct code_operation *op)
{
	return op->kind == CODE_BRANCH || op->kind == CODE_JUMP || op->kind == CODE_END;
}

/* Places of jump tables are not known before the values are: what follows a jump may be their
 * target. */
static GHashTable *leaders(struct run *run)
{
	GHashTable *set = g_hash_table_new(g_int64_hash, g_int64_equal);

	for (guint i = 0; i < run->operations->len; i++) {
		struct code_operation *op = operation(run, i);

		if ((op->kind == CODE_BRANCH || op->kind == CODE_JUMP) &&
		    op->value >= run->flow->entry && op->value < run->flow->end)
			g_hash_table_add(set, &op->value);
		if (ends_block(op) && i + 1 < run->operations->len)
			g_hash_table_add(set, &operation(run, i + 1)->address);
	}
	return set;
}

/* False when there are too many. */
static bool cut_blocks(struct run *run)
{
	GHashTable *set = leaders(run);

	for (guint i = 0; i < run->operations->len && run->blocks->len <= BLOCKS_MAX; i++) {
		uint64_t at = operation(run, i)->address;
		bool starts = i == 0 || (operation(run, i - 1)->address != at &&
					 g_hash_table_contains(set, &at));

		if (starts) {
			g_array_set_size(run->blocks, run->blocks->len + 1);
			block(run, run->blocks->len - 1)->first = i;
		}
		block(run, run->blocks->len - 1)->count++;
	}
	g_hash_table_destroy(set);
	return run->blocks->len <= BLOCKS_MAX;
}

static int compare_offset(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Stack addresses that get into registers, by the depth that the code has line by line. */
static int64_t note_taken(struct run *run)
{
	int64_t sp = 0, deepest = 0;

	for (guint i = 0; i < run->operations->len; i++) {
		const struct code_operation *op = operation(run, i);
		int64_t at = add(sp, op->offset);

		if (op->kind == CODE_END || op->kind == CODE_JUMP)
			sp = deepest;
		if (op->kind != CODE_ADD || op->source != run->sp)
			continue;
		if (op->destination == run->sp)
			sp = at;
		else if (op->destination != (run->sp == 31 ? 29 : 5)) /* the frame pointer */
			g_array_append_val(run->taken, at);
		deepest = MIN(deepest, sp);
	}
	g_array_sort(run->taken, compare_offset);
	return deepest;
}

static void start_state(struct run *run, struct flow_state *s, bool entry, int64_t sp)
{
	s->reached = true;
	s->slot_count = 0;
	for (uint8_t i = 0; i < 32; i++) {
		s->registers[i] = unknown;
		if (entry)
			s->registers[i] = value_of(FLOW_ARGUMENT, i);
		s->registers[i].argument = entry ? i : CODE_NONE;
	}
	s->registers[run->sp] = value_of(FLOW_STACK, sp);
}

/* False when the states did not come to rest. */
static bool settle(struct run *run, size_t *budget)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (guint i = 0; i < run->blocks->len; i++) {
			if (!block(run, i)->dirty)
				continue;
			if (!*budget)
				return false;
			--*budget;
			block_run(run, i);
			changed = true;
		}
	}
	return true;
}

static void visit_all(struct run *run)
{
	for (guint b = 0; b < run->blocks->len; b++) {
		struct flow_state s;
		guint first = block(run, b)->first;

		state_copy(&s, &block(run, b)->state);
		for (guint i = first; i < first + block(run, b)->count; i++) {
			run->flow->visit(operation(run, i), &s, run->flow->context);
			apply(run, &s, operation(run, i));
		}
	}
}

/* Padding between a jump and the next block. */
static bool is_padding(struct run *run, const struct block *b)
{
	for (guint i = b->first; i < b->first + b->count; i++) {
		const struct code_operation *op = operation(run, i);

		if (op->kind != CODE_OTHER || op->writes || op->width)
			return false;
	}
	return true;
}

static bool solve(struct run *run, int64_t frame)
{
	size_t budget = (size_t)run->blocks->len * VISITS_MAX;

	start_state(run, &block(run, 0)->state, true, 0);
	block(run, 0)->dirty = true;
	if (!settle(run, &budget))
		return false;
	for (guint i = 0; i < run->blocks->len; i++) {
		struct block *b = block(run, i);

		if (b->state.reached || is_padding(run, b))
			continue;
		start_state(run, &b->state, false, frame);
		b->dirty = true;
		if (!settle(run, &budget))
			return false;
	}
	return true;
}

/* Nothing is known anywhere: for a function too large to follow. */
static void visit_blind(struct run *run, int64_t frame)
{
	struct flow_state s;

	start_state(run, &s, false, frame);
	for (guint i = 0; i < run->operations->len; i++)
		run->flow->visit(operation(run, i), &s, run->flow->context);
}

void flow_run(const struct flow_code *flow)
{
	struct run run = {.flow = flow, .sp = code_stack_pointer(flow->abi.arch)};
	int64_t frame;

	run.operations = g_array_new(FALSE, FALSE, sizeof(struct code_operation));
	run.blocks = g_array_new(FALSE, TRUE, sizeof(struct block));
	run.taken = g_array_new(FALSE, FALSE, sizeof(int64_t));
	decode_all(&run);
	frame = note_taken(&run);
	if (run.operations->len && cut_blocks(&run) && solve(&run, frame))
		visit_all(&run);
	else
		visit_blind(&run, frame);
	g_array_unref(run.operations);
	g_array_unref(run.blocks);
	g_array_unref(run.taken);
}
