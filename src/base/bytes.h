// SPDX-License-Identifier: Apache-2.0
// A cursor over bytes that nobody vouches for. Every read is checked; a failure names the field and
// its offset. Nothing is copied: views live as long as the evidence they point into. All integers
// are little-endian, as both supported architectures are.
#pragma once
#include "base/error.h"

struct bytes {
	const uint8_t *at, *end;
	const uint8_t *start; /**< first byte, for offsets */
	struct place origin;  /**< where @a start stands in the evidence */
};

struct bytes bytes_over(const void *data, size_t size, struct place origin);
static inline size_t bytes_left(const struct bytes *b) { return (size_t)(b->end - b->at); }
/** The place of the next byte. */
static inline struct place bytes_place(const struct bytes *b)
{
	return (struct place){b->origin.source, b->origin.offset + (uint64_t)(b->at - b->start)};
}

/** @a field names what is being read, for the error; @a ret is written on success only. */
struct error *bytes_u8(struct bytes *b, const char *field, uint8_t *ret);
struct error *bytes_u16(struct bytes *b, const char *field, uint16_t *ret);
struct error *bytes_u32(struct bytes *b, const char *field, uint32_t *ret);
struct error *bytes_u64(struct bytes *b, const char *field, uint64_t *ret);
/** The longer forms of bytes_uvarint(). */
struct error *bytes_uvarint_long(struct bytes *b, const char *field, uint64_t *ret);
/** Go's and protobuf's variable-length integer, at most ten bytes. */
static inline struct error *bytes_uvarint(struct bytes *b, const char *field, uint64_t *ret)
{
	if (b->at < b->end && *b->at < 0x80) {
		*ret = *b->at++;
		return NULL;
	}
	return bytes_uvarint_long(b, field, ret);
}
/**
 * As many of them as follow each other up to the end of @a b, at most @a max.
 * @a ret is written for those that are sound, also on failure
 */
struct error *bytes_uvarints(struct bytes *b, const char *field, uint64_t *ret, size_t max,
			     size_t *ret_n);
/** The error of a read of @a wanted bytes where fewer are left. */
struct error *bytes_cut_off(const struct bytes *b, const char *field, uint64_t wanted)
	__attribute__((cold, returns_nonnull));
/** The next @a size bytes as a cursor of their own; @a b moves past them. */
static inline struct error *bytes_take(struct bytes *b, const char *field, uint64_t size,
				       struct bytes *ret)
{
	if (size > bytes_left(b))
		return bytes_cut_off(b, field, size);
	*ret = (struct bytes){b->at, b->at + size, b->at, bytes_place(b)};
	b->at += size;
	return NULL;
}
/** Moves past @a size bytes. */
struct error *bytes_skip(struct bytes *b, const char *field, uint64_t size);
/** Moves to the next multiple of @a alignment (a power of two), counted from the start. */
struct error *bytes_align(struct bytes *b, size_t alignment);
/** A NUL-terminated string, which points into the evidence; @a b moves past the NUL. */
struct error *bytes_string(struct bytes *b, const char *field, const char **ret);
