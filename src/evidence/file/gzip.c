// SPDX-License-Identifier: Apache-2.0
#include "evidence/file/gzip.h"

#include <endian.h>
#include <glib.h>
#include <libdeflate.h>
#include <zlib.h>

#define GZIP_WINDOW  (15 + 16) /* zlib's way to say: gzip, the largest window */
#define RATIO_MAX    1032      /* of deflate: 258 bytes in two bits */
#define MEMBER_BYTES 18        /* header and trailer */
#define PIECE_BYTES  (256u << 10)

bool gzip_recognise(struct text head)
{
	return head.n >= 3 && memcmp(head.p, "\x1f\x8b\x08", 3) == 0;
}

size_t gzip_head(struct text head, char *ret, size_t size)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)head.p,
			   .avail_in = (uInt)MIN(head.n, UINT32_MAX),
			   .next_out = (Bytef *)ret,
			   .avail_out = (uInt)size};

	if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
		return 0;
	inflate(&stream, Z_SYNC_FLUSH);
	inflateEnd(&stream);
	return size - stream.avail_out;
}

/* The size that the last four bytes state, if there is one member and the size can be true. */
static size_t stated_size(struct text input, size_t limit)
{
	uint32_t size;

	if (input.n < MEMBER_BYTES)
		return 0;
	memcpy(&size, input.p + input.n - sizeof(size), sizeof(size));
	size = le32toh(size);
	return size <= limit && size / RATIO_MAX <= input.n ? size : 0;
}

static bool inflate_whole(struct text input, size_t size, void **ret)
{
	struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
	void *bytes = malloc(size);
	size_t taken = 0;
	bool done = inflater && bytes &&
		    libdeflate_gzip_decompress_ex(inflater, input.p, input.n, bytes, size, &taken,
						  NULL) == LIBDEFLATE_SUCCESS &&
		    taken == input.n;

	libdeflate_free_decompressor(inflater);
	if (done)
		*ret = bytes;
	else
		free(bytes);
	return done;
}

struct growing {
	char *bytes;
	size_t used, room;
};

static struct error *make_room(struct growing *out, const char *path, size_t limit)
{
	size_t room = out->room ? 2 * out->room : PIECE_BYTES;
	char *bytes;

	if (out->used < out->room)
		return NULL;
	if (out->room >= limit)
		return error_new(ERROR_LIMIT, place_whole(path), "inflates to more than %zu bytes",
				 limit);
	bytes = realloc(out->bytes, MIN(room, limit));
	if (!bytes)
		return error_new(ERROR_SYSTEM, place_whole(path), "out of memory");
	out->bytes = bytes;
	out->room = MIN(room, limit);
	return NULL;
}

static struct error *failed(int state, const z_stream *stream, const char *path, size_t taken,
			    size_t made)
{
	if (state == Z_BUF_ERROR || state == Z_OK)
		return error_new(ERROR_TRUNCATED, (struct place){path, taken},
				 "the gzip stream is cut off after %zu inflated bytes", made);
	return error_new(ERROR_MALFORMED, (struct place){path, taken},
			 "the gzip stream is damaged after %zu inflated bytes: %s", made,
			 stream->msg ? stream->msg : "it follows no rule of the format");
}

/* Members one after the other until the input ends. */
static struct error *inflate_members(z_stream *stream, struct text input, const char *path,
				     size_t limit, struct growing *out)
{
	int state = Z_OK;

	while (state != Z_STREAM_END || stream->avail_in) {
		if (state == Z_STREAM_END && inflateReset(stream) != Z_OK)
			return error_new(ERROR_SYSTEM, place_whole(path), "zlib failed");
		TRY(make_room(out, path, limit));
		stream->next_out = (Bytef *)out->bytes + out->used;
		stream->avail_out = (uInt)(out->room - out->used);
		state = inflate(stream, Z_NO_FLUSH);
		out->used = out->room - stream->avail_out;
		if ((state != Z_OK && state != Z_STREAM_END) ||
		    (state == Z_OK && !stream->avail_in && stream->avail_out))
			return failed(state, stream, path, input.n - stream->avail_in, out->used);
	}
	return NULL;
}

static struct error *inflate_pieces(struct text input, const char *path, size_t limit,
				    struct growing *out)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)input.p, .avail_in = (uInt)input.n};
	struct error *error;

	if (input.n > limit)
		return error_new(ERROR_LIMIT, place_whole(path), "is larger than %zu bytes", limit);
	if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
		return error_new(ERROR_SYSTEM, place_whole(path), "zlib failed");
	error = inflate_members(&stream, input, path, limit, out);
	inflateEnd(&stream);
	return error;
}

struct error *gzip_inflate(struct text input, const char *path, size_t limit, void **ret_bytes,
			   size_t *ret_size)
{
	size_t size = stated_size(input, limit);
	struct growing out = {0};
	struct error *error;

	if (size && inflate_whole(input, size, ret_bytes)) {
		*ret_size = size;
		return NULL;
	}
	error = inflate_pieces(input, path, limit, &out);
	if (error) {
		free(out.bytes);
		return error;
	}
	*ret_bytes = out.bytes ? out.bytes : calloc(1, 1);
	*ret_size = out.used;
	return NULL;
}
