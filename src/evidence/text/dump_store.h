// SPDX-License-Identifier: Apache-2.0
// Where a dump is kept: every name, frame and stack once. Made by dump_parse.c, asked through dump.h.
#pragma once
#include "base/arena.h"
#include "base/blocks.h"
#include "base/buffer.h"
#include "evidence/text/dump.h"

/** A place of a table: empty while number is 0. */
struct number_slot {
	uint64_t hash;
	uint32_t number; /**< of an item that stands elsewhere, plus 1 */
};

/**
 * Positions by hash, with open addressing. Frames and stacks are found by their hash alone, 64 bits of it under
 * a secret of this process: to compare the bytes as well costs more than all the rest of reading, and among a
 * million frames two share a hash once in 30 million runs.
 */
struct number_table {
	struct number_slot *slots;
	size_t mask, count;
};

/** A frame with the text that identifies it. */
struct stored_frame {
	struct dump_frame frame;
	struct text place; /**< as printed, without what differs between equal frames */
};

struct stored_group {
	struct dump_group group;
	uint32_t last_calls;      /**< of its last goroutine: equal ones are kept once */
	uint32_t last_calls_hash; /**< so that others need not be looked at */
};

struct dump {
	struct arena *arena;
	uint64_t seed[2]; /**< of the hashes: nobody can choose text that collides */
	uint64_t text_bytes, call_bytes;
	struct blocks words;      /**< struct text */
	struct blocks frames;     /**< struct stored_frame */
	struct blocks groups;     /**< struct stored_group */
	struct blocks stacks;     /**< uint32_t: frame numbers, each stack's in one run */
	struct blocks goroutines; /**< struct dump_goroutine */
	struct blocks calls;      /**< units of CALL_UNIT bytes */
	struct blocks messages;   /**< struct dump_message */
	struct blocks sections;   /**< struct dump_section */
	struct number_table word_table, frame_table, group_table;
	struct dump_gap gaps[DUMP_GAP_KINDS];
};

struct dump *dump_new(void);
void dump_gap_add(struct dump *dump, enum dump_gap_kind kind, struct dump_place place);

/** Marks goroutines that were printed twice (dump_again.c); all has been read. */
void dump_mark_again(struct dump *dump);

#define DUMP_STORE_FULL UINT32_MAX

/** Number of a word for dump_word(), or DUMP_STORE_FULL. Number 0 is the empty word. */
uint32_t dump_store_word(struct dump *dump, struct text word);

/**
 * Number of the frame with that function at that place; @a inlined: printed as f(...).
 * @param place without its tail
 * @return false when @a place is none; DUMP_STORE_FULL in @a ret when there is no room
 */
bool dump_store_frame(struct dump *dump, struct text function, struct text place, bool inlined,
		      uint32_t *ret);
/** As above, for frames whose parts are known; @a place tells equal frames apart. */
uint32_t dump_store_frame_parts(struct dump *dump, const struct dump_frame *frame,
				struct text place);

/** Number of a new section; when there are too many, of the last, with a gap. */
uint32_t dump_store_section(struct dump *dump, struct text source, struct dump_place place);

/** A stack as it is being read. */
struct stack_parts {
	const uint32_t *frames;
	uint32_t frame_count, created_by, elided_before, elided_count, flags;
};
/** Number of its group, a new one when it was not seen before. */
uint32_t dump_store_group(struct dump *dump, const struct stack_parts *parts);

/**
 * Adds a goroutine to its group.
 * @param calls what dump_calls() will take apart; kept as far as there is room
 */
void dump_store_goroutine(struct dump *dump, const struct dump_goroutine *goroutine,
			  struct text calls);

/** Appends pieces of calls: their sizes first, then their bytes; dump.c takes them apart again. */
void dump_calls_pack(struct buffer *calls, const struct text *parts, size_t n);

/** The calls of a goroutine as they were given; empty when not kept. */
struct text dump_store_calls(const struct dump *dump, const struct dump_goroutine *goroutine);
