// SPDX-License-Identifier: Apache-2.0
// Every map operation that the program's machine code contains, and which function calls which.
// Read from one function at a time with the disassembler, on demand; nothing is decoded twice.
#pragma once
#include "evidence/binary/pclntab.h"
#include "golang/map_function.h"
#include "model/code/flow.h"
#include "model/data/type.h"

/** How the code got hold of the map that it passes. */
enum map_source_kind {
	MAP_SOURCE_UNKNOWN,
	MAP_SOURCE_GLOBAL, /**< loaded from a fixed address: a package-level variable */
	/** Loaded from a register plus an offset: a field, or a slot of a closure */
	MAP_SOURCE_FIELD,
};

struct map_source {
	enum map_source_kind kind;
	/**
	 * GLOBAL: of the variable, in the process. FIELD: of the global that holds the pointer; 0
	 * when it is another pointer
	 */
	uint64_t address;
	int64_t offset;      /**< FIELD: bytes from the pointer */
	bool first_argument; /**< FIELD: the pointer is what the function got as its first argument */
};

/** One call of a map function. */
struct map_site {
	uint64_t call_pc;   /**< address of the CALL */
	uint64_t return_pc; /**< of the instruction after it; 0 for a jump at the function's end */
	const struct go_map_function *function; /**< runtime function called */
	const struct go_type *type;             /**< of the map; NULL when the code does not say */
	struct map_source source;
	struct flow_value map;     /**< what the code passes as the map, as far as it is followed */
	struct go_function caller; /**< function whose code it is (outermost) */
};

struct sites;

/** Functions' code larger than this is not read: the compiler's largest are far below. */
#define SITES_FUNCTION_MAX (8u << 20)

/** All arguments are borrowed. */
struct sites *sites_new(const struct memory *memory, struct pclntab *const *tables,
			size_t table_count, const struct go_layout *layout, struct types *types);
void sites_free(struct sites *sites);

/** The map operations in the code of @a function, in address order. Live until sites_free(). */
const struct map_site *sites_in(struct sites *sites, const struct go_function *function,
				size_t *ret_count);
/** The map operation whose CALL returns to @a return_pc; NULL when that is not one. */
const struct map_site *sites_returning_to(struct sites *sites, uint64_t return_pc);
/**
 * Entries of the functions that @a function calls directly or jumps to at its end, without repeats.
 */
const uint64_t *sites_callees(struct sites *sites, const struct go_function *function,
			      size_t *ret_count);
/** A CALL of what only a register or memory says. */
struct indirect_call {
	uint64_t return_pc;
	struct flow_value target;
};

/** The indirect calls of @a function, in address order. Live until sites_free(). */
const struct indirect_call *
sites_indirect_calls(struct sites *sites, const struct go_function *function, size_t *ret_count);
/**
 * The first CALL of @a function at or after @a pc: its return address, and its target, 0 when it is indirect.
 * @return false when there is none
 */
bool sites_call_after(struct sites *sites, const struct go_function *function, uint64_t pc,
		      uint64_t *ret_return_pc, uint64_t *ret_target);
/**
 * Visits every map operation of the program, in address order. Functions of the runtime's own map
 * code are left out. Only functions that can call one are decoded.
 */
void sites_each(struct sites *sites, void (*visit)(const struct map_site *, void *), void *context);
/**
 * True when the instruction before @a return_pc is a CALL; the target goes to @a ret when it is
 * direct, else 0.
 */
bool sites_is_return_address(struct sites *sites, uint64_t return_pc, uint64_t *ret_target);
/**
 * The same, exactly: decodes the function from its entry and sees that a CALL really ends there.
 * Slow at first use of a function, then a look-up.
 */
bool sites_is_call_boundary(struct sites *sites, uint64_t return_pc, uint64_t *ret_target);
/** A CALL, and what registers and stack words hold when it is made. */
struct flow_call {
	struct code_operation operation;
	struct flow_state state;
};

/**
 * What the code before the CALL that returns to @a return_pc says. Follows the whole function at the first question;
 * the last few hundred answers are remembered. False when there is no such CALL.
 */
bool sites_call_returning_to(struct sites *sites, uint64_t return_pc, struct flow_call *ret);
/** The same of the instruction at @a pc, whatever it is: the state before it. */
bool sites_stopped_at(struct sites *sites, uint64_t pc, struct flow_call *ret);
/** How the program's functions pass arguments. */
struct flow_abi sites_abi(const struct sites *sites);
/**
 * Addresses of data that @a function refers to by fixed address (RIP-relative, ADRP pairs), in
 * order of first use: how a stripped binary shows where runtime variables stand.
 */
const uint64_t *sites_data_references(struct sites *sites, const struct go_function *function,
				      size_t *ret_count);
