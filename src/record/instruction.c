// SPDX-License-Identifier: Apache-2.0
#include "record/instruction.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

struct decoder {
	csh handle;
	cs_insn *instruction;
};

struct decoder *decoder_new(void)
{
	struct decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder || cs_open(CS_ARCH_X86, CS_MODE_64, &decoder->handle) != CS_ERR_OK) {
		free(decoder);
		return NULL;
	}
	cs_option(decoder->handle, CS_OPT_DETAIL, CS_OPT_ON);
	decoder->instruction = cs_malloc(decoder->handle);
	if (decoder->instruction)
		return decoder;
	decoder_free(decoder);
	return NULL;
}

void decoder_free(struct decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->instruction)
		cs_free(decoder->instruction, 1);
	cs_close(&decoder->handle);
	free(decoder);
}

static uint32_t registers_written(const struct decoder *decoder, const cs_insn *in)
{
	cs_regs read, written;
	uint8_t read_count, written_count;
	uint32_t bits = 0;

	if (cs_regs_access(decoder->handle, in, read, &read_count, written, &written_count) !=
	    CS_ERR_OK)
		return UINT32_MAX;
	for (uint8_t i = 0; i < written_count; i++) {
		uint8_t number = amd64_register_number(written[i]);

		if (number != REGISTER_NONE)
			bits |= 1u << number;
	}
	return bits;
}

static bool touches_flags(const cs_regs registers, uint8_t count)
{
	for (uint8_t i = 0; i < count; i++)
		if (registers[i] == X86_REG_EFLAGS)
			return true;
	return false;
}

static void set_flags(const struct decoder *decoder, const cs_insn *in, struct instruction *ret)
{
	cs_regs read, written;
	uint8_t read_count, written_count;

	ret->reads_flags = ret->writes_flags = true;
	if (cs_regs_access(decoder->handle, in, read, &read_count, written, &written_count) !=
	    CS_ERR_OK)
		return;
	ret->reads_flags = touches_flags(read, read_count);
	ret->writes_flags = touches_flags(written, written_count);
}

static uint8_t kind_of(const struct decoder *decoder, const cs_insn *in)
{
	switch (in->id) {
	case X86_INS_CALL:
		return INSTRUCTION_CALL;
	case X86_INS_JMP:
		return INSTRUCTION_JUMP;
	case X86_INS_RET:
		return INSTRUCTION_RETURN;
	case X86_INS_INT3:
	case X86_INS_UD2:
		return INSTRUCTION_TRAP;
	default:
		return cs_insn_group(decoder->handle, in, CS_GRP_JUMP) ? INSTRUCTION_BRANCH
								       : INSTRUCTION_PLAIN;
	}
}

static void set_memory(const cs_insn *in, const cs_x86_op *op, struct instruction *ret)
{
	ret->width = op->size;
	ret->displacement = op->mem.disp;
	if (op->mem.base == X86_REG_RIP) {
		ret->target = in->address + in->size + (uint64_t)op->mem.disp;
		ret->relative_at = in->detail->x86.encoding.disp_offset;
	} else if (op->mem.index == X86_REG_INVALID && op->mem.segment == X86_REG_INVALID) {
		ret->base = amd64_register_number(op->mem.base);
	}
}

/** What it does with a register, memory and an immediate, where that is one of the operations listed. */
static uint8_t operation_of(const cs_insn *in, struct instruction *ret)
{
	const cs_x86 *x86 = &in->detail->x86;
	const cs_x86_op *first = &x86->operands[0], *second = &x86->operands[1];

	if (x86->op_count != 2)
		return OPERATION_OTHER;
	if (first->type == X86_OP_REG)
		ret->destination = amd64_register_number(first->reg);
	if (second->type == X86_OP_REG)
		ret->source = amd64_register_number(second->reg);
	if (second->type == X86_OP_IMM)
		ret->immediate = second->imm;
	if (in->id == X86_INS_LEA)
		return ret->relative_at ? OPERATION_ADDRESS : OPERATION_OTHER;
	if (in->id == X86_INS_MOVZX || in->id == X86_INS_MOV) {
		if (first->type == X86_OP_REG && second->type == X86_OP_MEM)
			return OPERATION_LOAD;
		return first->type == X86_OP_MEM && second->type == X86_OP_REG ? OPERATION_STORE
									       : OPERATION_OTHER;
	}
	if (second->type != X86_OP_IMM)
		return OPERATION_OTHER;
	if (in->id == X86_INS_CMP && first->type == X86_OP_MEM)
		return OPERATION_COMPARE;
	if (first->type != X86_OP_REG)
		return OPERATION_OTHER;
	return in->id == X86_INS_OR     ? OPERATION_OR
	       : in->id == X86_INS_XOR  ? OPERATION_XOR
	       : in->id == X86_INS_AND  ? OPERATION_AND
	       : in->id == X86_INS_TEST ? OPERATION_TEST
					: OPERATION_OTHER;
}

bool decoder_next(struct decoder *decoder, const uint8_t *bytes, size_t size, uint64_t address,
		  struct instruction *ret)
{
	const uint8_t *at = bytes;
	uint64_t next = address;
	const cs_insn *in = decoder->instruction;
	const cs_x86 *x86;

	if (!cs_disasm_iter(decoder->handle, &at, &size, &next, decoder->instruction))
		return false;
	x86 = &in->detail->x86;
	*ret = (struct instruction){
		.address = address,
		.size = (uint8_t)in->size,
		.kind = kind_of(decoder, in),
		.destination = REGISTER_NONE,
		.source = REGISTER_NONE,
		.base = REGISTER_NONE,
		.writes = registers_written(decoder, in),
	};
	memcpy(ret->bytes, bytes, in->size);
	set_flags(decoder, in, ret);
	for (uint8_t i = 0; i < x86->op_count; i++)
		if (x86->operands[i].type == X86_OP_MEM)
			set_memory(in, &x86->operands[i], ret);
	if (ret->kind == INSTRUCTION_PLAIN)
		ret->operation = operation_of(in, ret);
	else
		ret->target = x86->op_count == 1 && x86->operands[0].type == X86_OP_IMM
				      ? (uint64_t)x86->operands[0].imm
				      : 0;
	if (ret->kind == INSTRUCTION_CALL)
		ret->writes = UINT32_MAX; // Go keeps nothing in registers over a call
	return true;
}
