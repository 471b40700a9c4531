// SPDX-License-Identifier: Apache-2.0
// What a write costs is decided here. While one goroutine writes a map, its slot and the map's order word
// are read, and three words of its own cache line are written: no lock, no clock, nothing shared is
// written. When another goroutine than the last one writes the map, the order word takes one locked
// addition; when it has no slot yet, it gets one.
#include "record/trampoline.h"

#include "record/assembly.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define WORD       8
#define GENERAL    16 /* registers */
#define SCRATCH    6  /* registers that a piece keeps, at most */
#define BIRTH_LOG2 5

#define SLOT(field)   ((int32_t)offsetof(struct flight_slot, field))
#define SEEN(field)   ((int32_t)offsetof(struct flight_detection, field))
#define HEADER(field) (p->room->flight + offsetof(struct flight_header, field))
#define OWN(field)    (p->room->own + offsetof(struct trampoline_own, field))

/** One hook while its piece is made. */
struct piece {
	struct assembly *a;
	const struct plan *plan;
	const struct flight_header *flight;
	const struct trampoline_room *room;
	struct decoder *decoder;
	const struct plan_hook *hook;
	uint32_t site;
	uint64_t
		slots_literal; /**< where the address of the table for this hook's records stands in the code */
	uint64_t allocate;                      /**< the shared routine */
	uint8_t g, goid, at, key, order, spare; /**< registers */
	uint8_t saved[SCRATCH];
	uint8_t pushed;
};

/** Picks registers that are not the map's, and keeps what they hold. */
static void save_registers(struct piece *p)
{
	static const uint8_t pool[] = {RCX, RDX, RSI, RDI, R8, R9, R10, R11};
	uint8_t *registers[SCRATCH] = {&p->goid, &p->at, &p->key, &p->order, &p->spare, &p->g};
	uint8_t wanted = p->plan->g_in_register ? SCRATCH - 1 : SCRATCH;

	p->g = R14;
	p->pushed = 0;
	for (size_t i = 0; p->pushed < wanted; i++) {
		if (pool[i] == p->hook->at.map_register)
			continue;
		emit_push(p->a, pool[i]);
		*registers[p->pushed] = pool[i];
		p->saved[p->pushed++] = pool[i];
	}
}

static void restore_registers(struct piece *p)
{
	for (uint8_t i = p->pushed; i-- > 0;)
		emit_pop(p->a, p->saved[i]);
}

static void displaced(struct piece *p)
{
	const struct map_hook *at = &p->hook->at;

	assembly_displaced(p->a, p->decoder, p->hook->bytes, at->size, at->address);
}

static void jump_back(struct piece *p)
{
	emit_jump_to(p->a, p->hook->at.address + p->hook->at.size);
}

static void leave_if_not_recording(struct piece *p, struct label *out)
{
	emit_compare_byte_at(p->a, OWN(recording), 0);
	emit_branch(p->a, IF_EQUAL, out);
}

/** goid = the goroutine, key = the record's key, order = the map's order word. */
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
	emit_address_of(a, p->order, p->room->flight + p->flight->order_offset);
	emit_load_indexed(a, p->order, p->order, p->at);
}

/** at = the key's own slot; goid is used up. */
static void load_slot(struct piece *p)
{
	struct assembly *a = p->a;

	emit_multiply(a, p->at, p->key, FLIGHT_HASH);
	emit_alu_constant(a, WIDTH_32, ALU_AND, p->at, FLIGHT_HASH_BITS);
	emit_shift_left(a, p->goid, FLIGHT_SET_SHIFT);
	emit_alu_constant(a, WIDTH_32, ALU_AND, p->goid, FLIGHT_SET_BITS);
	emit_alu(a, WIDTH_64, ALU_ADD, p->at, p->goid);
	emit_add_at(a, p->at, p->slots_literal);
}

/** From one way of a set to the next; after FLIGHT_WAYS of these it is the first one again. */
static void next_way(struct assembly *a, uint8_t at, int way)
{
	emit_alu_constant(a, WIDTH_64, ALU_XOR, at,
			  (way & 1 ? 1 : 3) * (int32_t)sizeof(struct flight_slot));
}

/** The other ways of the set, in turn; @a found when one of them has the key. at ends where it was. */
static void probe(struct piece *p, struct label *found)
{
	for (int way = 1; way <= FLIGHT_WAYS; way++) {
		next_way(p->a, p->at, way);
		if (way == FLIGHT_WAYS)
			break;
		emit_compare_memory(p->a, WIDTH_64, p->at, SLOT(key), p->key);
		emit_branch(p->a, IF_EQUAL, found);
	}
}

/** Then at, key and order are those of the operation; @a search when the key is not where it is looked for first. */
static void find_slot(struct piece *p, struct label *search, struct label *found)
{
	load_key(p);
	load_slot(p);
	emit_compare_memory(p->a, WIDTH_64, p->at, SLOT(key), p->key);
	emit_branch(p->a, IF_NOT_EQUAL, search);
	label_place(p->a, found);
}

/** The goroutine becomes the map's writer: the place in its order grows. Keeps at and key. */
static void take_place(struct piece *p)
{
	struct assembly *a = p->a;

	emit_alu(a, WIDTH_32, ALU_MOV, p->spare, p->key);
	emit_alu_constant(a, WIDTH_32, ALU_AND, p->spare, (1 << FLIGHT_ORDER_BITS) - 1);
	emit_shift_left(a, p->spare, 3);
	emit_address_of(a, p->order, p->room->flight + p->flight->order_offset);
	emit_alu(a, WIDTH_64, ALU_ADD, p->spare, p->order);
	emit_set(a, p->order, 1);
	emit_exchange_add(a, WIDTH_32, p->spare, 4, p->order);
	emit_alu_constant(a, WIDTH_32, ALU_ADD, p->order, 1);
	emit_alu(a, WIDTH_64, ALU_MOV, p->goid, p->key);
	emit_shift_right(a, p->goid, 32);
	emit_store(a, WIDTH_32, p->spare, 0, p->goid);
	emit_shift_left(a, p->order, 32);
	emit_alu(a, WIDTH_64, ALU_OR, p->order, p->goid);
	emit_store(a, WIDTH_64, p->at, SLOT(order), p->order);
}

/** goid = the slot's word that says who it was, inside or not, and where it was called; key is used up. */
static void load_who(struct piece *p, uint32_t flags)
{
	struct assembly *a = p->a;

	emit_load(a, WIDTH_64, p->goid, RSP, p->hook->return_offset + p->pushed * WORD);
	emit_shift_left(a, p->goid, 32);
	emit_shift_right(a, p->key, 32 + FLIGHT_TAG_FROM - FLIGHT_TAG_SHIFT);
	emit_alu_constant(a, WIDTH_32, ALU_AND, p->key, (int32_t)(UINT32_MAX << FLIGHT_TAG_SHIFT));
	emit_alu(a, WIDTH_64, ALU_OR, p->goid, p->key);
	emit_alu_constant(a, WIDTH_64, ALU_OR, p->goid,
			  (int32_t)(p->site << FLIGHT_SITE_SHIFT | flags));
}

static int32_t caller_at(int index) { return SLOT(callers) + index * (int32_t)sizeof(uint32_t); }

/** order = the caller's frame, key = the last place where one may be. */
static void begin_walk(struct piece *p)
{
	if (p->hook->at.in_frame)
		emit_load(p->a, WIDTH_64, p->order, RBP, 0);
	else
		emit_alu(p->a, WIDTH_64, ALU_MOV, p->order, RBP);
	emit_load(p->a, WIDTH_64, p->key, p->g, p->plan->layout->offset[GO_G_STACK_HI]);
	emit_alu_constant(p->a, WIDTH_64, ALU_ADD, p->key, -2 * WORD);
}

/** spare = the return address in the frame; @a outside when it is not of this stack. */
static void walk(struct piece *p, struct label *outside)
{
	emit_alu(p->a, WIDTH_64, ALU_CMP, p->order, RSP);
	emit_branch(p->a, IF_NOT_ABOVE, outside);
	emit_alu(p->a, WIDTH_64, ALU_CMP, p->order, p->key);
	emit_branch(p->a, IF_ABOVE, outside);
	emit_load(p->a, WIDTH_32, p->spare, p->order, WORD);
}

/** Are the callers, as far as frame pointers lead up this very stack, those that the slot has? The walk has begun. */
static void compare_callers(struct piece *p, struct label ends[FLIGHT_CALLERS],
			    struct label *changed)
{
	for (int i = 0; i < FLIGHT_CALLERS; i++) {
		walk(p, &ends[i]);
		emit_compare_memory(p->a, WIDTH_32, p->at, caller_at(i), p->spare);
		emit_branch(p->a, IF_NOT_EQUAL, changed);
		if (i + 1 < FLIGHT_CALLERS)
			emit_load(p->a, WIDTH_64, p->order, p->order, 0);
	}
}

/** The callers of now go to where at points, @a offset bytes on. */
static void put_callers(struct piece *p, int32_t offset)
{
	struct assembly *a = p->a;
	struct label end = {0};

	begin_walk(p);
	for (int i = 0; i < FLIGHT_CALLERS; i++) {
		int32_t to = offset + i * (int32_t)sizeof(uint32_t);

		emit_store_constant(a, WIDTH_32, p->at, to, 0);
		walk(p, &end);
		emit_store(a, WIDTH_32, p->at, to, p->spare);
		if (i + 1 < FLIGHT_CALLERS)
			emit_load(a, WIDTH_64, p->order, p->order, 0);
	}
	label_place(a, &end);
}

/** Rare: the slot's callers become those of now. */
static void store_callers(struct piece *p, struct label ends[FLIGHT_CALLERS], struct label *changed,
			  struct label *settled)
{
	struct assembly *a = p->a;

	for (int i = 0; i < FLIGHT_CALLERS; i++) {
		label_place(a, &ends[i]);
		emit_compare_memory_constant(a, WIDTH_32, p->at, caller_at(i), 0);
		emit_branch(a, IF_EQUAL, settled);
		if (i + 1 < FLIGHT_CALLERS)
			emit_jump(a, changed);
	}
	label_place(a, changed);
	emit_store_byte(a, p->at, SLOT(who), FLIGHT_UNSETTLED);
	put_callers(p, SLOT(callers));
	emit_load(a, WIDTH_32, p->spare, p->g, p->plan->layout->offset[GO_G_GOID]);
	emit_store(a, WIDTH_32, p->at, SLOT(callers_of), p->spare);
	emit_jump(a, settled);
}

/** Rare: the key is not where it is looked for first. */
static void search_ways(struct piece *p, struct label *search, struct label *found)
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
}

/** Rare: it is not the map's writer by now, or its slot is new. */
static void reorder_ways(struct piece *p, struct label *reorder, struct label *record)
{
	struct label other = {0};
	struct assembly *a = p->a;

	label_place(a, reorder);
	emit_alu(a, WIDTH_64, ALU_MOV, p->spare, p->key);
	emit_shift_right(a, p->spare, 32);
	emit_alu(a, WIDTH_32, ALU_CMP, p->order, p->spare);
	emit_branch(a, IF_NOT_EQUAL, &other);
	emit_store(a, WIDTH_64, p->at, SLOT(order),
		   p->order); // it is the writer; only its slot is new
	emit_jump(a, record);
	label_place(a, &other);
	take_place(p);
	emit_jump(a, record);
}

/** The slot was used just now, by its set's clock. */
static void touch(struct piece *p)
{
	emit_alu(p->a, WIDTH_64, ALU_MOV, p->spare, p->at);
	emit_alu_constant(p->a, WIDTH_64, ALU_AND, p->spare,
			  -FLIGHT_WAYS * (int32_t)sizeof(struct flight_slot));
	emit_load(p->a, WIDTH_32, p->spare, p->spare, SLOT(clock));
	emit_store(p->a, WIDTH_32, p->at, SLOT(used), p->spare);
}

/** Goes to @a above when the map's address is above SP: it may stand on this stack. The walk has begun. */
static void look_where_map_is(struct piece *p, struct label *above)
{
	emit_alu(p->a, WIDTH_64, ALU_CMP, p->hook->at.map_register, RSP);
	emit_branch(p->a, IF_ABOVE, above);
}

static void mark_on_stack(struct piece *p, struct label *above, struct label *looked)
{
	struct assembly *a = p->a;

	label_place(a, above);
	emit_alu(a, WIDTH_64, ALU_CMP, p->hook->at.map_register, p->key);
	emit_branch(a, IF_ABOVE, looked);
	emit_alu_constant(a, WIDTH_64, ALU_OR, p->goid, FLIGHT_ON_STACK);
	emit_jump(a, looked);
}

static void make_set(struct piece *p)
{
	struct label out = {0}, search = {0}, found = {0}, reorder = {0}, record = {0},
		     changed = {0}, settled = {0}, above = {0}, looked = {0},
		     ends[FLIGHT_CALLERS] = {0};
	struct assembly *a = p->a;

	save_registers(p);
	leave_if_not_recording(p, &out);
	find_slot(p, &search, &found);
	emit_compare_memory(a, WIDTH_64, p->at, SLOT(order), p->order);
	emit_branch(a, IF_NOT_EQUAL, &reorder);
	label_place(a, &record);
	load_who(p, FLIGHT_INSIDE);
	begin_walk(p);
	look_where_map_is(p, &above);
	label_place(a, &looked);
	compare_callers(p, ends, &changed);
	label_place(a, &settled);
	emit_store(a, WIDTH_64, p->at, SLOT(who), p->goid);
	touch(p);
	label_place(a, &out);
	restore_registers(p);
	displaced(p);
	jump_back(p);

	search_ways(p, &search, &found);
	reorder_ways(p, &reorder, &record);
	mark_on_stack(p, &above, &looked);
	store_callers(p, ends, &changed, &settled);
}

static void make_clear(struct piece *p)
{
	struct label out = {0}, search = {0}, found = {0};
	struct assembly *a = p->a;

	displaced(p);
	save_registers(p);
	leave_if_not_recording(p, &out);
	find_slot(p, &search, &found);
	emit_shift_right(a, p->order, 32);
	emit_store(a, WIDTH_32, p->at, SLOT(left), p->order);
	emit_and_byte(a, p->at, SLOT(who), (uint8_t)~FLIGHT_INSIDE);
	label_place(a, &out);
	restore_registers(p);
	jump_back(p);

	label_place(a, &search);
	probe(p, &found);
	emit_jump(a, &out);
}

/** The reader's place is the map's order as it is: reading is no change of writer. Keeps at and key. */
static void keep_place(struct piece *p)
{
	struct assembly *a = p->a;

	emit_alu(a, WIDTH_64, ALU_MOV, p->spare, p->key);
	emit_shift_right(a, p->spare, 32);
	emit_shift_right(a, p->order, 32);
	emit_shift_left(a, p->order, 32);
	emit_alu(a, WIDTH_64, ALU_OR, p->order, p->spare);
	emit_store(a, WIDTH_64, p->at, SLOT(order), p->order);
}

static void make_read(struct piece *p)
{
	struct label out = {0}, search = {0}, found = {0}, changed = {0}, settled = {0},
		     ends[FLIGHT_CALLERS] = {0};
	struct assembly *a = p->a;

	save_registers(p);
	leave_if_not_recording(p, &out);
	find_slot(p, &search, &found);
	keep_place(p);
	load_who(p, 0);
	begin_walk(p);
	compare_callers(p, ends, &changed);
	label_place(a, &settled);
	emit_store(a, WIDTH_64, p->at, SLOT(who), p->goid);
	touch(p);
	label_place(a, &out);
	restore_registers(p);
	displaced(p);
	jump_back(p);

	search_ways(p, &search, &found);
	store_callers(p, ends, &changed, &settled);
}

/* Making and growing maps */

#define BIRTH(field) ((int32_t)offsetof(struct flight_birth, field))

/** at = the map's address / 16 */
static void load_born(struct piece *p)
{
	if (p->hook->at.map_register == REGISTER_NONE)
		emit_load(p->a, WIDTH_64, p->at, RSP, p->hook->map_offset + p->pushed * WORD);
	else
		emit_alu(p->a, WIDTH_64, ALU_MOV, p->at, p->hook->at.map_register);
	emit_shift_right(p->a, p->at, FLIGHT_MAP_SHIFT);
}

/** What was recorded of its address before is of another map: the order goes on, with nobody as the writer. */
static void begin_era(struct piece *p)
{
	struct assembly *a = p->a;

	load_born(p);
	emit_alu(a, WIDTH_64, ALU_MOV, p->goid, p->at);
	emit_shift_left(a, p->goid, 32);
	emit_alu_constant(a, WIDTH_32, ALU_AND, p->at, (1 << FLIGHT_ORDER_BITS) - 1);
	emit_shift_left(a, p->at, 3);
	emit_address_of(a, p->order, p->room->flight + p->flight->order_offset);
	emit_alu(a, WIDTH_64, ALU_ADD, p->order, p->at);
	emit_set(a, p->key, 1);
	emit_exchange_add(a, WIDTH_32, p->order, 4, p->key);
	emit_alu_constant(a, WIDTH_32, ALU_ADD, p->key, 1);
	emit_store_constant(a, WIDTH_32, p->order, 0, 0);
	emit_alu(a, WIDTH_64, ALU_OR, p->key, p->goid);
	emit_address_of(a, p->order, p->room->flight + p->flight->eras_offset);
	emit_alu(a, WIDTH_64, ALU_ADD, p->order, p->at);
	emit_store(a, WIDTH_64, p->order, 0, p->key);
}

/** at = the map's place in the table, goid = the map as it is told there. */
static void find_birth(struct piece *p, uint64_t table)
{
	static const int32_t places = (1 << FLIGHT_BIRTH_BITS) - 1;
	struct assembly *a = p->a;

	load_born(p);
	emit_alu(a, WIDTH_32, ALU_MOV, p->goid, p->at);
	emit_shift_right(a, p->at, FLIGHT_BIRTH_SHIFT - FLIGHT_MAP_SHIFT);
	emit_alu_constant(a, WIDTH_32, ALU_AND, p->at, places);
	emit_shift_left(a, p->at, BIRTH_LOG2);
	emit_address_of(a, p->key, table);
	emit_alu(a, WIDTH_64, ALU_ADD, p->at, p->key);
}

static void keep_birth(struct piece *p, bool made)
{
	int32_t table_bytes = (int32_t)(p->flight->birth_count * sizeof(struct flight_birth));
	struct assembly *a = p->a;

	if (!p->plan->g_in_register)
		emit_load_tls(a, p->g, p->plan->tls_offset);
	find_birth(p,
		   p->room->flight + p->flight->births_offset + (made ? 0 : (uint64_t)table_bytes));
	emit_store_constant(a, WIDTH_32, p->at, BIRTH(map), 0);
	if (made) // whoever grew the map that stood there before
		emit_store_constant(a, WIDTH_32, p->at, table_bytes + BIRTH(map), 0);
	emit_load(a, WIDTH_32, p->spare, p->g, p->plan->layout->offset[GO_G_GOID]);
	emit_store(a, WIDTH_32, p->at, BIRTH(goroutine), p->spare);
	emit_load(a, WIDTH_32, p->spare, RSP, p->hook->return_offset + p->pushed * WORD);
	emit_store(a, WIDTH_32, p->at, BIRTH(caller), p->spare);
	emit_store_constant(a, WIDTH_32, p->at, BIRTH(site), (int32_t)p->site);
	put_callers(p, BIRTH(callers));
	emit_store(a, WIDTH_32, p->at, BIRTH(map), p->goid);
}

static void make_birth(struct piece *p)
{
	bool made = p->hook->at.moment == MOMENT_MADE;
	struct label out = {0};

	save_registers(p);
	leave_if_not_recording(p, &out);
	if (made && p->flight->eras_offset)
		begin_era(p);
	if (p->flight->birth_count)
		keep_birth(p, made);
	label_place(p->a, &out);
	restore_registers(p);
	displaced(p);
	if (!made) // that ends with the function's return
		jump_back(p);
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
	emit_exchange_add_at(a, HEADER(detection_count), RBX);
	emit_store_byte_at(a, OWN(recording), 0);
	emit_store_constant_at(a, HEADER(frozen), 1);
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
	emit_compare_byte_at(a, OWN(is_owner), 0);
	emit_branch(a, IF_EQUAL, &out);
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

/**
 * RDX = of the ways that are not inside a write, the one that was not used for longest; else the first. A free one was
 * never used. Without branches: none of them could be foreseen.
 */
static void choose_way(struct piece *p)
{
	struct assembly *a = p->a;

	emit_alu(a, WIDTH_64, ALU_MOV, RDX, RCX);
	emit_alu(a, WIDTH_64, ALU_MOV, RDI, RCX);
	emit_alu_constant(a, WIDTH_64, ALU_AND, RDI,
			  -FLIGHT_WAYS * (int32_t)sizeof(struct flight_slot));
	emit_load(a, WIDTH_32, RAX, RDI, SLOT(clock));
	emit_alu_constant(a, WIDTH_32, ALU_ADD, RAX, 1);
	emit_store(a, WIDTH_32, RDI, SLOT(clock), RAX);
	emit_set(a, RSI, 0); // how long the way in RDX was not used
	emit_set(a, R8, 0);
	for (int way = 1; way <= FLIGHT_WAYS; way++) {
		emit_alu(a, WIDTH_32, ALU_MOV, RDI, RAX);
		emit_alu_memory(a, WIDTH_32, ALU_SUB, RDI, RCX, SLOT(used));
		emit_test_byte(a, RCX, SLOT(who), FLIGHT_INSIDE);
		emit_move_if(a, IF_NOT_EQUAL, RDI, R8);
		emit_alu(a, WIDTH_32, ALU_CMP, RDI, RSI);
		emit_move_if(a, IF_ABOVE, RSI, RDI);
		emit_move_if(a, IF_ABOVE, RDX, RCX);
		next_way(a, RCX, way);
	}
}

/** The slot at RDX becomes the key's, unless another thread is about to take it: then the one for what is lost. */
static void claim(struct piece *p, int32_t key_at)
{
	struct label lost = {0}, done = {0};
	struct assembly *a = p->a;

	emit_load(a, WIDTH_64, RAX, RDX, SLOT(key));
	emit_set(a, RCX, FLIGHT_KEY_TAKEN);
	emit_alu(a, WIDTH_64, ALU_CMP, RAX, RCX);
	emit_branch(a, IF_EQUAL, &lost);
	emit_compare_exchange(a, RDX, SLOT(key), RCX);
	emit_branch(a, IF_NOT_EQUAL, &lost);
	emit_store_constant(a, WIDTH_64, RDX, SLOT(who), 0);
	emit_store_constant(a, WIDTH_64, RDX, SLOT(order), -1); // no order word is like that
	emit_store_constant(a, WIDTH_32, RDX, SLOT(callers_of), 0);
	emit_store_constant(a, WIDTH_32, RDX, SLOT(callers), 0);
	emit_load(a, WIDTH_64, RAX, RSP, key_at);
	emit_store(a, WIDTH_64, RDX, SLOT(claimed), RAX);
	emit_store(a, WIDTH_64, RDX, SLOT(key), RAX);
	emit_jump(a, &done);
	label_place(a, &lost);
	emit_set(a, RAX, 1);
	emit_exchange_add_at(a, HEADER(lost), RAX);
	emit_address_of(a, RDX, HEADER(dummy));
	label_place(a, &done);
}

static void make_allocate(struct piece *p)
{
	static const uint8_t used[] = {RAX, RCX, RDX, RSI, RDI, R8};
	enum { KEY = (sizeof(used) + 1) * WORD, AT = KEY + WORD };
	struct assembly *a = p->a;

	for (size_t i = 0; i < sizeof(used); i++)
		emit_push(a, used[i]);
	emit_load(a, WIDTH_64, RCX, RSP, AT);
	choose_way(p);
	claim(p, KEY);
	emit_store(a, WIDTH_64, RSP, AT, RDX);
	for (size_t i = sizeof(used); i-- > 0;)
		emit_pop(a, used[i]);
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
	case MOMENT_MADE:
	case MOMENT_GROWN:
		make_birth(p);
		break;
	case MOMENT_READ:
		make_read(p);
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
	const uint64_t tables[] = {room->flight + flight->slots_offset,
				   room->flight + flight->reads_offset};
	uint64_t *targets = calloc(plan->hook_count + 1, sizeof(*targets));

	a.failed = !a.bytes || !targets;
	piece.allocate = room->code + sizeof(tables);
	if (!a.failed) {
		assembly_raw(&a, tables, sizeof(tables));
		make_allocate(&piece);
	}
	for (size_t i = 0; i < plan->hook_count && !a.failed; i++) {
		assembly_align(&a, 16);
		targets[i] = assembly_here(&a);
		piece.hook = &plan->hooks[i];
		piece.site = (uint32_t)i;
		piece.slots_literal =
			room->code + (piece.hook->at.moment == MOMENT_READ ? WORD : 0);
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
