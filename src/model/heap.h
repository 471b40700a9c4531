// SPDX-License-Identifier: Apache-2.0
// The garbage-collected heap: which span and object an address belongs to.
#pragma once
#include "model/program.h"

struct heap_object {
	uint64_t address; /**< start of the object, allocation header included */
	uint64_t size;
	uint64_t span;    /**< start of its span */
	bool pointers;    /**< may hold pointers */
	bool allocated;   /**< by the allocator's own bits */
	uint64_t type;    /**< address of its type descriptor where the allocator keeps one (1.22+), else 0 */
	uint64_t data;    /**< where the program's data starts: after the header, if any */
};

/** The object that covers @a address; false when the heap has none there. */
bool heap_object_at(struct program *program, uint64_t address, struct heap_object *ret);

/**
 * Visits every pointer-sized word of the heap, the data and bss segments, and the live stacks that holds
 * a value in [@a low, @a high). Streams over all memory once.
 */
void heap_references(struct program *program, uint64_t low, uint64_t high,
		     void (*visit)(uint64_t word, uint64_t value, void *), void *context);
