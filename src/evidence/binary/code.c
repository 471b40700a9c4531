// SPDX-License-Identifier: Apache-2.0
// The thin layer over the disassembler. Knows the instructions that the Go compiler moves pointers
// with; every other one is only asked which registers and which memory it changes.
#include "evidence/binary/code.h"

#include "evidence/binary/amd64_register.h"

#include <capstone/capstone.h>

struct code {
	csh handle;
	cs_insn *instruction;
	enum go_arch arch;
};

enum { AMD64_SP = 4, ARM64_SP = 31, ALL_REGISTERS = -1 };

struct code *code_new(enum go_arch arch)
{
	struct code *code = calloc(1, sizeof(*code));
	cs_arch family = arch == GO_ARCH_AMD64 ? CS_ARCH_X86 : CS_ARCH_ARM64;
	cs_mode mode = arch == GO_ARCH_AMD64 ? CS_MODE_64 : CS_MODE_LITTLE_ENDIAN;

	if (!code || cs_open(family, mode, &code->handle) != CS_ERR_OK) {
		free(code);
		return NULL;
	}
	cs_option(code->handle, CS_OPT_DETAIL, CS_OPT_ON);
	code->arch = arch;
	code->instruction = cs_malloc(code->handle);
	if (code->instruction)
		return code;
	code_free(code);
	return NULL;
}

void code_free(struct code *code)
{
	if (!code)
		return;
	if (code->instruction)
		cs_free(code->instruction, 1);
	cs_close(&code->handle);
	free(code);
}

uint8_t code_stack_pointer(enum go_arch arch)
{
	return arch == GO_ARCH_AMD64 ? AMD64_SP : ARM64_SP;
}

_Static_assert(CODE_NONE == AMD64_REGISTER_NONE, "register numbers are passed on as they are");

static uint8_t arm64_register(unsigned name)
{
	if (name >= ARM64_REG_X0 && name <= ARM64_REG_X28)
		return (uint8_t)(name - ARM64_REG_X0);
	if (name >= ARM64_REG_W0 && name <= ARM64_REG_W30)
		return (uint8_t)(name - ARM64_REG_W0);
	switch (name) {
	case ARM64_REG_X29:
		return 29;
	case ARM64_REG_X30:
		return 30;
	case ARM64_REG_SP:
	case ARM64_REG_WSP:
		return ARM64_SP;
	default:
		return CODE_NONE;
	}
}

static uint32_t bit_of(uint8_t number) { return number < 32 ? 1u << number : 0; }

static struct code_operation operation_at(const cs_insn *in)
{
	return (struct code_operation){.address = in->address,
				       .size = (uint8_t)in->size,
				       .destination = CODE_NONE,
				       .source = CODE_NONE,
				       .base = CODE_NONE};
}

/* Memory operand of an amd64 instruction; RIP-relative becomes absolute. */
static void amd64_memory(const cs_insn *in, const cs_x86_op *op, struct code_operation *ret)
{
	const x86_op_mem *m = &op->mem;

	ret->width = op->size ? (uint8_t)op->size : 8;
	ret->offset = m->disp;
	ret->indexed = m->index != X86_REG_INVALID;
	ret->base = amd64_register_number(m->base);
	if (m->base == X86_REG_RIP)
		ret->offset = (int64_t)(in->address + in->size + (uint64_t)m->disp);
	else if (m->base == X86_REG_INVALID)
		ret->base = CODE_NONE;
	if (m->segment == X86_REG_FS || m->segment == X86_REG_GS)
		ret->width = 0; /* thread-local: no address that is known here */
}

/*
 * Of MOVUPS, MOVQ and VMOVDQU to memory the disassembler's tables say that they read it. A vector register stands second only
 * where what stands first is changed.
 */
static bool stores_vector(const cs_x86 *d, uint8_t operand)
{
	return operand == 0 && d->op_count > 1 && d->operands[1].type == X86_OP_REG &&
	       d->operands[1].size >= 16;
}

/* What every instruction tells of itself: registers and memory that it changes. */
static size_t amd64_other(const cs_insn *in, struct code_operation *op)
{
	const cs_detail *d = in->detail;

	for (uint8_t i = 0; i < d->regs_write_count; i++)
		op->writes |= bit_of(amd64_register_number(d->regs_write[i]));
	for (uint8_t i = 0; i < d->x86.op_count; i++) {
		const cs_x86_op *o = &d->x86.operands[i];

		if (o->type == X86_OP_REG && o->access != CS_AC_READ)
			op->writes |= bit_of(amd64_register_number(o->reg));
		if (o->type == X86_OP_MEM && in->id != X86_INS_LEA && in->id != X86_INS_NOP) {
			amd64_memory(in, o, op);
			if (o->access & CS_AC_WRITE || stores_vector(&d->x86, i))
				op->kind = CODE_STORE;
		}
	}
	return 1;
}

static size_t amd64_move(const cs_insn *in, struct code_operation *op)
{
	const cs_x86_op *to = &in->detail->x86.operands[0];
	const cs_x86_op *from = &in->detail->x86.operands[1];

	if (to->type == X86_OP_REG && from->type == X86_OP_IMM && to->size >= 4) {
		op->kind = CODE_SET;
		op->value = to->size == 4 ? (uint32_t)from->imm : (uint64_t)from->imm;
	} else if (to->size != 8) {
		return amd64_other(in, op);
	} else if (to->type == X86_OP_REG && from->type == X86_OP_REG) {
		op->kind = CODE_ADD;
		op->source = amd64_register_number(from->reg);
	} else if (to->type == X86_OP_REG && from->type == X86_OP_MEM) {
		op->kind = CODE_LOAD;
		amd64_memory(in, from, op);
	} else if (to->type == X86_OP_MEM) {
		op->kind = CODE_STORE;
		op->source =
			from->type == X86_OP_REG ? amd64_register_number(from->reg) : CODE_NONE;
		amd64_memory(in, to, op);
		return 1;
	}
	op->destination = amd64_register_number(to->reg);
	if (op->destination != CODE_NONE && (op->kind != CODE_ADD || op->source != CODE_NONE) &&
	    (op->kind != CODE_LOAD || op->width))
		return 1;
	*op = operation_at(in);
	return amd64_other(in, op);
}

static size_t amd64_lea(const cs_insn *in, struct code_operation *op)
{
	const cs_x86_op *to = &in->detail->x86.operands[0];
	const x86_op_mem *m = &in->detail->x86.operands[1].mem;

	if (to->size != 8 || m->index != X86_REG_INVALID)
		return amd64_other(in, op);
	op->destination = amd64_register_number(to->reg);
	op->source = amd64_register_number(m->base);
	op->offset = m->disp;
	op->kind = op->source == CODE_NONE ? CODE_SET : CODE_ADD;
	op->value = (uint64_t)m->disp;
	if (m->base == X86_REG_RIP)
		op->value += in->address + in->size;
	return 1;
}

static size_t amd64_add(const cs_insn *in, struct code_operation *op)
{
	const cs_x86_op *o = in->detail->x86.operands;

	if (o[0].type != X86_OP_REG || o[1].type != X86_OP_IMM || o[0].size != 8)
		return amd64_other(in, op);
	op->kind = CODE_ADD;
	op->destination = op->source = amd64_register_number(o[0].reg);
	op->offset = in->id == X86_INS_SUB ? -o[1].imm : o[1].imm;
	return 1;
}

static struct code_operation stack_moved(const cs_insn *in, uint8_t base, int64_t by)
{
	struct code_operation op = operation_at(in);

	op.kind = CODE_ADD;
	op.destination = op.source = base;
	op.offset = by;
	return op;
}

static size_t amd64_push(const cs_insn *in, struct code_operation *op)
{
	const cs_x86_op *o = in->detail->x86.operands;

	op[0] = stack_moved(in, AMD64_SP, -8);
	op[1] = operation_at(in);
	op[1].kind = CODE_STORE;
	op[1].base = AMD64_SP;
	op[1].width = 8;
	if (in->detail->x86.op_count && o->type == X86_OP_REG)
		op[1].source = amd64_register_number(o->reg);
	return 2;
}

static size_t amd64_pop(const cs_insn *in, struct code_operation *op)
{
	const cs_x86_op *o = in->detail->x86.operands;
	bool known = in->detail->x86.op_count && o->type == X86_OP_REG &&
		     amd64_register_number(o->reg) != CODE_NONE;

	if (known) {
		op[0].kind = CODE_LOAD;
		op[0].destination = amd64_register_number(o->reg);
		op[0].base = AMD64_SP;
		op[0].width = 8;
	}
	op[1] = stack_moved(in, AMD64_SP, 8);
	return 2;
}

static size_t amd64_transfer(const cs_insn *in, struct code_operation *op, enum code_kind kind)
{
	const cs_x86_op *o = in->detail->x86.operands;

	if (in->detail->x86.op_count && o->type == X86_OP_MEM)
		amd64_memory(in, o, op);
	if (in->detail->x86.op_count && o->type == X86_OP_IMM)
		op->value = (uint64_t)o->imm;
	if (in->detail->x86.op_count && o->type == X86_OP_REG)
		op->source = amd64_register_number(o->reg);
	op->kind = (uint8_t)kind;
	return 1;
}

static size_t amd64_decode(csh handle, const cs_insn *in, struct code_operation *op)
{
	switch (in->id) {
	case X86_INS_MOV:
	case X86_INS_MOVABS:
		return amd64_move(in, op);
	case X86_INS_LEA:
		return amd64_lea(in, op);
	case X86_INS_ADD:
	case X86_INS_SUB:
		return amd64_add(in, op);
	case X86_INS_PUSH:
		return amd64_push(in, op);
	case X86_INS_POP:
		return amd64_pop(in, op);
	case X86_INS_CALL:
		return amd64_transfer(in, op, CODE_CALL);
	case X86_INS_JMP:
		return amd64_transfer(in, op, CODE_JUMP);
	case X86_INS_RET:
	case X86_INS_UD2:
	case X86_INS_INT3:
	case X86_INS_HLT:
		return amd64_transfer(in, op, CODE_END);
	default:
		if (cs_insn_group(handle, in, CS_GRP_JUMP))
			return amd64_transfer(in, op, CODE_BRANCH);
		return amd64_other(in, op);
	}
}

static void arm64_memory(const cs_arm64_op *o, uint8_t width, struct code_operation *ret)
{
	ret->width = width;
	ret->base = arm64_register(o->mem.base);
	ret->offset = o->mem.disp;
	ret->indexed = o->mem.index != ARM64_REG_INVALID;
}

static size_t arm64_other(const cs_insn *in, struct code_operation *op)
{
	const cs_arm64 *d = &in->detail->arm64;
	bool store = in->mnemonic[0] == 's' && in->mnemonic[1] == 't';

	for (uint8_t i = 0; i < d->op_count; i++) {
		const cs_arm64_op *o = &d->operands[i];

		if (o->type == ARM64_OP_REG && (o->access != CS_AC_READ || i == 0) && !store)
			op->writes |= bit_of(arm64_register(o->reg));
		if (o->type != ARM64_OP_MEM)
			continue;
		arm64_memory(o, 16, op);
		if (store)
			op->kind = CODE_STORE;
		if (d->writeback)
			op->writes |= bit_of(op->base);
	}
	if (store && d->op_count > 2 && d->operands[0].type == ARM64_OP_REG)
		op->writes |= bit_of(arm64_register(d->operands[0].reg)); /* STXR's status */
	return 1;
}

static bool is_x(const cs_arm64_op *o)
{
	return o->type == ARM64_OP_REG &&
	       ((o->reg >= ARM64_REG_X0 && o->reg <= ARM64_REG_X28) || o->reg == ARM64_REG_X29 ||
		o->reg == ARM64_REG_X30 || o->reg == ARM64_REG_SP || o->reg == ARM64_REG_XZR);
}

static size_t arm64_set(const cs_insn *in, struct code_operation *op)
{
	const cs_arm64_op *o = in->detail->arm64.operands;

	op->kind = CODE_SET;
	op->destination = arm64_register(o[0].reg);
	op->value = (uint64_t)o[1].imm;
	if (o[1].shift.type == ARM64_SFT_LSL)
		op->value <<= o[1].shift.value & 63;
	return 1;
}

static size_t arm64_move(const cs_insn *in, struct code_operation *op)
{
	const cs_arm64_op *o = in->detail->arm64.operands;

	if (o[0].type == ARM64_OP_REG && o[1].type == ARM64_OP_IMM)
		return arm64_set(in, op);
	if (!is_x(&o[0]) || !is_x(&o[1]) || arm64_register(o[1].reg) == CODE_NONE)
		return arm64_other(in, op);
	op->kind = CODE_ADD;
	op->destination = arm64_register(o[0].reg);
	op->source = arm64_register(o[1].reg);
	return 1;
}

static size_t arm64_add(const cs_insn *in, struct code_operation *op)
{
	const cs_arm64_op *o = in->detail->arm64.operands;

	if (in->detail->arm64.op_count != 3 || !is_x(&o[0]) || !is_x(&o[1]) ||
	    o[2].type != ARM64_OP_IMM || arm64_register(o[1].reg) == CODE_NONE)
		return arm64_other(in, op);
	op->kind = CODE_ADD;
	op->destination = arm64_register(o[0].reg);
	op->source = arm64_register(o[1].reg);
	op->offset = o[2].imm;
	if (o[2].shift.type == ARM64_SFT_LSL)
		op->offset = (int64_t)((uint64_t)op->offset << (o[2].shift.value & 63));
	if (in->id == ARM64_INS_SUB)
		op->offset = -op->offset;
	return 1;
}

/* One or two 64-bit registers to or from memory, with the write-back that may go before or after.
 */
static size_t arm64_transfer(const cs_insn *in, struct code_operation *op, size_t registers,
			     enum code_kind kind)
{
	const cs_arm64 *d = &in->detail->arm64;
	const cs_arm64_op *o = d->operands;
	size_t count = 0;
	bool before = d->writeback && d->op_count == registers + 1;
	bool after = d->op_count > registers + 1;

	if (d->op_count <= registers || !is_x(&o[0]) || !is_x(&o[registers - 1]) ||
	    o[registers].type != ARM64_OP_MEM)
		return arm64_other(in, op);
	if (before)
		op[count++] = stack_moved(in, arm64_register(o[registers].mem.base),
					  o[registers].mem.disp);
	for (size_t i = 0; i < registers; i++) {
		struct code_operation *x = &op[count++];
		uint8_t number = arm64_register(o[i].reg);

		*x = operation_at(in);
		x->kind = (uint8_t)kind;
		arm64_memory(&o[registers], 8, x);
		x->offset = (before ? 0 : x->offset) + (int64_t)(8 * i);
		*(kind == CODE_LOAD ? &x->destination : &x->source) = number;
		if (kind == CODE_LOAD && number == CODE_NONE)
			x->kind = CODE_OTHER;
	}
	if (after && count < CODE_OPERATIONS_MAX)
		op[count++] = stack_moved(in, arm64_register(o[registers].mem.base),
					  o[registers + 1].imm);
	return count;
}

static size_t arm64_load(const cs_insn *in, struct code_operation *op)
{
	const cs_arm64 *d = &in->detail->arm64;

	if (d->op_count == 2 && is_x(&d->operands[0]) && d->operands[1].type == ARM64_OP_IMM) {
		op->kind = CODE_LOAD;
		op->destination = arm64_register(d->operands[0].reg);
		op->offset = d->operands[1].imm;
		op->width = 8;
		return 1;
	}
	return arm64_transfer(in, op, 1, CODE_LOAD);
}

static size_t arm64_jump(const cs_insn *in, struct code_operation *op, enum code_kind kind)
{
	const cs_arm64 *d = &in->detail->arm64;

	for (uint8_t i = 0; i < d->op_count; i++)
		if (d->operands[i].type == ARM64_OP_IMM)
			op->value = (uint64_t)d->operands[i].imm;
	if (d->op_count && d->operands[0].type == ARM64_OP_REG)
		op->source = arm64_register(d->operands[0].reg);
	op->kind = (uint8_t)kind;
	return 1;
}

static size_t arm64_decode(csh handle, const cs_insn *in, struct code_operation *op)
{
	(void)handle;
	switch (in->id) {
	case ARM64_INS_BL:
	case ARM64_INS_BLR:
		return arm64_jump(in, op, CODE_CALL);
	case ARM64_INS_B:
		return arm64_jump(in, op,
				  in->detail->arm64.cc == ARM64_CC_INVALID ||
						  in->detail->arm64.cc == ARM64_CC_AL
					  ? CODE_JUMP
					  : CODE_BRANCH);
	case ARM64_INS_BR:
		return arm64_jump(in, op, CODE_JUMP);
	case ARM64_INS_CBZ:
	case ARM64_INS_CBNZ:
	case ARM64_INS_TBZ:
	case ARM64_INS_TBNZ:
		return arm64_jump(in, op, CODE_BRANCH);
	case ARM64_INS_RET:
	case ARM64_INS_BRK:
		return arm64_jump(in, op, CODE_END);
	case ARM64_INS_ADR:
	case ARM64_INS_ADRP:
		return arm64_set(in, op);
	case ARM64_INS_MOV:
		return arm64_move(in, op);
	case ARM64_INS_MOVZ:
		return arm64_set(in, op);
	case ARM64_INS_ADD:
	case ARM64_INS_SUB:
		return arm64_add(in, op);
	case ARM64_INS_LDR:
	case ARM64_INS_LDUR:
		return arm64_load(in, op);
	case ARM64_INS_LDP:
		return arm64_transfer(in, op, 2, CODE_LOAD);
	case ARM64_INS_STR:
	case ARM64_INS_STUR:
		return arm64_transfer(in, op, 1, CODE_STORE);
	case ARM64_INS_STP:
		return arm64_transfer(in, op, 2, CODE_STORE);
	default:
		return arm64_other(in, op);
	}
}

size_t code_decode(struct code *code, const uint8_t *bytes, size_t size, uint64_t address,
		   struct code_operation ret[CODE_OPERATIONS_MAX])
{
	const cs_insn *in = code->instruction;
	uint8_t step = code->arch == GO_ARCH_AMD64 ? 1 : 4;
	size_t count;

	if (!size)
		return 0;
	if (!cs_disasm_iter(code->handle, &bytes, &size, &address, code->instruction)) {
		ret[0] = (struct code_operation){.address = address,
						 .size = size < step ? (uint8_t)size : step,
						 .destination = CODE_NONE,
						 .source = CODE_NONE,
						 .base = CODE_NONE,
						 .writes = (uint32_t)ALL_REGISTERS};
		return 1;
	}
	for (size_t i = 0; i < CODE_OPERATIONS_MAX; i++)
		ret[i] = operation_at(in);
	count = code->arch == GO_ARCH_AMD64 ? amd64_decode(code->handle, in, ret)
					    : arm64_decode(code->handle, in, ret);
	return count;
}

static int32_t le32(const uint8_t *p)
{
	return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
			 (uint32_t)p[3] << 24);
}

/* FF /2: length by ModRM and SIB; 0 when the byte is no such ModRM. */
static size_t indirect_call_size(uint8_t modrm, uint8_t sib)
{
	static const uint8_t displacement[4] = {0, 1, 4, 0};
	uint8_t mod = modrm >> 6, rm = modrm & 7;
	bool has_sib = mod != 3 && rm == 4;
	bool wide = mod == 0 && (rm == 5 || (has_sib && (sib & 7) == 5));

	if ((modrm >> 3 & 7) != 2)
		return 0;
	return 2u + has_sib + (wide ? 4u : displacement[mod]);
}

static bool amd64_ends_in_call(const uint8_t *start, const uint8_t *end, uint64_t address,
			       uint64_t *ret_target)
{
	size_t left = (size_t)(end - start);

	*ret_target = 0;
	if (left >= 5 && end[-5] == 0xe8) {
		*ret_target = address + (uint64_t)(int64_t)le32(end - 4);
		return true;
	}
	for (size_t size = 2; size <= 7 && size <= left; size++) {
		const uint8_t *p = end - size;

		if (p[0] == 0xff && indirect_call_size(p[1], size > 2 ? p[2] : 0) == size)
			return true;
	}
	return false;
}

static bool arm64_ends_in_call(const uint8_t *start, const uint8_t *end, uint64_t address,
			       uint64_t *ret_target)
{
	uint32_t word;

	*ret_target = 0;
	if (end - start < 4 || address % 4)
		return false;
	word = (uint32_t)le32(end - 4);
	if (word >> 26 == 0x25) {
		int64_t words = (int32_t)(word << 6) >> 6;

		*ret_target = address - 4 + (uint64_t)(words * 4);
		return true;
	}
	return (word & 0xfffffc1f) == 0xd63f0000;
}

bool code_ends_in_call(enum go_arch arch, const uint8_t *start, const uint8_t *end,
		       uint64_t address, uint64_t *ret_target)
{
	return arch == GO_ARCH_AMD64 ? amd64_ends_in_call(start, end, address, ret_target)
				     : arm64_ends_in_call(start, end, address, ret_target);
}
