// SPDX-License-Identifier: Apache-2.0
#include "evidence/process/note.h"

static struct error *read_owner(struct bytes *segment, uint32_t size, const char **ret)
{
	struct place where = bytes_place(segment);
	struct bytes name;

	TRY(bytes_take(segment, "note owner", size, &name));
	if (size == 0) {
		*ret = ""; // the gABI allows a note without an owner
		return NULL;
	}
	if (name.end[-1] != '\0')
		return error_new(ERROR_MALFORMED, where, "note owner is not terminated");
	*ret = (const char *)name.start;
	return NULL;
}

/** Moves to the next note; what the producer left out at the end is no loss. */
static struct error *skip_padding(struct bytes *segment, size_t alignment)
{
	size_t over = (size_t)(segment->at - segment->start) & (alignment - 1);
	size_t padding = over ? alignment - over : 0;

	if (padding > bytes_left(segment))
		padding = bytes_left(segment);
	return bytes_skip(segment, "note padding", padding);
}

struct error *note_next(struct bytes *segment, uint64_t alignment, struct note *ret)
{
	uint32_t owner_size, description_size;
	size_t padded = alignment == 8 ? 8 : 4;
	struct note note;

	TRY(bytes_u32(segment, "note owner size", &owner_size));
	TRY(bytes_u32(segment, "note description size", &description_size));
	TRY(bytes_u32(segment, "note type", &note.type));
	TRY(read_owner(segment, owner_size, &note.owner));
	TRY(skip_padding(segment, padded));
	TRY(bytes_take(segment, "note description", description_size, &note.description));
	TRY(skip_padding(segment, padded));
	*ret = note;
	return NULL;
}
