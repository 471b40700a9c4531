// SPDX-License-Identifier: Apache-2.0
// What the registers and stack slots of one function hold at each instruction, as far as the code
// alone says: constants, stack addresses, arguments, loads from fixed addresses and from fields,
// and which stack word has the same content. Where paths meet with different values, nothing is
// known.
#pragma once
#include "evidence/binary/code.h"
#include "evidence/process/memory.h"

enum flow_kind {
	FLOW_UNKNOWN,
	FLOW_CONSTANT, /**< number */
	FLOW_STACK,    /**< address: number bytes from SP at the function's entry */
	FLOW_ARGUMENT, /**< what register `argument` held at entry */
	FLOW_LOADED,   /**< the word at address `number` */
	FLOW_FIELD,    /**< the word `number` bytes from some pointer */
	FLOW_ADDRESS,  /**< `number` bytes from some pointer, not loaded */
	FLOW_TABLE,    /**< some word of the array at `number` */
	FLOW_COPY, /**< what stands in the stack word `number` bytes from SP at entry, as it is now */
	FLOW_MADE, /**< what the call at address `number` made */
};

#define FLOW_HOPS    4         /**< pointers that a FIELD's path follows after its first */
#define FLOW_NOWHERE INT32_MIN /**< no stack word */

/** Where the path to the pointer of a FIELD or ADDRESS begins. */
enum flow_root {
	FLOW_ROOT_NONE,     /**< a pointer that is not known */
	FLOW_ROOT_ARGUMENT, /**< what register `origin` held at entry */
	FLOW_ROOT_FIXED,    /**< the word at address `origin` */
	FLOW_ROOT_SLOT,     /**< the stack word `origin` bytes from SP at entry, as it is now */
};

struct flow_value {
	uint8_t kind;
	/** FIELD: register at entry that held the very pointer; CODE_NONE: another pointer */
	uint8_t argument;
	uint8_t root; /**< FIELD, ADDRESS: enum flow_root */
	uint8_t hops; /**< FIELD, ADDRESS: of `hop` */
	/** The stack word there has this very content now; also when the kind is UNKNOWN */
	int32_t slot;
	int32_t hop[FLOW_HOPS]; /**< offsets at which the pointers after the root are loaded */
	int64_t number;
	int64_t origin;
};

/** A word of the stack, or (planes 1, 2) what is known of the map iterator that starts there. */
struct flow_slot {
	int64_t offset;
	uint8_t plane;
	struct flow_value value;
};

enum flow_plane { FLOW_WORD, FLOW_ITERATOR_TYPE, FLOW_ITERATOR_MAP };

#define FLOW_SLOTS 64 /**< remembered at a time; what does not fit is not known */

struct flow_state {
	struct flow_value registers[32];
	bool reached;
	unsigned slot_count;
	struct flow_slot slots[FLOW_SLOTS]; /**< those after `slot_count` mean nothing */
};

/** How Go passes arguments in this program. */
struct flow_abi {
	enum go_arch arch;
	bool registers; /**< ABIInternal; else all arguments are on the stack */
};

/** A piece of the frame: @a offset bytes from SP at entry. */
struct flow_object {
	int64_t offset, size;
};

/**
 * All variables of a frame that pointers are kept in and whose address is taken: in order, those
 * that touch taken together.
 */
struct flow_objects {
	struct flow_object *objects;
	size_t count;
};

/** What a called function does to its caller's state. */
struct flow_effect {
	bool makes;     /**< its one result is a new map */
	bool preserves; /**< changes no register but those in `clobbers` */
	bool returns;
	uint32_t clobbers;
	uint32_t fills;         /**< register with the address of memory that it fills, one bit */
	uint32_t fill_bytes;    /**< how many it fills; 0: not known */
	uint32_t args_bytes;    /**< of the argument area on the stack, which it may overwrite */
	int8_t type, map, iter; /**< starts a map iterator: indexes of its arguments; -1 else */
};

struct flow_code {
	struct code *code;
	const struct memory *memory; /**< jump tables are read from it */
	struct flow_abi abi;
	const uint8_t *bytes; /**< of the function */
	uint64_t entry, end;
	/** The effect of a call to @a target (0: indirect). */
	struct flow_effect (*effect)(uint64_t target, void *context);
	/** Called once for each operation, in address order, with the state before it. */
	void (*visit)(const struct code_operation *, const struct flow_state *, void *context);
	void *context;
	/**
	 * Variables in the frame whose address goes elsewhere, if the program has a record of them.
	 */
	const struct flow_objects *objects;
};

/** Follows the function; bounded by its size. */
void flow_run(const struct flow_code *flow);
/** The @a index-th argument word at a call; @a tail when control came by a jump. */
struct flow_value flow_argument(const struct flow_state *state, struct flow_abi abi, int index,
				bool tail);
/** FIELD: is the pointer what the function got as its first argument? */
bool flow_is_of_first_argument(struct flow_abi abi, struct flow_value field);
/** What @a state knows of the iterator at stack address @a iterator. */
struct flow_value flow_iterator(const struct flow_state *state, struct flow_value iterator,
				enum flow_plane plane);
/** The word that LOAD @a op gets, or that an indirect CALL or JUMP goes through. */
struct flow_value flow_loaded(const struct flow_state *state, const struct code_operation *op);
/** FIELD: the fixed address that the very pointer was loaded from; 0: it was another. */
uint64_t flow_holder(struct flow_value value);
/** The number of the register that carries argument @a index under ABIInternal; CODE_NONE: none. */
uint8_t flow_argument_register(enum go_arch arch, int index);
/** Where the memory operand of @a op stands, or FLOW_UNKNOWN. */
struct flow_value flow_address(const struct flow_state *state, const struct code_operation *op);
/** What @a state knows of the stack word @a offset bytes from SP at entry, and that it stands there. */
struct flow_value flow_stack_word(const struct flow_state *state, int64_t offset);
/** The same of one plane, without its place. */
struct flow_value flow_slot_value(const struct flow_state *state, int64_t offset, uint8_t plane);
