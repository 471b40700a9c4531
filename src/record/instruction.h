// SPDX-License-Identifier: Apache-2.0
// One x86-64 instruction as whoever patches code must know it: how long, where it may go, which
// memory and registers it touches, whether it cares about the flags, and whether it would mean
// something else at another place.
#pragma once
#include "evidence/binary/amd64_register.h"

#include <stdbool.h>
#include <stddef.h>

#define INSTRUCTION_BYTES_MAX 15
#define REGISTER_NONE         AMD64_REGISTER_NONE
/** Registers are numbered as the processor encodes them: 0 RAX, 1 RCX, 2 RDX, 3 RBX, 4 RSP, 5 RBP ... 15 R15. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

enum instruction_kind {
	INSTRUCTION_PLAIN,
	INSTRUCTION_CALL,   /**< `target`, 0 when indirect */
	INSTRUCTION_JUMP,   /**< always; `target`, 0 when indirect */
	INSTRUCTION_BRANCH, /**< perhaps, to `target` */
	INSTRUCTION_RETURN,
	INSTRUCTION_TRAP,
};

/** The operations that matter in how the runtime tests and changes a flag of a map. */
enum instruction_operation {
	OPERATION_OTHER,
	OPERATION_LOAD,    /**< destination = memory */
	OPERATION_STORE,   /**< memory = source */
	OPERATION_OR,      /**< destination |= immediate */
	OPERATION_XOR,     /**< destination ^= immediate */
	OPERATION_AND,     /**< destination &= immediate */
	OPERATION_TEST,    /**< destination & immediate, for the flags alone */
	OPERATION_COMPARE, /**< memory with immediate, for the flags alone */
	OPERATION_ADDRESS, /**< destination = `target`, relative to the PC */
};

struct instruction {
	uint64_t address;
	uint64_t
		target; /**< of a direct transfer, or the address that PC-relative memory stands at */
	int64_t displacement;
	int64_t immediate;
	uint32_t writes; /**< registers changed, one bit each */
	uint8_t bytes[INSTRUCTION_BYTES_MAX];
	uint8_t size;
	uint8_t kind;      /**< enum instruction_kind */
	uint8_t operation; /**< enum instruction_operation */
	uint8_t destination, source;
	uint8_t base; /**< register of the memory operand; REGISTER_NONE when it has none, or an index */
	uint8_t width; /**< bytes of memory touched; 0 when none */
	/** Where in the instruction its PC-relative 4-byte displacement stands; 0 when it has none */
	uint8_t relative_at;
	bool reads_flags, writes_flags;
};

struct decoder;

/** One thread at a time; NULL when the disassembler cannot be had. */
struct decoder *decoder_new(void);
void decoder_free(struct decoder *decoder);
/** False when the bytes are no instruction that is known. */
bool decoder_next(struct decoder *decoder, const uint8_t *bytes, size_t size, uint64_t address,
		  struct instruction *ret);

static inline void decoder_free_at(struct decoder **decoder) { decoder_free(*decoder); }
