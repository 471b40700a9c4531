// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <endian.h>
#include <string.h>

#define UVARINT_MAX_BYTES 10

struct bytes bytes_over(const void *data, size_t size, struct place origin)
{
	const uint8_t *start = data;

	return (struct bytes){start, start + size, start, origin};
}

struct error *bytes_cut_off(const struct bytes *b, const char *field, uint64_t wanted)
{
	return error_new(ERROR_TRUNCATED, bytes_place(b), "%s cut off: %llu bytes wanted, %zu left",
			 field, (unsigned long long)wanted, bytes_left(b));
}

static struct error *read_fixed(struct bytes *b, const char *field, void *ret, size_t size)
{
	if (bytes_left(b) < size)
		return bytes_cut_off(b, field, size);
	memcpy(ret, b->at, size);
	b->at += size;
	return NULL;
}

struct error *bytes_u8(struct bytes *b, const char *field, uint8_t *ret)
{
	return read_fixed(b, field, ret, sizeof(*ret));
}

struct error *bytes_u16(struct bytes *b, const char *field, uint16_t *ret)
{
	uint16_t raw = 0;

	TRY(read_fixed(b, field, &raw, sizeof(raw)));
	*ret = le16toh(raw);
	return NULL;
}

struct error *bytes_u32(struct bytes *b, const char *field, uint32_t *ret)
{
	uint32_t raw = 0;

	TRY(read_fixed(b, field, &raw, sizeof(raw)));
	*ret = le32toh(raw);
	return NULL;
}

struct error *bytes_u64(struct bytes *b, const char *field, uint64_t *ret)
{
	uint64_t raw = 0;

	TRY(read_fixed(b, field, &raw, sizeof(raw)));
	*ret = le64toh(raw);
	return NULL;
}

struct error *bytes_uvarint_long(struct bytes *b, const char *field, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < UVARINT_MAX_BYTES; i++) {
		if (b->at == b->end)
			return bytes_cut_off(b, field, 1);
		value |= (uint64_t)(*b->at & 0x7f) << (7 * i);
		if (*b->at++ < 0x80) {
			*ret = value;
			return NULL;
		}
	}
	return error_new(ERROR_MALFORMED, bytes_place(b), "%s is longer than %d bytes", field,
			 UVARINT_MAX_BYTES);
}

#define SHORT_AT_ONCE 8 /* numbers of one byte each */
#define SHORT_NONE    0x8080808080808080ull

static bool take_short(struct bytes *b, uint64_t *ret)
{
	uint64_t all;

	if (bytes_left(b) < SHORT_AT_ONCE)
		return false;
	memcpy(&all, b->at, sizeof(all));
	if (all & SHORT_NONE)
		return false;
	for (size_t i = 0; i < SHORT_AT_ONCE; i++)
		ret[i] = b->at[i];
	b->at += SHORT_AT_ONCE;
	return true;
}

struct error *bytes_uvarints(struct bytes *b, const char *field, uint64_t *ret, size_t max,
			     size_t *ret_n)
{
	for (*ret_n = 0; *ret_n < max && bytes_left(b);) {
		if (max - *ret_n >= SHORT_AT_ONCE && take_short(b, ret + *ret_n)) {
			*ret_n += SHORT_AT_ONCE;
			continue;
		}
		TRY(bytes_uvarint(b, field, &ret[*ret_n]));
		++*ret_n;
	}
	return NULL;
}

struct error *bytes_skip(struct bytes *b, const char *field, uint64_t size)
{
	struct bytes skipped;

	return bytes_take(b, field, size, &skipped);
}

struct error *bytes_align(struct bytes *b, size_t alignment)
{
	size_t over = (size_t)(b->at - b->start) & (alignment - 1);

	return over ? bytes_skip(b, "padding", alignment - over) : NULL;
}

struct error *bytes_string(struct bytes *b, const char *field, const char **ret)
{
	const uint8_t *end = memchr(b->at, '\0', bytes_left(b));

	if (!end)
		return error_new(ERROR_TRUNCATED, bytes_place(b), "%s has no end", field);
	*ret = (const char *)b->at;
	b->at = end + 1;
	return NULL;
}
