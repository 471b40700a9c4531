// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/dump.h"

#include "base/scan.h"
#include "evidence/text/dump_line.h"
#include "evidence/text/dump_store.h"

/* Asking */

size_t dump_goroutine_count(const struct dump *dump) { return dump->goroutines.count; }

const struct dump_goroutine *dump_goroutine(const struct dump *dump, size_t index)
{
	return blocks_at(&dump->goroutines, index);
}

size_t dump_group_count(const struct dump *dump) { return dump->groups.count; }

const struct dump_group *dump_group(const struct dump *dump, size_t index)
{
	return &((struct stored_group *)blocks_at(&dump->groups, index))->group;
}

size_t dump_message_count(const struct dump *dump) { return dump->messages.count; }

const struct dump_message *dump_message(const struct dump *dump, size_t index)
{
	return blocks_at(&dump->messages, index);
}

size_t dump_section_count(const struct dump *dump) { return dump->sections.count; }

const struct dump_section *dump_section(const struct dump *dump, size_t index)
{
	return blocks_at(&dump->sections, index);
}

const struct dump_gap *dump_gap(const struct dump *dump, enum dump_gap_kind kind)
{
	return &dump->gaps[kind];
}

const struct dump_frame *dump_frame(const struct dump *dump, uint32_t frame)
{
	return &((struct stored_frame *)blocks_at(&dump->frames, frame))->frame;
}

uint32_t dump_frame_number(const struct dump *dump, const struct dump_group *group, size_t index)
{
	return *(uint32_t *)blocks_at(&dump->stacks, group->frames + index);
}

const struct dump_frame *dump_frame_at(const struct dump *dump, const struct dump_group *group,
				       size_t index)
{
	return dump_frame(dump, dump_frame_number(dump, group, index));
}

struct text dump_word(const struct dump *dump, uint32_t word)
{
	return *(struct text *)blocks_at(&dump->words, word);
}

bool dump_label(const struct dump *dump, const struct dump_goroutine *goroutine, size_t index,
		struct text *ret_key, struct text *ret_value)
{
	struct text rest = dump_word(dump, goroutine->labels);

	for (size_t i = 0; i <= index; i++)
		if (!scan_until(&rest, LINE_LABEL_END, ret_key) ||
		    !scan_until(&rest, LINE_LABEL_END, ret_value))
			return false;
	return true;
}

/* Calls: "head" is what stands by the header, then arguments and tail of each frame. */

/** Takes @a n pieces: their sizes first, then their bytes. */
static bool pieces_take(struct text *rest, struct text *ret, size_t n)
{
	uint16_t sizes[2];
	struct text from = *rest;

	if (from.n < n * sizeof(*sizes))
		return false;
	memcpy(sizes, from.p, n * sizeof(*sizes));
	scan_skip(&from, n * sizeof(*sizes));
	for (size_t i = 0; i < n; i++) {
		if (from.n < sizes[i])
			return false;
		ret[i] = (struct text){from.p, sizes[i]};
		scan_skip(&from, sizes[i]);
	}
	*rest = from;
	return true;
}

size_t dump_calls(const struct dump *dump, const struct dump_goroutine *goroutine,
		  struct dump_call *ret, size_t max)
{
	struct text rest = dump_store_calls(dump, goroutine), pieces[2];
	size_t n = 0;

	if (!pieces_take(&rest, pieces, 1))
		return 0;
	for (; n < max && pieces_take(&rest, pieces, 2); n++) {
		ret[n].arguments = pieces[0];
		line_tail_parse(pieces[1], &ret[n].fp, &ret[n].sp, &ret[n].pc);
	}
	return n;
}

bool dump_thread_of(const struct dump *dump, const struct dump_goroutine *goroutine,
		    struct dump_thread *ret)
{
	struct text rest = dump_store_calls(dump, goroutine), head;
	struct dump_thread thread = {.m = -1};
	uint64_t m;

	if (!pieces_take(&rest, &head, 1) || !scan_prefix(&head, "gp=") ||
	    !scan_address(&head, &thread.g))
		return false;
	if (scan_prefix(&head, " m=") && scan_decimal(&head, &m) && m <= INT32_MAX) {
		thread.m = (int64_t)m;
		if (scan_prefix(&head, " mp="))
			scan_address(&head, &thread.mp);
	}
	*ret = thread;
	return true;
}

size_t dump_record_pcs(const struct dump *dump, const struct dump_goroutine *goroutine,
		       uint64_t *ret, size_t max)
{
	struct text rest = dump_store_calls(dump, goroutine), head;
	size_t n = 0;

	if (!pieces_take(&rest, &head, 1))
		return 0;
	while (n < max && scan_address(&head, &ret[n])) {
		n++;
		scan_prefix(&head, " ");
	}
	return n;
}

/* Arguments */

#define POINTER_MIN 0x10000ull            /* nothing is mapped below */
#define POINTER_MAX 0x0000800000000000ull /* the user half of 48-bit addresses */

static bool pointer_like(uint64_t value)
{
	return value >= POINTER_MIN && value < POINTER_MAX && value % sizeof(uint64_t) == 0;
}

static bool argument_take(struct text *rest, uint16_t *depth, struct dump_argument *ret)
{
	*ret = (struct dump_argument){.depth = *depth};
	if (scan_prefix(rest, "{")) {
		ret->kind = DUMP_ARGUMENT_OPEN;
		++*depth;
	} else if (scan_prefix(rest, "}")) {
		ret->kind = DUMP_ARGUMENT_CLOSE;
		if (*depth)
			ret->depth = --*depth;
	} else if (scan_prefix(rest, "...")) {
		ret->kind = DUMP_ARGUMENT_MORE;
	} else if (scan_prefix(rest, "_")) {
		ret->kind = DUMP_ARGUMENT_FAR;
	} else {
		if (!scan_address(rest, &ret->value) && !scan_decimal(rest, &ret->value))
			return false;
		ret->kind = DUMP_ARGUMENT_WORD;
		ret->stale = scan_prefix(rest, "?");
		ret->pointer_like = pointer_like(ret->value);
	}
	scan_prefix(rest, ",");
	scan_prefix(rest, " ");
	return true;
}

size_t dump_arguments(struct text arguments, struct dump_argument *ret, size_t max)
{
	uint16_t depth = 0;
	size_t n = 0;

	while (arguments.n && n < max && argument_take(&arguments, &depth, &ret[n]))
		n++;
	return n;
}

const char *dump_message_prefix(const struct dump_message *message)
{
	switch (message->kind) {
	case DUMP_FATAL:
		return "fatal error: ";
	case DUMP_PANIC:
		return "panic: ";
	default:
		return "";
	}
}
