// SPDX-License-Identifier: Apache-2.0
// Location expressions, as far as Go needs them: fixed addresses, offsets from the frame's CFA, and
// values in pieces. A Go function's frame base is always DW_OP_call_frame_cfa, the address above
// the return address (cmd/internal/dwarf/dwarf.go: putCompilationUnit... DW_AT_frame_base).
#include "evidence/debug/debuginfo_unit.h"

#include <dwarf.h>
#include <endian.h>

#define OPERATIONS_MAX 32
#define STACK_MAX      4
#define MEMORY_OPCODE  0x03 /* DW_OP_addr */

bool attribute_block(Dwarf_Attribute *attribute, struct text *ret)
{
	Dwarf_Block block;

	switch (dwarf_whatform(attribute)) {
	case DW_FORM_block1: // Go uses it in DWARF 5 too, where libdw takes it for a list
	case DW_FORM_block2:
	case DW_FORM_block4:
	case DW_FORM_block:
	case DW_FORM_exprloc:
		break;
	default:
		return false;
	}
	if (dwarf_formblock(attribute, &block) != 0)
		return false;
	*ret = (struct text){(const char *)block.data, block.length};
	return true;
}

bool location_fixed(Dwarf_Attribute *attribute, uint64_t *ret)
{
	struct text block;
	uint64_t address;

	if (!attribute_block(attribute, &block) || block.n != 1 + sizeof(address) ||
	    (uint8_t)block.p[0] != MEMORY_OPCODE)
		return false;
	memcpy(&address, block.p + 1, sizeof(address));
	*ret = le64toh(address);
	return true;
}

/** @a ret_last is the last byte, whose bit 6 is the sign of a signed number; @a ret_bits how many bits were read. */
static bool leb(struct text *from, uint64_t *ret, uint8_t *ret_last, unsigned *ret_bits)
{
	uint64_t value = 0;
	unsigned shift = 0;

	do {
		if (from->n == 0 || shift > 63)
			return false;
		*ret_last = (uint8_t)*from->p++;
		from->n--;
		value |= (uint64_t)(*ret_last & 0x7f) << shift;
		shift += 7;
	} while (*ret_last & 0x80);
	*ret = value;
	*ret_bits = shift;
	return true;
}

static bool uleb(struct text *from, uint64_t *ret)
{
	unsigned bits;
	uint8_t last;

	return leb(from, ret, &last, &bits);
}

static bool sleb(struct text *from, int64_t *ret)
{
	uint64_t value;
	unsigned bits;
	uint8_t last;

	if (!leb(from, &value, &last, &bits))
		return false;
	if (bits < 64 && (last & 0x40))
		value |= ~0ull << bits;
	*ret = (int64_t)value;
	return true;
}

/** Reads the next operation of @a from; false for one that Go does not use for memory. */
static bool operation_read(struct text *from, Dwarf_Op *ret)
{
	uint8_t atom = (uint8_t)*from->p++;
	int64_t number = 0;
	uint64_t plain = 0;

	from->n--;
	*ret = (Dwarf_Op){.atom = atom};
	switch (atom) {
	case DW_OP_addr:
		if (from->n < 8)
			return false;
		memcpy(&plain, from->p, 8);
		ret->number = le64toh(plain);
		*from = (struct text){from->p + 8, from->n - 8};
		return true;
	case DW_OP_fbreg:
	case DW_OP_consts:
		if (!sleb(from, &number))
			return false;
		ret->number = (Dwarf_Word)number;
		return true;
	case DW_OP_plus_uconst:
	case DW_OP_constu:
	case DW_OP_piece:
		if (!uleb(from, &plain))
			return false;
		ret->number = plain;
		return true;
	case DW_OP_call_frame_cfa:
	case DW_OP_plus:
		return true;
	default:
		return false;
	}
}

static size_t operations_read(struct text block, Dwarf_Op *ret)
{
	size_t count = 0;

	while (block.n && count < OPERATIONS_MAX)
		if (!operation_read(&block, &ret[count++]))
			return 0;
	return block.n ? 0 : count;
}

bool location_member(Dwarf_Attribute *attribute, uint64_t *ret)
{
	struct text block;
	Dwarf_Op op;

	if (!attribute_block(attribute, &block) || block.n == 0 || !operation_read(&block, &op) ||
	    op.atom != DW_OP_plus_uconst || block.n)
		return false;
	*ret = op.number;
	return true;
}

struct machine {
	uint64_t stack[STACK_MAX];
	size_t depth;
	uint64_t cfa;
};

static bool machine_push(struct machine *machine, uint64_t value)
{
	if (machine->depth == STACK_MAX)
		return false;
	machine->stack[machine->depth++] = value;
	return true;
}

static bool machine_step(struct machine *machine, const Dwarf_Op *op)
{
	switch (op->atom) {
	case DW_OP_addr:
	case DW_OP_consts:
	case DW_OP_constu:
		return machine_push(machine, op->number);
	case DW_OP_call_frame_cfa:
		return machine->cfa && machine_push(machine, machine->cfa);
	case DW_OP_fbreg:
		return machine->cfa && machine_push(machine, machine->cfa + op->number);
	case DW_OP_plus_uconst:
		if (machine->depth == 0)
			return false;
		machine->stack[machine->depth - 1] += op->number;
		return true;
	case DW_OP_plus:
		if (machine->depth < 2)
			return false;
		machine->depth--;
		machine->stack[machine->depth - 1] += machine->stack[machine->depth];
		return true;
	default:
		return false;
	}
}

static bool operations_run(const Dwarf_Op *ops, size_t count, uint64_t cfa, struct location *ret)
{
	struct machine machine = {.cfa = cfa};
	uint64_t piece = 0;

	for (size_t i = 0; i < count; i++) {
		if (ops[i].atom == DW_OP_piece) {
			piece = ops[i].number;
			break;
		}
		if (!machine_step(&machine, &ops[i]))
			return false;
	}
	if (machine.depth != 1)
		return false;
	*ret = (struct location){machine.stack[0], piece};
	return true;
}

bool location_at(Dwarf_Attribute *attribute, uint64_t pc, uint64_t cfa, struct location *ret)
{
	struct text block;
	Dwarf_Op *ops, own[OPERATIONS_MAX];
	size_t count;

	if (attribute_block(attribute, &block)) {
		count = operations_read(block, own);
		return count && operations_run(own, count, cfa, ret);
	}
	return dwarf_getlocation_addr(attribute, pc, &ops, &count, 1) == 1 &&
	       operations_run(ops, MIN(count, (size_t)OPERATIONS_MAX), cfa, ret);
}
