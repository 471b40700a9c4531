// SPDX-License-Identifier: Apache-2.0
// What a write costs is decided here. While one goroutine writes a map, its slot and the map's order word
// are read, and three or four words of its own cache line are written: no lock, no clock, nothing shared is
// written. When another goroutine than the last one writes the map, the order word takes one locked
// addition; when it has no slot yet, it gets one.
#include "record/trampoline.h"

#include "record/assembly.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SCRATCH   4
#define WORD      8
#define SLOT_LOG2 6
#define GENERAL   16 /* registers */
/** Each costs; four lead from the innermost map function through reflect to who called that. */
#define CALLERS_KEPT 4

#define SLOT(field) ((int32_t)offsetof(struct flight_slot, field))
#define SEEN(field) ((int32_t)offsetof(struct flight_detection, field))

enum { INSIDE = 1, SITE_SHIFT = 8 };

/** One hook while its piece is made. */
struct piece {
	struct assembly *a;
	const struct plan *plan;
	const struct flight_header *flight;
	const struct trampoline_room *room;
	struct decoder *decoder;
	const struct plan_hook *hook;
	uint32_t site;
	uint64_t slots_literal;          /**< where the slot table's address stands in the code */
	uint64_t allocate;               /**< the shared routine */
	uint8_t g, goid, at, key, order; /**< registers */
	uint8_t pushed;
};

static uint64_t header_field(const struct piece *p, size_t offset)
{
	return p->room->flight + offset;
}

/** Picks registers that are not the map's, and keeps what they hold. */
static void save_registers(struct piece *p)
{
	static const uint8_t pool[] = {RCX, RDX, RSI, RDI, R8, R9};
	uint8_t picked[SCRATCH + 1] = {0};
	size_t count = 0, wanted = SCRATCH + !p->plan->g_in_register;

	for (size_t i = 0; count < wanted; i++)
		if (pool[i] != p->hook->at.map_register)
			picked[count++] = pool[i];
	p->goid = picked[0];
	p->at = picked[1];
	p->key = picked[2];
	p->order = picked[3];
	p->g = p->plan->g_in_register ? R14 : picked[4];
	p->pushed = (uint8_t)wanted;
	for (size_t i = 0; i < wanted; i++)
		emit_push(p->a, picked[i]);
}

static void restore_registers(struct piece *p)
{
	if (!p->plan->g_in_register)
		emit_pop(p->a, p->g);
	emit_pop(p->a, p->order);
	emit_pop(p->a, p->key);
	emit_pop(p->a, p->at);
	emit_pop(p->a, p->goid);
}

/** The instructions that the jump replaced, at their new place. */
static void displaced(struct piece *p)
{
	const struct map_hook *at = &p->hook->at;

	for (size_t done = 0; done < at->size;) {
		struct instruction in;
		int64_t moved;

		if (!decoder_next(p->decoder, p->hook->bytes + done, at->size - done,
				  at->address + done, &in)) {
			p->a->failed = true;
			return;
		}
		if (in.relative_at) {
			moved = (int64_t)(in.target - (assembly_here(p->a) + in.size));
			if (moved != (int32_t)moved)
				p->a->failed = true;
			memcpy(in.bytes + in.relative_at, &(int32_t){(int32_t)moved},
			       sizeof(int32_t));
		}
		assembly_raw(p->a, in.bytes, in.size);
		done += in.size;
	}
}

static void jump_back(struct piece *p)
{
	emit_jump_to(p->a, p->hook->at.address + p->hook->at.size);
}

static void leave_if_frozen(struct piece *p, struct label *out)
{
	emit_compare_byte_at(p->a, header_field(p, offsetof(struct flight_header, frozen)), 0);
	emit_branch(p->a, IF_NOT_EQUAL, out);
}

/** goid = the goroutine, key = the record's key, at = the map's index in the order table. */
static void load_key(struct piece *p)
{
	struct assembly *a = p->a;

	if (!p->plan->g_in_register)
		emit_load_tls(a, p->g, p->plan->tls_offset);
	emit_load(a, WIDTH_64, p->goid, p->g, p->plan->layout->offset[GO_G_GOID]);
	emit_alu(a, WIDTH_64, ALU_MOV, p->at, p->hook->at.map_register);
	emit_shift_right(a, p->at, FLIGHT_MAP_SHIFT);
	emit_alu(a, WIDTH_64, ALU_MOV, p->key, p->goid);
	emit_shift_left(a, p->key, 32);
	emit_alu(a, WIDTH_32, ALU_MOV, p->order, p->at);
	emit_alu(a, WIDTH_64, ALU_OR, p->key, p->order);
	emit_alu_constant(a, WIDTH_32, ALU_AND, p->at, (1 << FLIGHT_ORDER_BITS) - 1);
}

/** order = the map's order word. */
static void load_order(struct piece *p)
{
	emit_address_of(p->a, p->order, p->room->flight + p->flight->order_offset);
	emit_load_indexed(p->a, p->order, p->order, p->at);
}

/** at = the key's own slot. */
static void load_slot(struct piece *p)
{
	struct assembly *a = p->a;

	emit_set(a, p->at, FLIGHT_HASH);
	emit_multiply(a, p->at, p->key);
	emit_shift_right(a, p->at, 64 - FLIGHT_SLOT_BITS);
	emit_shift_left(a, p->at, SLOT_LOG2);
	emit_add_at(a, p->at, p->slots_literal);
}

/** The other ways of the set, in turn; @a found when one of them has the key. at ends where it was. */
static void probe(struct piece *p, struct label *found)
{
	for (int way = 1; way <= FLIGHT_WAYS; way++) {
		emit_alu_constant(p->a, WIDTH_64, ALU_XOR, p->at, (way & 1 ? 1 : 3) << SLOT_LOG2);
		if (way == FLIGHT_WAYS)
			break;
		emit_compare_memory(p->a, p->at, SLOT(key), p->key);
		emit_branch(p->a, IF_EQUAL, found);
	}
}

/** order = the place that was, and a goroutine's word of this map follows it. Keeps at, key, goid. */
static void take_place(struct piece *p)
{
	struct assembly *a = p->a;

	emit_push(a, p->at);
	emit_alu(a, WIDTH_32, ALU_MOV, p->at, p->key);
	emit_alu_constant(a, WIDTH_32, ALU_AND, p->at, (1 << FLIGHT_ORDER_BITS) - 1);
	emit_shift_left(a, p->at, 3);
	emit_address_of(a, p->order, p->room->flight + p->flight->order_offset);
	emit_alu(a, WIDTH_64, ALU_ADD, p->at, p->order);
	emit_set(a, p->order, 1);
	emit_exchange_add(a, WIDTH_32, p->at, 4, p->order);
	emit_alu_constant(a, WIDTH_32, ALU_ADD, p->order, 1);
	emit_store(a, WIDTH_32, p->at, 0, p->goid);
	emit_shift_left(a, p->order, 32);
	emit_alu(a, WIDTH_32, ALU_MOV, p->at, p->key);
	emit_alu(a, WIDTH_64, ALU_OR, p->order, p->at);
	emit_pop(a, p->at);
	emit_store(a, WIDTH_64, p->at, SLOT(order), p->order);
}

/** The return address, and those of the callers as far as frame pointers lead up this very stack. */
static void store_callers(struct piece *p)
{
	struct assembly *a = p->a;
	struct label end = {0};

	emit_load(a, WIDTH_32, p->order, RSP, p->hook->return_offset + p->pushed * WORD);
	emit_alu(a, WIDTH_64, ALU_MOV, p->key, p->goid);
	emit_shift_left(a, p->key, 32);
	emit_alu(a, WIDTH_64, ALU_OR, p->order, p->key);
	emit_store(a, WIDTH_64, p->at, SLOT(who), p->order);
	emit_store(a, WIDTH_32, p->at, SLOT(callers_of), p->goid);
	emit_load(a, WIDTH_64, p->key, RBP, 0);
	for (int i = 0; i < CALLERS_KEPT; i++) {
		int32_t caller = SLOT(callers) + i * (int32_t)sizeof(uint32_t);

		emit_alu(a, WIDTH_64, ALU_CMP, p->key, RSP);
		emit_store_constant(a, WIDTH_32, p->at, caller, 0);
		emit_branch(a, IF_NOT_ABOVE, &end);
		emit_address(a, p->order, p->key, WORD);
		emit_load(a, WIDTH_64, p->goid, p->g, p->plan->layout->offset[GO_G_STACK_HI]);
		emit_alu(a, WIDTH_64, ALU_CMP, p->order, p->goid);
		emit_branch(a, IF_ABOVE_EQUAL, &end);
		emit_load(a, WIDTH_32, p->order, p->key, WORD);
		emit_store(a, WIDTH_32, p->at, caller, p->order);
		emit_load(a, WIDTH_64, p->key, p->key, 0);
	}
	label_place(a, &end);
}

/** Rare ways of a write's record, out of the usual one's way. */
static void rare_ways(struct piece *p, struct label *search, struct label *found,
		      struct label *reorder, struct label *record)
{
	struct assembly *a = p->a;

	label_place(a, search);
	probe(p, found);
	emit_push(a, p->at);
	emit_push(a, p->key);
	emit_call_to(a, p->allocate);
	emit_pop(a, p->key);
	emit_pop(a, p->at);
	emit_jump(a, found);
	label_place(a, reorder);
	take_place(p);
	emit_jump(a, record);
}

static void make_set(struct piece *p)
{
	struct label out = {0}, other = {0}, slot = {0}, search = {0}, found = {0}, reorder = {0},
		     record = {0};
	struct assembly *a = p->a;

	save_registers(p);
	leave_if_frozen(p, &out);
	load_key(p);
	load_order(p);
	emit_alu(a, WIDTH_32, ALU_CMP, p->order, p->goid);
	emit_branch(a, IF_NOT_EQUAL, &other);
	emit_alu(a, WIDTH_32, ALU_MOV, p->at, p->key);
	emit_shift_right(a, p->order, 32);
	emit_shift_left(a, p->order, 32);
	emit_alu(a, WIDTH_64, ALU_OR, p->order, p->at);
	label_place(a, &slot);
	load_slot(p);
	emit_compare_memory(a, p->at, SLOT(key), p->key);
	emit_branch(a, IF_NOT_EQUAL, &search);
	label_place(a, &found);
	emit_compare_memory(a, p->at, SLOT(order), p->order);
	emit_branch(a, IF_NOT_EQUAL, &reorder);
	label_place(a, &record);
	emit_store_constant(a, WIDTH_64, p->at, SLOT(state),
			    (int32_t)(p->site << SITE_SHIFT | INSIDE));
	store_callers(p);
	label_place(a, &out);
	restore_registers(p);
	displaced(p);
	jump_back(p);

	label_place(a, &other); // no slot has this order: it is another goroutine's turn
	emit_set(a, p->order, UINT64_MAX);
	emit_jump(a, &slot);
	rare_ways(p, &search, &found, &reorder, &record);
}

static void make_clear(struct piece *p)
{
	struct label out = {0}, search = {0}, found = {0};
	struct assembly *a = p->a;

	displaced(p);
	save_registers(p);
	leave_if_frozen(p, &out);
	load_key(p);
	load_order(p);
	emit_shift_right(a, p->order, 32);
	emit_shift_left(a, p->order, 32);
	emit_alu_constant(a, WIDTH_64, ALU_OR, p->order, (int32_t)(p->site << SITE_SHIFT));
	load_slot(p);
	emit_compare_memory(a, p->at, SLOT(key), p->key);
	emit_branch(a, IF_NOT_EQUAL, &search);
	label_place(a, &found);
	emit_store(a, WIDTH_64, p->at, SLOT(state), p->order);
	label_place(a, &out);
	restore_registers(p);
	jump_back(p);

	label_place(a, &search);
	probe(p, &found);
	emit_jump(a, &out);
}

/* Giving up */

static const uint8_t push_flags = 0x9c, pop_flags = 0x9d, give_back = 0xc3;
static const uint8_t time_stamp[] = {0x0f, 0x31};
static const uint8_t copy_words[] = {0xf3, 0x48, 0xa5}, copy_bytes[] = {0xf3, 0xa4};

/** R12 = where this detection is kept. Out when there is no room for it. RBX = its number. */
static void take_detection(struct piece *p, struct label *out)
{
	struct assembly *a = p->a;

	emit_set(a, RBX, 1);
	emit_exchange_add_at(a, header_field(p, offsetof(struct flight_header, detection_count)),
			     RBX);
	emit_store_constant_at(a, header_field(p, offsetof(struct flight_header, frozen)), 1);
	emit_alu_constant(a, WIDTH_64, ALU_CMP, RBX, FLIGHT_DETECTIONS);
	emit_branch(a, IF_ABOVE_EQUAL, out);
	emit_alu(a, WIDTH_64, ALU_MOV, RAX, RBX);
	emit_shift_left(a, RAX, 12);
	emit_address_of(a, R12, p->room->flight + p->flight->detections_offset);
	emit_alu(a, WIDTH_64, ALU_ADD, R12, RAX);
}

static void keep_registers(struct piece *p)
{
	struct assembly *a = p->a;

	emit_address(a, RDI, R12, SEEN(registers));
	emit_alu(a, WIDTH_64, ALU_MOV, RSI, RSP);
	emit_set(a, RCX, GENERAL);
	assembly_raw(a, copy_words, sizeof(copy_words));
	emit_address(a, RAX, RSP, (GENERAL + 1) * WORD);
	emit_store(a, WIDTH_64, R12, SEEN(sp), RAX);
	emit_store(a, WIDTH_64, R12, SEEN(registers) + RSP * WORD, RAX);
	if (!p->plan->g_in_register)
		emit_load_tls(a, R14, p->plan->tls_offset);
	emit_load(a, WIDTH_64, RAX, R14, p->plan->layout->offset[GO_G_GOID]);
	emit_store(a, WIDTH_64, R12, SEEN(goroutine), RAX);
	emit_store_constant(a, WIDTH_32, R12, SEEN(site), (int32_t)p->site);
	assembly_raw(a, time_stamp, sizeof(time_stamp));
	emit_shift_left(a, RDX, 32);
	emit_alu(a, WIDTH_64, ALU_OR, RAX, RDX);
	emit_store(a, WIDTH_64, R12, SEEN(time_stamp), RAX);
}

static void keep_map(struct piece *p)
{
	struct assembly *a = p->a;

	if (p->hook->at.map_register == REGISTER_NONE)
		return;
	emit_load(a, WIDTH_64, RAX, RSP, p->hook->at.map_register * WORD);
	emit_store(a, WIDTH_64, R12, SEEN(map), RAX);
	emit_shift_right(a, RAX, FLIGHT_MAP_SHIFT);
	emit_alu_constant(a, WIDTH_32, ALU_AND, RAX, (1 << FLIGHT_ORDER_BITS) - 1);
	emit_address_of(a, RCX, p->room->flight + p->flight->order_offset);
	emit_load_indexed(a, RAX, RCX, RAX);
	emit_store(a, WIDTH_64, R12, SEEN(order), RAX);
}

/** The stack from SP up, as much as there is and fits. */
static void keep_stack(struct piece *p)
{
	struct label none = {0}, fits = {0};
	struct assembly *a = p->a;

	emit_load(a, WIDTH_64, RSI, R12, SEEN(sp));
	emit_load(a, WIDTH_64, RCX, R14, p->plan->layout->offset[GO_G_STACK_HI]);
	emit_alu(a, WIDTH_64, ALU_SUB, RCX, RSI);
	emit_branch(a, IF_NOT_ABOVE, &none);
	emit_alu_constant(a, WIDTH_64, ALU_CMP, RCX, FLIGHT_STACK_BYTES);
	emit_branch(a, IF_NOT_ABOVE, &fits);
	emit_set(a, RCX, FLIGHT_STACK_BYTES);
	label_place(a, &fits);
	emit_store(a, WIDTH_32, R12, SEEN(stack_bytes), RCX);
	emit_address(a, RDI, R12, SEEN(stack));
	assembly_raw(a, copy_bytes, sizeof(copy_bytes));
	label_place(a, &none);
	emit_store_constant(a, WIDTH_64, R12, SEEN(complete), 1);
}

/** The first to give up copies everything to where a core will have it. */
static void keep_copy(struct piece *p, struct label *out)
{
	struct assembly *a = p->a;

	if (!p->room->copy)
		return;
	emit_alu_constant(a, WIDTH_64, ALU_CMP, RBX, 0);
	emit_branch(a, IF_NOT_EQUAL, out);
	emit_address_of(a, RSI, p->room->flight);
	emit_set(a, RDI, p->room->copy);
	emit_set(a, RCX, p->flight->total_bytes / WORD);
	assembly_raw(a, copy_words, sizeof(copy_words));
}

static void make_give_up(struct piece *p)
{
	struct assembly *a = p->a;
	struct label out = {0};

	assembly_raw(a, &push_flags, 1);
	for (uint8_t reg = GENERAL; reg-- > 0;)
		emit_push(a, reg);
	take_detection(p, &out);
	keep_registers(p);
	keep_map(p);
	keep_stack(p);
	keep_copy(p, &out);
	label_place(a, &out);
	for (uint8_t reg = 0; reg < GENERAL; reg++) {
		if (reg == RSP)
			emit_address(a, RSP, RSP, WORD);
		else
			emit_pop(a, reg);
	}
	assembly_raw(a, &pop_flags, 1);
	displaced(p);
	jump_back(p);
}

/* The shared routine: a slot for a key that has none. On the stack above the return address: the key, and the
 * key's own slot, which is replaced by the one to use. */

static void next_way(struct assembly *a, int way)
{
	emit_alu_constant(a, WIDTH_64, ALU_XOR, RCX, (way & 1 ? 1 : 3) << SLOT_LOG2);
}

/** RCX = a free way, else one whose goroutine is not inside a write. */
static void choose_way(struct piece *p, struct label *take)
{
	struct assembly *a = p->a;

	for (int way = 1; way <= FLIGHT_WAYS; way++) {
		emit_compare_memory_constant(a, RCX, SLOT(key), 0);
		emit_branch(a, IF_EQUAL, take);
		next_way(a, way);
	}
	emit_set(a, RAX, 1);
	emit_exchange_add_at(a, header_field(p, offsetof(struct flight_header, evictions)), RAX);
	emit_alu_constant(a, WIDTH_32, ALU_AND, RAX, FLIGHT_WAYS - 1);
	emit_shift_left(a, RAX, SLOT_LOG2);
	emit_alu(a, WIDTH_64, ALU_XOR, RCX, RAX);
	for (int way = 1; way < FLIGHT_WAYS; way++) {
		emit_test_byte(a, RCX, SLOT(state), INSIDE);
		emit_branch(a, IF_EQUAL, take);
		next_way(a, way);
	}
}

static void make_allocate(struct piece *p)
{
	enum { KEY = 4 * WORD, AT = 5 * WORD };
	struct label take = {0}, lost = {0}, done = {0};
	struct assembly *a = p->a;

	emit_push(a, RAX);
	emit_push(a, RCX);
	emit_push(a, RDX);
	emit_load(a, WIDTH_64, RCX, RSP, AT);
	choose_way(p, &take);
	label_place(a, &take);
	emit_load(a, WIDTH_64, RAX, RCX, SLOT(key));
	emit_set(a, RDX, FLIGHT_KEY_TAKEN);
	emit_alu(a, WIDTH_64, ALU_CMP, RAX, RDX);
	emit_branch(a, IF_EQUAL, &lost);
	emit_compare_exchange(a, RCX, SLOT(key), RDX);
	emit_branch(a, IF_NOT_EQUAL, &lost);
	emit_store_constant(a, WIDTH_64, RCX, SLOT(who), 0);
	emit_store_constant(a, WIDTH_64, RCX, SLOT(order), 0);
	emit_store_constant(a, WIDTH_64, RCX, SLOT(state), 0);
	emit_load(a, WIDTH_64, RDX, RSP, KEY);
	emit_store(a, WIDTH_64, RCX, SLOT(key), RDX);
	emit_jump(a, &done);
	label_place(a, &lost);
	emit_set(a, RAX, 1);
	emit_exchange_add_at(a, header_field(p, offsetof(struct flight_header, lost)), RAX);
	emit_address_of(a, RCX, header_field(p, offsetof(struct flight_header, dummy)));
	label_place(a, &done);
	emit_store(a, WIDTH_64, RSP, AT, RCX);
	emit_pop(a, RDX);
	emit_pop(a, RCX);
	emit_pop(a, RAX);
	assembly_raw(a, &give_back, 1);
}

static void make_piece(struct piece *p)
{
	switch ((enum map_moment)p->hook->at.moment) {
	case MOMENT_SET:
		make_set(p);
		break;
	case MOMENT_CLEAR:
		make_clear(p);
		break;
	case MOMENT_GIVE_UP:
		make_give_up(p);
		break;
	}
}

bool trampolines_make(const struct plan *plan, const struct flight_header *flight,
		      struct decoder *decoder, const struct trampoline_room *room,
		      struct trampolines *ret)
{
	struct assembly a = {
		.bytes = malloc(TRAMPOLINE_CODE_BYTES),
		.room = TRAMPOLINE_CODE_BYTES,
		.address = room->code,
	};
	struct piece piece = {
		.a = &a, .plan = plan, .flight = flight, .room = room, .decoder = decoder};
	uint64_t *targets = calloc(plan->hook_count + 1, sizeof(*targets));

	a.failed = !a.bytes || !targets;
	piece.slots_literal = room->code;
	piece.allocate = room->code + WORD;
	if (!a.failed) {
		assembly_raw(&a, &(uint64_t){room->flight + flight->slots_offset}, WORD);
		make_allocate(&piece);
	}
	for (size_t i = 0; i < plan->hook_count && !a.failed; i++) {
		assembly_align(&a, 16);
		targets[i] = assembly_here(&a);
		piece.hook = &plan->hooks[i];
		piece.site = (uint32_t)i;
		make_piece(&piece);
	}
	*ret = (struct trampolines){a.bytes, a.size, targets};
	if (!a.failed)
		return true;
	trampolines_done(ret);
	return false;
}

void trampolines_done(struct trampolines *trampolines)
{
	free(trampolines->code);
	free(trampolines->targets);
	*trampolines = (struct trampolines){0};
}
