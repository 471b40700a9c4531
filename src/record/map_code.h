// SPDX-License-Identifier: Apache-2.0
// Where the machine code of one of the runtime's map functions sets the map's writing flag, where it
// clears it, and where it gives up because the flag says that somebody else is writing. Found in the
// code itself, and checked: on every way through the function the flag is set once and clear at the end.
#pragma once
#include "record/instruction.h"

enum map_moment {
	MOMENT_SET,     /**< the flag is about to be set */
	MOMENT_CLEAR,   /**< the flag is about to be cleared */
	MOMENT_GIVE_UP, /**< the check failed: the process is about to die */
	MOMENT_MADE,    /**< a new map is about to be returned */
	MOMENT_GROWN,   /**< a map is about to get more room */
	MOMENT_READ,    /**< a check has passed, and the map is about to be read */
};

/** A run of whole instructions, 5 bytes at least, into whose middle nothing jumps. */
struct map_hook {
	uint64_t address;
	uint8_t size;         /**< bytes */
	uint8_t moment;       /**< enum map_moment */
	uint8_t map_register; /**< holds the map here; REGISTER_NONE when the code does not tell (GIVE_UP), or it is on the stack */
	bool in_frame; /**< RBP is the function's own frame pointer here; else still, or again, its caller's */
};

#define MAP_HOOKS_MAX 32
#define MAP_HOOK_ROOM 32 /**< bytes of a hook at most */

enum callee {
	CALLEE_OTHER,
	CALLEE_GIVES_UP, /**< throw, fatal: the runtime prints a message and dies */
	CALLEE_ENDS,     /**< another function that does not come back */
};

struct map_code_question {
	const uint8_t *bytes; /**< of the function */
	uint64_t size, address;
	int64_t flag_offset; /**< of the byte with the flag in the map's header */
	uint8_t flag_mask;
	bool writes; /**< it must set the flag; else it must not */
	bool reads;  /**< where its checks have passed is wanted as well */
	uint8_t map_register; /**< MADE and GROWN: where the map is returned or passed; REGISTER_NONE: on the stack */
	enum callee (*callee)(void *context, uint64_t address);
	/** Does one of the messages of a map fatal begin at that address? */
	bool (*is_map_message)(void *context, uint64_t address);
	void *context;
};

struct map_code {
	struct map_hook hooks[MAP_HOOKS_MAX];
	size_t count;
	const char
		*unread; /**< why no read is among the hooks, where reads are wanted; else NULL */
};

/** @return NULL, or why the function was not understood: then nothing of it may be touched. */
const char *map_code_read(struct decoder *decoder, const struct map_code_question *question,
			  struct map_code *ret);
/**
 * Where a function that makes maps returns one (MOMENT_MADE), or one that grows the map it is passed begins
 * (MOMENT_GROWN). Of the question, the flag and the messages are not looked at.
 */
const char *map_code_read_birth(struct decoder *decoder, const struct map_code_question *question,
				enum map_moment moment, struct map_code *ret);
