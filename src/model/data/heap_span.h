// SPDX-License-Identifier: Apache-2.0
// What the heap's two readers share: the index of spans, and one span's numbers.
#pragma once
#include "model/data/heap.h"

#include <glib.h>

#define SPAN_BYTES 256 /* of an mspan that are looked at; 168 is the largest so far */

/** Spans asked for last, by their address: searches come back to a few. */
#define SPANS_KEPT 256

struct heap_span {
	uint64_t start, pages, limit; /* limit: end of the last object */
	uint64_t elem_size, elem_count, free_index;
	uint64_t allocation_bits, large_type;
	bool no_pointers;
	bool large; /* one object fills the span */
};

struct span_kept {
	uint64_t address; /* of the mspan; 0: nothing is kept here */
	struct heap_span span;
	bool in_use;
};

/** The table of spans of one arena (1.11+), asked for last. */
#define ARENAS_KEPT 64

struct arena_kept {
	bool known;
	uint64_t number, table; /* table 0: there is no such arena */
	const uint8_t *view;    /* of the table; NULL when it is not dumped in one piece */
};

struct heap {
	struct program *program;
	uint64_t mheap;
	bool looked, ready;
	uint64_t arenas;                         /* 1.11+: the table of heapArena pointers */
	uint64_t spans, arena_start, arena_used; /* to 1.10 */
	struct arena_kept arenas_kept[ARENAS_KEPT];
	struct span_kept kept[SPANS_KEPT];
};

/** Finds the index at the first call; false, and one gap, when it is not there. */
bool heap_ready(struct heap *heap);
/** The mspan at @a address; false unless it is in use for objects and its numbers make sense. */
bool heap_span_read(const struct heap *heap, uint64_t address, struct heap_span *ret);
