// SPDX-License-Identifier: Apache-2.0
// A small x86-64 assembler: the instructions that trampolines are made of, nothing else.
#pragma once
#include "record/instruction.h"

struct assembly {
	uint8_t *bytes; /**< storage of the caller's */
	size_t size, room;
	uint64_t address; /**< where @a bytes will stand in the process */
	bool failed;      /**< no room, or a target out of reach of 32 bits */
};

#define LABEL_USES_MAX 16

/** A place in the code that jumps may name before it is reached. Zeroed at first. */
struct label {
	size_t uses[LABEL_USES_MAX]; /**< of 4-byte displacements */
	size_t use_count;
	size_t position;
	bool placed;
};

enum condition {
	IF_BELOW = 2,
	IF_ABOVE_EQUAL = 3,
	IF_EQUAL = 4,
	IF_NOT_EQUAL = 5,
	IF_NOT_ABOVE = 6,
	IF_ABOVE = 7
};

/** Opcodes of `register OP= register`; the reverse direction of the same, with memory, is + 2. */
enum alu {
	ALU_ADD = 0x01,
	ALU_OR = 0x09,
	ALU_AND = 0x21,
	ALU_SUB = 0x29,
	ALU_XOR = 0x31,
	ALU_CMP = 0x39,
	ALU_MOV = 0x89
};

enum width { WIDTH_32 = 0, WIDTH_64 = 8 };

uint64_t assembly_here(const struct assembly *a);
void assembly_raw(struct assembly *a, const void *bytes, size_t size);
void assembly_align(struct assembly *a, size_t alignment);

/** Whole instructions that stood at @a address, so that they mean the same here. */
void assembly_displaced(struct assembly *a, struct decoder *decoder, const uint8_t *bytes,
			size_t size, uint64_t address);

void emit_push(struct assembly *a, uint8_t reg);
void emit_pop(struct assembly *a, uint8_t reg);
/** to OP= from */
void emit_alu(struct assembly *a, enum width width, enum alu alu, uint8_t to, uint8_t from);
/** OP= with a constant: ADD, OR, AND, XOR, CMP */
void emit_alu_constant(struct assembly *a, enum width width, enum alu alu, uint8_t to,
		       int32_t constant);
/** to OP= memory at base + offset */
void emit_alu_memory(struct assembly *a, enum width width, enum alu alu, uint8_t to, uint8_t base,
		     int32_t offset);
void emit_move_if(struct assembly *a, enum condition condition, uint8_t to, uint8_t from);
void emit_shift_left(struct assembly *a, uint8_t reg, uint8_t bits);
void emit_shift_right(struct assembly *a, uint8_t reg, uint8_t bits);
/** to = from * constant, low halves */
void emit_multiply(struct assembly *a, uint8_t to, uint8_t from, uint32_t constant);
void emit_set(struct assembly *a, uint8_t reg, uint64_t constant);

/* Memory at base + offset */
void emit_load(struct assembly *a, enum width width, uint8_t to, uint8_t base, int32_t offset);
void emit_store(struct assembly *a, enum width width, uint8_t base, int32_t offset, uint8_t from);
void emit_store_constant(struct assembly *a, enum width width, uint8_t base, int32_t offset,
			 int32_t constant);
void emit_store_byte(struct assembly *a, uint8_t base, int32_t offset, uint8_t constant);
void emit_compare_memory(struct assembly *a, enum width width, uint8_t base, int32_t offset,
			 uint8_t reg);
void emit_compare_memory_constant(struct assembly *a, enum width width, uint8_t base,
				  int32_t offset, int8_t constant);
void emit_test_byte(struct assembly *a, uint8_t base, int32_t offset, uint8_t mask);
void emit_and_byte(struct assembly *a, uint8_t base, int32_t offset, uint8_t mask);
void emit_address(struct assembly *a, uint8_t to, uint8_t base, int32_t offset);
void emit_exchange_add(struct assembly *a, enum width width, uint8_t base, int32_t offset,
		       uint8_t reg);
/** With RAX: when memory equals it, memory = @a reg. */
void emit_compare_exchange(struct assembly *a, uint8_t base, int32_t offset, uint8_t reg);
/** to = 8 bytes at base + 8 * index */
void emit_load_indexed(struct assembly *a, uint8_t to, uint8_t base, uint8_t index);
/** to = FS:offset */
void emit_load_tls(struct assembly *a, uint8_t to, int32_t offset);

/* Memory at an address within reach */
void emit_address_of(struct assembly *a, uint8_t to, uint64_t address);
void emit_compare_byte_at(struct assembly *a, uint64_t address, uint8_t constant);
void emit_store_byte_at(struct assembly *a, uint64_t address, uint8_t constant);
void emit_store_constant_at(struct assembly *a, uint64_t address, int32_t constant);
/** reg += the 8 bytes there */
void emit_add_at(struct assembly *a, uint8_t reg, uint64_t address);
void emit_exchange_add_at(struct assembly *a, uint64_t address, uint8_t reg);

void emit_branch(struct assembly *a, enum condition condition, struct label *label);
void emit_jump(struct assembly *a, struct label *label);
void emit_jump_to(struct assembly *a, uint64_t address);
void emit_call_to(struct assembly *a, uint64_t address);
void label_place(struct assembly *a, struct label *label);
