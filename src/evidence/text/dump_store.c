// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/dump_store.h"

#include "base/limits.h"
#include "evidence/text/dump_line.h"

#include <glib.h>
#include <sys/random.h>

#define BLOCK_SHIFT       12 /* items of a block: 4096 */
#define STACK_BLOCK_SHIFT 14 /* at least LIMIT_FRAMES */
#define CALL_UNIT         8  /* bytes that dump_goroutine.calls counts in */
#define CALL_BLOCK_SHIFT  17 /* 1 MiB */
#define CALL_BYTES_MAX    (CALL_UNIT << CALL_BLOCK_SHIFT)
#define TABLE_SLOTS_MIN   1024

/* Hashes: multiply and fold, eight bytes a step. */

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load(const char *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

/** Up to seven bytes, of which some may be taken twice. */
static inline uint64_t load_few(const char *p, size_t n)
{
	uint32_t first, last;

	if (n < sizeof(first))
		return n ? (uint64_t)(uint8_t)p[0] << 16 | (uint64_t)(uint8_t)p[n / 2] << 8 |
				       (uint8_t)p[n - 1]
			 : 0;
	memcpy(&first, p, sizeof(first));
	memcpy(&last, p + n - sizeof(last), sizeof(last));
	return (uint64_t)first << 32 | last;
}

#define HASH_ODD_A 0x9e3779b97f4a7c15ull /* 2^64 over the golden ratio */
#define HASH_ODD_B 0xd1b54a32d192ed03ull

/** @a seed is secret, so that no operand can be chosen to be zero. */
static inline uint64_t hash_text(const uint64_t seed[2], uint64_t hash, struct text text)
{
	const char *p = text.p, *end = text.p + text.n;
	uint64_t other = HASH_ODD_B, first, last;

	hash ^= fold(text.n + HASH_ODD_A, seed[0]);
	for (; end - p > 32; p += 32) { // two chains, so that neither waits for the other
		hash = fold(load(p) ^ seed[0] ^ hash, load(p + 8) ^ seed[1]);
		other = fold(load(p + 16) ^ seed[1] ^ other, load(p + 24) ^ seed[0]);
	}
	if (end - p > 16)
		other = fold(load(p) ^ seed[1] ^ other, load(p + 8) ^ seed[0]);
	if (text.n >= 16) { // the last 16 bytes, some of them once more
		first = load(end - 16);
		last = load(end - 8);
	} else if (text.n >= 8) {
		first = load(p);
		last = load(end - 8);
	} else {
		first = load_few(p, text.n);
		last = 0;
	}
	return fold(first ^ seed[0] ^ hash, last ^ seed[1] ^ other);
}

/* The table */

static void table_init(struct number_table *table)
{
	*table = (struct number_table){.slots = g_new0(struct number_slot, TABLE_SLOTS_MIN),
				       .mask = TABLE_SLOTS_MIN - 1};
}

static void table_put(struct number_table *table, struct number_slot slot)
{
	size_t at = slot.hash & table->mask;

	while (table->slots[at].number)
		at = (at + 1) & table->mask;
	table->slots[at] = slot;
}

static void table_add(struct number_table *table, uint64_t hash, uint32_t number)
{
	if (++table->count * 2 > table->mask) {
		struct number_slot *old = table->slots;
		size_t n = table->mask + 1;

		table->slots = g_new0(struct number_slot, 2 * n);
		table->mask = 2 * n - 1;
		for (size_t i = 0; i < n; i++)
			if (old[i].number)
				table_put(table, old[i]);
		g_free(old);
	}
	table_put(table, (struct number_slot){hash, number + 1});
}

static inline bool table_find(const struct number_table *table, uint64_t hash, uint32_t *ret)
{
	for (size_t at = hash & table->mask; table->slots[at].number; at = (at + 1) & table->mask)
		if (table->slots[at].hash == hash) {
			*ret = table->slots[at].number - 1;
			return true;
		}
	return false;
}

/* The store */

struct dump *dump_new(void)
{
	struct dump *dump = g_new0(struct dump, 1);

	dump->arena = arena_new();
	if (getrandom(dump->seed, sizeof(dump->seed), GRND_NONBLOCK) < 0)
		dump->seed[0] = dump->seed[1] = (uintptr_t)dump;
	blocks_init(&dump->words, sizeof(struct text), BLOCK_SHIFT);
	blocks_init(&dump->frames, sizeof(struct stored_frame), BLOCK_SHIFT);
	blocks_init(&dump->groups, sizeof(struct stored_group), BLOCK_SHIFT);
	blocks_init(&dump->stacks, sizeof(uint32_t), STACK_BLOCK_SHIFT);
	blocks_init(&dump->goroutines, sizeof(struct dump_goroutine), BLOCK_SHIFT);
	blocks_init(&dump->calls, CALL_UNIT, CALL_BLOCK_SHIFT);
	blocks_init(&dump->messages, sizeof(struct dump_message), 6);
	blocks_init(&dump->sections, sizeof(struct dump_section), 4);
	table_init(&dump->word_table);
	table_init(&dump->frame_table);
	table_init(&dump->group_table);
	dump_store_word(dump, (struct text){"", 0});
	blocks_add(&dump->calls); // so that 0 says: not kept
	return dump;
}

void dump_close(struct dump *dump)
{
	if (!dump)
		return;
	blocks_done(&dump->words);
	blocks_done(&dump->frames);
	blocks_done(&dump->groups);
	blocks_done(&dump->stacks);
	blocks_done(&dump->goroutines);
	blocks_done(&dump->calls);
	blocks_done(&dump->messages);
	blocks_done(&dump->sections);
	g_free(dump->word_table.slots);
	g_free(dump->frame_table.slots);
	g_free(dump->group_table.slots);
	arena_free(dump->arena);
	g_free(dump);
}

void dump_gap_add(struct dump *dump, enum dump_gap_kind kind, struct dump_place place)
{
	if (dump->gaps[kind].count++ == 0)
		dump->gaps[kind].first = place;
}

static struct text keep(struct dump *dump, struct text text)
{
	dump->text_bytes += text.n;
	return (struct text){arena_copy(dump->arena, text.p, text.n), text.n};
}

static bool full(const struct dump *dump) { return dump->text_bytes > LIMIT_DUMP_TEXT_BYTES; }

uint32_t dump_store_word(struct dump *dump, struct text word)
{
	uint64_t hash = hash_text(dump->seed, 0, word);
	uint32_t number;

	if (table_find(&dump->word_table, hash, &number))
		return number;
	if (full(dump))
		return DUMP_STORE_FULL;
	number = (uint32_t)dump->words.count;
	dump->text_bytes += sizeof(struct text);
	*(struct text *)blocks_add(&dump->words) = keep(dump, word);
	table_add(&dump->word_table, hash, number);
	return number;
}

static uint64_t frame_hash(const struct dump *dump, struct text function, struct text place,
			   bool inlined)
{
	return hash_text(dump->seed, hash_text(dump->seed, inlined, function), place);
}

static uint32_t frame_add(struct dump *dump, uint64_t hash, const struct dump_frame *frame,
			  struct text place)
{
	uint32_t number = (uint32_t)dump->frames.count;
	struct stored_frame *stored;
	size_t file_at = frame->file.n ? (size_t)(frame->file.p - place.p) : 0;

	if (full(dump))
		return DUMP_STORE_FULL;
	stored = blocks_add(&dump->frames);
	dump->text_bytes += sizeof(*stored);
	stored->frame = *frame;
	stored->place = keep(dump, place);
	stored->frame.function = keep(dump, frame->function);
	stored->frame.file = (struct text){stored->place.p + file_at, frame->file.n};
	table_add(&dump->frame_table, hash, number);
	return number;
}

bool dump_store_frame(struct dump *dump, struct text function, struct text place, bool inlined,
		      uint32_t *ret)
{
	uint64_t hash = frame_hash(dump, function, place, inlined);
	struct dump_frame frame = {.function = function};
	struct line_place parts;

	if (table_find(&dump->frame_table, hash, ret))
		return true;
	if (!line_place_parse(place, &parts))
		return false;
	frame.file = parts.file;
	frame.line = parts.line;
	frame.pc = parts.pc;
	frame.pc_offset = parts.offset;
	frame.flags = (inlined ? DUMP_FRAME_INLINED : 0) |
		      (parts.has_offset || !inlined ? DUMP_FRAME_OFFSET : 0) |
		      (parts.foreign ? DUMP_FRAME_FOREIGN : 0);
	*ret = frame_add(dump, hash, &frame, place);
	return true;
}

uint32_t dump_store_frame_parts(struct dump *dump, const struct dump_frame *frame,
				struct text place)
{
	bool inlined = frame->flags & DUMP_FRAME_INLINED;
	uint64_t hash = frame_hash(dump, frame->function, place, inlined);
	uint32_t number;

	if (table_find(&dump->frame_table, hash, &number))
		return number;
	return frame_add(dump, hash, frame, place);
}

uint32_t dump_store_group(struct dump *dump, const struct stack_parts *parts)
{
	const struct text frames = {(const char *)parts->frames,
				    parts->frame_count * sizeof(*parts->frames)};
	const uint32_t rest[] = {parts->created_by, parts->elided_before, parts->elided_count,
				 parts->flags};
	const struct text rest_text = {(const char *)rest, sizeof(rest)};
	uint64_t hash = hash_text(dump->seed, hash_text(dump->seed, 0, rest_text), frames);
	struct stored_group *stored;
	uint32_t number;

	if (table_find(&dump->group_table, hash, &number))
		return number;
	if (full(dump))
		return DUMP_STORE_FULL;
	number = (uint32_t)dump->groups.count;
	stored = blocks_add(&dump->groups);
	stored->group = (struct dump_group){.frame_count = parts->frame_count,
					    .created_by = parts->created_by,
					    .elided_before = parts->elided_before,
					    .elided_count = parts->elided_count,
					    .flags = parts->flags,
					    .wait_min = UINT32_MAX};
	dump->text_bytes += sizeof(*stored) + frames.n;
	if (parts->frame_count) {
		stored->group.frames = (uint32_t)blocks_add_run(&dump->stacks, parts->frame_count);
		memcpy(blocks_at(&dump->stacks, stored->group.frames), frames.p, frames.n);
	}
	table_add(&dump->group_table, hash, number);
	return number;
}

uint32_t dump_store_section(struct dump *dump, struct text source, struct dump_place place)
{
	struct dump_section *section;
	uint32_t number = (uint32_t)dump->sections.count;

	if (number >= LIMIT_DUMP_SECTIONS) {
		dump_gap_add(dump, DUMP_GAP_SECTIONS, place);
		return LIMIT_DUMP_SECTIONS - 1;
	}
	section = blocks_add(&dump->sections);
	section->source = source;
	section->place = place;
	section->first_message = DUMP_NO_FRAME;
	return number;
}

/* Calls: their length, then their bytes, from a multiple of CALL_UNIT on. */

void dump_calls_pack(struct buffer *calls, const struct text *parts, size_t n)
{
	size_t size = n * sizeof(uint16_t);
	char *sizes, *to;

	for (size_t i = 0; i < n; i++)
		size += MIN(parts[i].n, UINT16_MAX);
	sizes = buffer_extend(calls, size);
	to = sizes + n * sizeof(uint16_t);
	for (size_t i = 0; i < n; i++) {
		uint16_t part = (uint16_t)MIN(parts[i].n, UINT16_MAX);

		memcpy(sizes + i * sizeof(part), &part, sizeof(part));
		if (part)
			memcpy(to, parts[i].p, part);
		to += part;
	}
}

static struct text calls_at(const struct dump *dump, uint32_t at)
{
	const char *p;
	uint32_t n;

	if (at == 0)
		return (struct text){"", 0};
	p = blocks_at(&dump->calls, at);
	memcpy(&n, p, sizeof(n));
	return (struct text){p + sizeof(n), n};
}

struct text dump_store_calls(const struct dump *dump, const struct dump_goroutine *goroutine)
{
	return calls_at(dump, goroutine->calls);
}

static uint32_t calls_keep(struct dump *dump, struct stored_group *stored, struct text calls)
{
	size_t size = sizeof(uint32_t) + calls.n, at;
	uint32_t n = (uint32_t)calls.n, hash;

	if (size > CALL_BYTES_MAX)
		return 0;
	if (stored->group.count == 0 ? full(dump) : dump->call_bytes > LIMIT_DUMP_CALL_BYTES)
		return 0;
	hash = (uint32_t)hash_text(dump->seed, 0, calls);
	if (stored->last_calls && stored->last_calls_hash == hash &&
	    text_equal(calls_at(dump, stored->last_calls), calls))
		return stored->last_calls;
	*(stored->group.count == 0 ? &dump->text_bytes : &dump->call_bytes) += size;
	at = blocks_add_run(&dump->calls, (size + CALL_UNIT - 1) / CALL_UNIT);
	memcpy(blocks_at(&dump->calls, at), &n, sizeof(n));
	memcpy((char *)blocks_at(&dump->calls, at) + sizeof(n), calls.p, calls.n);
	stored->last_calls = (uint32_t)at;
	stored->last_calls_hash = hash;
	return (uint32_t)at;
}

void dump_store_goroutine(struct dump *dump, const struct dump_goroutine *goroutine,
			  struct text calls)
{
	struct stored_group *stored = blocks_at(&dump->groups, goroutine->group);
	struct dump_group *group = &stored->group;
	struct dump_goroutine *kept;

	if (group->count == 0)
		group->first = (uint32_t)dump->goroutines.count;
	kept = blocks_add(&dump->goroutines);
	*kept = *goroutine;
	kept->calls = calls_keep(dump, stored, calls);
	if (!kept->calls && group->frame_count)
		dump_gap_add(dump, DUMP_GAP_CALLS,
			     (struct dump_place){goroutine->offset, goroutine->line});
	group->count += goroutine->count;
	group->wait_min = MIN(group->wait_min, goroutine->minutes);
	group->wait_max = MAX(group->wait_max, goroutine->minutes);
}
