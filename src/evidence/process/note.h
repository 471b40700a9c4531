// SPDX-License-Identifier: Apache-2.0
// ELF notes: the (owner, type, description) triples in which a core keeps registers and file
// mappings and a binary its build IDs. Knows their framing only; what a description means belongs
// to its reader.
#pragma once
#include "base/bytes.h"

struct note {
	const char *owner; /**< "CORE", "GNU", "Go"; NUL-terminated, points into the evidence */
	uint32_t type;     /**< NT_PRSTATUS, NT_FILE ... in the owner's numbering */
	struct bytes description;
};

/**
 * The next note of a segment whose fields are padded to @a alignment (p_align: 4, or 8 in newer
 * property notes; anything else counts as 4). Padding missing at the very end is accepted, as some
 * producers leave it out.
 *
 * @return ERROR_TRUNCATED when the segment ends inside a note, ERROR_MALFORMED when the owner's
 * name has no terminator. Source: System V gABI, "Note Section".
 */
struct error *note_next(struct bytes *segment, uint64_t alignment, struct note *ret);
