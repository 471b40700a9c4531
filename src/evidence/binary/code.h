// SPDX-License-Identifier: Apache-2.0
// Machine code, one instruction at a time, as a few plain operations: enough to follow how
// constants, spilled values and loads reach the arguments of a call. What an instruction computes
// otherwise is left out; which registers it changes is not.
#pragma once
#include "golang/version.h"

#include <stdint.h>

struct code;

enum code_kind {
	CODE_OTHER,  /**< changes `writes`; may read memory */
	CODE_CALL,   /**< to `value`; 0 when indirect, then through `source` or memory */
	CODE_JUMP,   /**< always, as CALL */
	CODE_BRANCH, /**< perhaps, to `value` */
	CODE_END,    /**< return, trap: what follows is reached otherwise */
	CODE_SET,    /**< destination = value */
	CODE_ADD,    /**< destination = source + offset; a plain move adds 0 */
	CODE_LOAD,   /**< destination = the 8 bytes of memory */
	CODE_STORE,  /**< memory = source; CODE_NONE: something not known */
};

#define CODE_NONE           UINT8_MAX
#define CODE_OPERATIONS_MAX 3 /**< that one instruction makes */

/**
 * Registers are numbered as the processor encodes them: amd64 0 RAX, 1 RCX ... 15 R15; arm64 0 ...
 * 30, and 31 is SP. Vector registers have no number.
 */
struct code_operation {
	uint64_t address; /**< of the instruction */
	uint8_t size;     /**< bytes of the instruction */
	uint8_t kind;     /**< enum code_kind */
	uint8_t width;    /**< bytes of memory touched; 0 when it touches none */
	uint8_t destination, source;
	uint8_t base;   /**< register of the memory's address; CODE_NONE: `offset` is the address */
	bool indexed;   /**< a second register is added to the address */
	int64_t offset; /**< bytes from `base`, the absolute address, or what ADD adds */
	uint64_t value; /**< target or constant */
	uint32_t writes; /**< registers changed besides `destination`, one bit each */
};

/** A decoder; one thread at a time. NULL when the disassembler cannot be had. */
struct code *code_new(enum go_arch arch);
void code_free(struct code *code);

/**
 * Decodes the instruction at @a bytes, which stands at @a address.
 * @return how many operations were written: 1 at least when @a size is not 0. An instruction that
 * is not known becomes a CODE_OTHER that changes every register, 1 byte (arm64: 4) long.
 */
size_t code_decode(struct code *code, const uint8_t *bytes, size_t size, uint64_t address,
		   struct code_operation ret[CODE_OPERATIONS_MAX]);
/** The number of the stack pointer. */
uint8_t code_stack_pointer(enum go_arch arch);
/**
 * Cheap test, no decoding: do the bytes that end at @a end look like a call instruction?
 * @param address  where @a end stands
 * @param start  no byte before it may be looked at
 * @param ret_target  of a direct call, else 0
 */
bool code_ends_in_call(enum go_arch arch, const uint8_t *start, const uint8_t *end,
		       uint64_t address, uint64_t *ret_target);

static inline void code_free_at(struct code **code) { code_free(*code); }
