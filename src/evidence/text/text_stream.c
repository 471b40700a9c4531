// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/text_stream.h"

#include "base/limits.h"
#include "base/scan.h"
#include "base/utf8_put.h"
#include "evidence/file/gzip.h"
#include "evidence/file/inflate.h"
#include "evidence/text/text_inflate.h"

#include <errno.h>
#include <glib.h>
#include <unistd.h>

#define LAYERS_MAX  4 /* of compression within each other */
#define HEAD_BYTES  64
#define INPUT_BYTES (128u << 10)

/** Bytes of one kind: what the file holds, or what one compression holds. */
struct layer {
	struct text_inflate *inflate; /**< NULL for the outermost */
	char *input;                  /**< of the layer below, not inflated yet */
	struct text left;             /**< what of it is left */
	char head[HEAD_BYTES];        /**< looked at, to tell what it is; given out first */
	size_t head_n, head_at;
};

enum charset { CHARSET_BYTES, CHARSET_UTF16_LITTLE, CHARSET_UTF16_BIG };

struct text_stream {
	const char *name;
	struct text text; /**< that comes first, */
	int fd;           /**< and then this; -1 when there is nothing more */
	struct layer layers[LAYERS_MAX + 1];
	unsigned count;
	enum charset charset;
	bool opened;
	char odd[8]; /**< the start of a character whose rest was not read yet */
	size_t odd_n;
	uint64_t inflated;
	const char *damage;
};

static struct text_stream *stream_new(int fd, struct text text, const char *name)
{
	struct text_stream *stream = g_new0(struct text_stream, 1);

	stream->fd = fd;
	stream->text = text;
	stream->name = name;
	return stream;
}

struct text_stream *text_stream_of_fd(struct text head, int fd, const char *name)
{
	return stream_new(fd, head, name);
}

struct text_stream *text_stream_of_text(struct text text, const char *name)
{
	return stream_new(-1, text, name);
}

void text_stream_close(struct text_stream *stream)
{
	for (unsigned i = 0; i <= stream->count; i++) {
		text_inflate_free(stream->layers[i].inflate);
		g_free(stream->layers[i].input);
	}
	g_free(stream);
}

const char *text_stream_damage(const struct text_stream *stream) { return stream->damage; }
bool text_stream_inflates(const struct text_stream *stream) { return stream->count > 0; }

static struct error *raw_read(struct text_stream *stream, char *ret, size_t size, size_t *ret_n)
{
	ssize_t n;

	if (stream->text.n || stream->fd < 0) {
		*ret_n = MIN(size, stream->text.n);
		if (*ret_n)
			memcpy(ret, stream->text.p, *ret_n);
		stream->text.p += *ret_n;
		stream->text.n -= *ret_n;
		return NULL;
	}
	do
		n = read(stream->fd, ret, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_system(errno, place_whole(stream->name), "cannot be read");
	*ret_n = (size_t)n;
	return NULL;
}

static struct error *layer_read(struct text_stream *stream, unsigned number, char *ret, size_t size,
				size_t *ret_n);

static struct error *inflate_read(struct text_stream *stream, unsigned number, char *ret,
				  size_t size, size_t *ret_n)
{
	struct layer *layer = &stream->layers[number];
	const char *damage = NULL;

	for (*ret_n = 0; *ret_n == 0;) {
		bool last;
		size_t n = layer->left.n;

		if (n == 0) {
			TRY(layer_read(stream, number - 1, layer->input, INPUT_BYTES, &n));
			layer->left = (struct text){layer->input, n};
		}
		last = n == 0;
		n = layer->left.n;
		damage = text_inflate_run(layer->inflate, &layer->left, last, ret, size, ret_n);
		if (!damage && *ret_n == 0 && n && layer->left.n == n)
			damage = "it goes nowhere";
		if (damage && !stream->damage)
			stream->damage = damage;
		if (damage || last)
			break;
	}
	return NULL;
}

static struct error *layer_read(struct text_stream *stream, unsigned number, char *ret, size_t size,
				size_t *ret_n)
{
	struct layer *layer = &stream->layers[number];

	if (layer->head_at < layer->head_n) {
		*ret_n = MIN(size, layer->head_n - layer->head_at);
		memcpy(ret, layer->head + layer->head_at, *ret_n);
		layer->head_at += *ret_n;
		return NULL;
	}
	if (number == 0)
		return raw_read(stream, ret, size, ret_n);
	return inflate_read(stream, number, ret, size, ret_n);
}

static struct error *head_fill(struct text_stream *stream, unsigned number)
{
	struct layer *layer = &stream->layers[number];
	size_t n = 1;

	while (n && layer->head_n < HEAD_BYTES) {
		char *to = layer->head + layer->head_n;

		layer->head_at = layer->head_n; // so that reading passes the head by
		TRY(layer_read(stream, number, to, HEAD_BYTES - layer->head_n, &n));
		layer->head_n += n;
	}
	layer->head_at = 0;
	return NULL;
}

/* Without a byte order mark: text of ASCII characters has every other byte zero. */
static enum charset charset_of(struct text head, size_t *ret_mark)
{
	size_t even = 0, odd = 0;

	*ret_mark = 2;
	if (head.n >= 2 && memcmp(head.p, "\xff\xfe", 2) == 0)
		return CHARSET_UTF16_LITTLE;
	if (head.n >= 2 && memcmp(head.p, "\xfe\xff", 2) == 0)
		return CHARSET_UTF16_BIG;
	*ret_mark = head.n >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	for (size_t i = 0; i + 1 < head.n; i += 2) {
		even += head.p[i] == 0;
		odd += head.p[i + 1] == 0;
	}
	if (head.n < 16 || (even && odd))
		return CHARSET_BYTES;
	if (odd >= head.n / 2 - 1)
		return CHARSET_UTF16_LITTLE;
	return even >= head.n / 2 - 1 ? CHARSET_UTF16_BIG : CHARSET_BYTES;
}

static struct error *stream_open(struct text_stream *stream)
{
	struct layer *layer = &stream->layers[0];
	enum compression kind;
	struct text head;
	size_t mark;

	stream->opened = true;
	for (;;) {
		TRY(head_fill(stream, stream->count));
		head = (struct text){layer->head, layer->head_n};
		kind = compression_recognise(head);
		if (kind == COMPRESSION_NONE && !gzip_recognise(head))
			break;
		if (stream->count == LAYERS_MAX)
			return error_new(ERROR_LIMIT, place_whole(stream->name),
					 "is compressed more than %u times over", LAYERS_MAX);
		layer = &stream->layers[++stream->count];
		layer->inflate = text_inflate_new(kind);
		layer->input = g_malloc(INPUT_BYTES);
	}
	stream->charset = charset_of(head, &mark);
	layer->head_at = mark;
	return NULL;
}

static struct error *bytes_read(struct text_stream *stream, char *ret, size_t size, size_t *ret_n)
{
	TRY(layer_read(stream, stream->count, ret, size, ret_n));
	if (stream->count == 0)
		return NULL;
	stream->inflated += *ret_n;
	if (stream->inflated > LIMIT_INFLATED_BYTES)
		return error_new(ERROR_LIMIT, place_whole(stream->name),
				 "inflates to more than %llu bytes", LIMIT_INFLATED_BYTES);
	return NULL;
}

/* UTF-16: as many whole characters as @a units holds, with pairs of surrogates as one. */

static unsigned unit_at(const struct text_stream *stream, const char *p)
{
	unsigned low = (uint8_t)p[stream->charset == CHARSET_UTF16_BIG], high;

	high = (uint8_t)p[stream->charset == CHARSET_UTF16_LITTLE];
	return high << 8 | low;
}

static size_t utf16_decode(struct text_stream *stream, struct text *units, bool last, char *ret)
{
	size_t n = 0;

	while (units->n >= 2) {
		unsigned unit = unit_at(stream, units->p), next;
		uint64_t rune = unit;

		if (unit >= 0xd800 && unit < 0xdc00) {
			if (units->n < 4 && !last)
				break;
			next = units->n < 4 ? 0 : unit_at(stream, units->p + 2);
			if (next >= 0xdc00 && next < 0xe000) {
				rune = 0x10000 + ((uint64_t)(unit - 0xd800) << 10) +
				       (next - 0xdc00);
				scan_skip(units, 2);
			}
		}
		scan_skip(units, 2);
		n += utf8_put(ret + n, rune);
	}
	return n;
}

#define UTF16_PIECE (16u << 10)

static struct error *utf16_read(struct text_stream *stream, char *ret, size_t size, size_t *ret_n)
{
	char piece[UTF16_PIECE];
	struct text units;
	size_t n = 1;

	// two bytes become three at most; a pair of surrogates, four bytes, becomes four
	for (*ret_n = 0; *ret_n == 0 && n;) {
		memcpy(piece, stream->odd, stream->odd_n);
		TRY(bytes_read(stream, piece + stream->odd_n,
			       MIN(sizeof(piece), size / 2) - stream->odd_n, &n));
		units = (struct text){piece, stream->odd_n + n};
		*ret_n = utf16_decode(stream, &units, n == 0, ret);
		stream->odd_n = n ? units.n : 0;
		memcpy(stream->odd, units.p, stream->odd_n);
	}
	return NULL;
}

struct error *text_stream_read(struct text_stream *stream, char *ret, size_t size, size_t *ret_n)
{
	if (!stream->opened)
		TRY(stream_open(stream));
	if (stream->charset != CHARSET_BYTES)
		return utf16_read(stream, ret, size, ret_n);
	return bytes_read(stream, ret, size, ret_n);
}
