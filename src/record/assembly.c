// SPDX-License-Identifier: Apache-2.0
#include "record/assembly.h"

#include <string.h>

#define REX     0x40
#define OP_LOAD 0x8b
#define OP_LEA  0x8d
#define LOCK    0xf0

uint64_t assembly_here(const struct assembly *a) { return a->address + a->size; }

void assembly_raw(struct assembly *a, const void *bytes, size_t size)
{
	if (a->room - a->size < size) {
		a->failed = true;
		return;
	}
	memcpy(a->bytes + a->size, bytes, size);
	a->size += size;
}

static void byte(struct assembly *a, unsigned value)
{
	uint8_t one = (uint8_t)value;

	assembly_raw(a, &one, 1);
}

static void four(struct assembly *a, int32_t value) { assembly_raw(a, &value, sizeof(value)); }

void assembly_align(struct assembly *a, size_t alignment)
{
	while (!a->failed && a->size % alignment)
		byte(a, 0xcc);
}

/** Distance of @a address from the end of a 4-byte displacement that stands here, @a after bytes before the next instruction. */
static void relative(struct assembly *a, uint64_t address, unsigned after)
{
	int64_t distance = (int64_t)(address - (assembly_here(a) + sizeof(int32_t) + after));

	if (distance != (int32_t)distance)
		a->failed = true;
	four(a, (int32_t)distance);
}

static void registers(struct assembly *a, uint8_t reg, uint8_t rm)
{
	byte(a, 0xc0u | (reg & 7u) << 3 | (rm & 7u));
}

static void rex(struct assembly *a, enum width width, uint8_t reg, uint8_t base)
{
	byte(a, (unsigned)REX | width | (reg & 8u) >> 1 | (base & 8u) >> 3);
}

/** ModRM, SIB where the base needs one, and the offset: none, 1 byte or 4. */
static void memory(struct assembly *a, uint8_t reg, uint8_t base, int32_t offset)
{
	bool is_short = offset == (int8_t)offset, none = offset == 0 && (base & 7u) != RBP;

	byte(a, (none ? 0 : is_short ? 1u : 2u) << 6 | (reg & 7u) << 3 | (base & 7u));
	if ((base & 7u) == RSP)
		byte(a, 0x24);
	if (none)
		return;
	if (is_short)
		byte(a, (unsigned)offset & 0xffu);
	else
		four(a, offset);
}

/** ModRM of a PC-relative operand. */
static void memory_at(struct assembly *a, uint8_t reg, uint64_t address, unsigned after)
{
	byte(a, (reg & 7u) << 3 | 5u);
	relative(a, address, after);
}

void assembly_displaced(struct assembly *a, struct decoder *decoder, const uint8_t *bytes,
			size_t size, uint64_t address)
{
	for (size_t done = 0; done < size && !a->failed;) {
		struct instruction in;
		int64_t moved;

		if (!decoder_next(decoder, bytes + done, size - done, address + done, &in)) {
			a->failed = true;
			return;
		}
		if (in.relative_at) {
			moved = (int64_t)(in.target - (assembly_here(a) + in.size));
			if (moved != (int32_t)moved)
				a->failed = true;
			memcpy(in.bytes + in.relative_at, &(int32_t){(int32_t)moved},
			       sizeof(int32_t));
		}
		assembly_raw(a, in.bytes, in.size);
		done += in.size;
	}
}

void emit_push(struct assembly *a, uint8_t reg)
{
	if (reg & 8u)
		byte(a, REX | 1u);
	byte(a, 0x50u | (reg & 7u));
}

void emit_pop(struct assembly *a, uint8_t reg)
{
	if (reg & 8u)
		byte(a, REX | 1u);
	byte(a, 0x58u | (reg & 7u));
}

void emit_alu(struct assembly *a, enum width width, enum alu alu, uint8_t to, uint8_t from)
{
	rex(a, width, from, to);
	byte(a, alu);
	registers(a, from, to);
}

void emit_alu_constant(struct assembly *a, enum width width, enum alu alu, uint8_t to,
		       int32_t constant)
{
	bool is_short = constant == (int8_t)constant;

	rex(a, width, 0, to);
	byte(a, is_short ? 0x83 : 0x81);
	registers(a, (uint8_t)(alu >> 3), to);
	if (is_short)
		byte(a, (unsigned)constant & 0xffu);
	else
		four(a, constant);
}

void emit_alu_memory(struct assembly *a, enum width width, enum alu alu, uint8_t to, uint8_t base,
		     int32_t offset)
{
	rex(a, width, to, base);
	byte(a, (unsigned)alu + 2);
	memory(a, to, base, offset);
}

void emit_move_if(struct assembly *a, enum condition condition, uint8_t to, uint8_t from)
{
	rex(a, WIDTH_64, to, from);
	byte(a, 0x0f);
	byte(a, 0x40u | condition);
	registers(a, to, from);
}

void emit_shift_left(struct assembly *a, uint8_t reg, uint8_t bits)
{
	rex(a, WIDTH_64, 0, reg);
	byte(a, 0xc1);
	registers(a, 4, reg);
	byte(a, bits);
}

void emit_shift_right(struct assembly *a, uint8_t reg, uint8_t bits)
{
	rex(a, WIDTH_64, 0, reg);
	byte(a, 0xc1);
	registers(a, 5, reg);
	byte(a, bits);
}

void emit_multiply(struct assembly *a, uint8_t to, uint8_t from, uint32_t constant)
{
	rex(a, WIDTH_32, to, from);
	byte(a, 0x69);
	registers(a, to, from);
	four(a, (int32_t)constant);
}

void emit_set(struct assembly *a, uint8_t reg, uint64_t constant)
{
	enum width width = constant > UINT32_MAX ? WIDTH_64 : WIDTH_32;

	rex(a, width, 0, reg);
	byte(a, 0xb8u | (reg & 7u));
	assembly_raw(a, &constant, width == WIDTH_64 ? 8 : 4);
}

void emit_load(struct assembly *a, enum width width, uint8_t to, uint8_t base, int32_t offset)
{
	rex(a, width, to, base);
	byte(a, OP_LOAD);
	memory(a, to, base, offset);
}

void emit_store(struct assembly *a, enum width width, uint8_t base, int32_t offset, uint8_t from)
{
	rex(a, width, from, base);
	byte(a, ALU_MOV);
	memory(a, from, base, offset);
}

void emit_store_constant(struct assembly *a, enum width width, uint8_t base, int32_t offset,
			 int32_t constant)
{
	rex(a, width, 0, base);
	byte(a, 0xc7);
	memory(a, 0, base, offset);
	four(a, constant);
}

void emit_store_byte(struct assembly *a, uint8_t base, int32_t offset, uint8_t constant)
{
	rex(a, WIDTH_32, 0, base);
	byte(a, 0xc6);
	memory(a, 0, base, offset);
	byte(a, constant);
}

void emit_compare_memory(struct assembly *a, enum width width, uint8_t base, int32_t offset,
			 uint8_t reg)
{
	rex(a, width, reg, base);
	byte(a, ALU_CMP);
	memory(a, reg, base, offset);
}

void emit_compare_memory_constant(struct assembly *a, enum width width, uint8_t base,
				  int32_t offset, int8_t constant)
{
	rex(a, width, 0, base);
	byte(a, 0x83);
	memory(a, ALU_CMP >> 3, base, offset);
	byte(a, (uint8_t)constant);
}

void emit_test_byte(struct assembly *a, uint8_t base, int32_t offset, uint8_t mask)
{
	rex(a, WIDTH_32, 0, base);
	byte(a, 0xf6);
	memory(a, 0, base, offset);
	byte(a, mask);
}

void emit_and_byte(struct assembly *a, uint8_t base, int32_t offset, uint8_t mask)
{
	rex(a, WIDTH_32, 0, base);
	byte(a, 0x80);
	memory(a, 4, base, offset);
	byte(a, mask);
}

void emit_address(struct assembly *a, uint8_t to, uint8_t base, int32_t offset)
{
	rex(a, WIDTH_64, to, base);
	byte(a, OP_LEA);
	memory(a, to, base, offset);
}

void emit_exchange_add(struct assembly *a, enum width width, uint8_t base, int32_t offset,
		       uint8_t reg)
{
	byte(a, LOCK);
	rex(a, width, reg, base);
	byte(a, 0x0f);
	byte(a, 0xc1);
	memory(a, reg, base, offset);
}

void emit_compare_exchange(struct assembly *a, uint8_t base, int32_t offset, uint8_t reg)
{
	byte(a, LOCK);
	rex(a, WIDTH_64, reg, base);
	byte(a, 0x0f);
	byte(a, 0xb1);
	memory(a, reg, base, offset);
}

void emit_load_indexed(struct assembly *a, uint8_t to, uint8_t base, uint8_t index)
{
	byte(a, (unsigned)REX | WIDTH_64 | (to & 8u) >> 1 | (index & 8u) >> 2 | (base & 8u) >> 3);
	byte(a, OP_LOAD);
	byte(a, 1u << 6 | (to & 7u) << 3 | 4u);
	byte(a, 3u << 6 | (index & 7u) << 3 | (base & 7u));
	byte(a, 0);
}

void emit_load_tls(struct assembly *a, uint8_t to, int32_t offset)
{
	byte(a, 0x64);
	rex(a, WIDTH_64, to, 0);
	byte(a, OP_LOAD);
	byte(a, (to & 7u) << 3 | 4u);
	byte(a, 0x25);
	four(a, offset);
}

void emit_address_of(struct assembly *a, uint8_t to, uint64_t address)
{
	rex(a, WIDTH_64, to, 0);
	byte(a, OP_LEA);
	memory_at(a, to, address, 0);
}

void emit_compare_byte_at(struct assembly *a, uint64_t address, uint8_t constant)
{
	byte(a, 0x80);
	memory_at(a, ALU_CMP >> 3, address, 1);
	byte(a, constant);
}

void emit_store_byte_at(struct assembly *a, uint64_t address, uint8_t constant)
{
	byte(a, 0xc6);
	memory_at(a, 0, address, 1);
	byte(a, constant);
}

void emit_store_constant_at(struct assembly *a, uint64_t address, int32_t constant)
{
	rex(a, WIDTH_64, 0, 0);
	byte(a, 0xc7);
	memory_at(a, 0, address, 4);
	four(a, constant);
}

void emit_add_at(struct assembly *a, uint8_t reg, uint64_t address)
{
	rex(a, WIDTH_64, reg, 0);
	byte(a, 0x03);
	memory_at(a, reg, address, 0);
}

void emit_exchange_add_at(struct assembly *a, uint64_t address, uint8_t reg)
{
	byte(a, LOCK);
	rex(a, WIDTH_64, reg, 0);
	byte(a, 0x0f);
	byte(a, 0xc1);
	memory_at(a, reg, address, 0);
}

static void use(struct assembly *a, struct label *label)
{
	if (label->placed) {
		relative(a, a->address + label->position, 0);
		return;
	}
	if (label->use_count == LABEL_USES_MAX) {
		a->failed = true;
		return;
	}
	label->uses[label->use_count++] = a->size;
	four(a, 0);
}

void emit_branch(struct assembly *a, enum condition condition, struct label *label)
{
	byte(a, 0x0f);
	byte(a, 0x80u | condition);
	use(a, label);
}

void emit_jump(struct assembly *a, struct label *label)
{
	byte(a, 0xe9);
	use(a, label);
}

void emit_jump_to(struct assembly *a, uint64_t address)
{
	byte(a, 0xe9);
	relative(a, address, 0);
}

void emit_call_to(struct assembly *a, uint64_t address)
{
	byte(a, 0xe8);
	relative(a, address, 0);
}

void label_place(struct assembly *a, struct label *label)
{
	label->placed = true;
	label->position = a->size;
	for (size_t i = 0; i < label->use_count && !a->failed; i++) {
		int32_t distance = (int32_t)(label->position - (label->uses[i] + sizeof(int32_t)));

		memcpy(a->bytes + label->uses[i], &distance, sizeof(distance));
	}
}
