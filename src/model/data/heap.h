// SPDX-License-Identifier: Apache-2.0
// The garbage-collected heap: which span and object an address belongs to.
#pragma once
#include "model/process/program.h"

struct heap_object {
	uint64_t address; /**< start of the object, allocation header included */
	uint64_t size;
	uint64_t span;  /**< start of its span */
	bool pointers;  /**< may hold pointers */
	bool allocated; /**< by the allocator's own bits */
	/** Address of its type descriptor where the allocator keeps one (1.22+), else 0 */
	uint64_t type;
	uint64_t data; /**< where the program's data starts: after the header, if any */
};

/** The object that covers @a address; false when the heap has none there. */
bool heap_object_at(struct program *program, uint64_t address, struct heap_object *ret);

struct heap;

/**
 * The heap of @a program, which is borrowed. Costs nothing: the runtime's mheap_ is looked up and
 * read at the first question; a program in which it is not found gets one gap.
 */
struct heap *heap_new(struct program *program);
/** As heap_new() where the address of mheap_ is known. */
struct heap *heap_new_at(struct program *program, uint64_t mheap);
void heap_free(struct heap *heap);

/**
 * Visits every pointer-sized word of the heap, the data and bss segments, and the live stacks that
 * holds a value in [@a low, @a high), in address order, each once. Streams over all memory once.
 * Heap spans without pointers, other data without pointers, the runtime's own memory and dead stack
 * are left out; words of free slots are not: heap_object_at() tells. Where the heap's spans are not
 * known, all dumped memory but pointerless data and dead stack is looked at.
 */
void heap_references(struct program *program, uint64_t low, uint64_t high,
		     void (*visit)(uint64_t word, uint64_t value, void *), void *context);
