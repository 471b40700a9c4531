// SPDX-License-Identifier: Apache-2.0
#include "evidence/file/inflate.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <unistd.h>
#include <zstd.h>

#define PIECE_BYTES     (1u << 20)
#define HOLE_BYTES      (16u << 10)
#define ZSTD_WINDOW_LOG 27 /* 128 MiB: what `zstd --long` needs and the default refuses beyond */
#define XZ_MEMORY_BYTES (256ull << 20) /* xz -9 needs 65 MiB */

struct inflater {
	struct text input; // what is left
	const char *path;
	int file;
	uint64_t limit, written;
	uint8_t *piece;
	bool clipped; // the stream gave more than the limit
};

static const struct {
	const char *name;
	struct text magic;
} kinds[] = {
	[COMPRESSION_NONE] = {"", {"", 0}},
	[COMPRESSION_ZSTD] = {"zstd", {"\x28\xb5\x2f\xfd", 4}},     // RFC 8878 §3.1.1
	[COMPRESSION_LZ4] = {"lz4", {"\x04\x22\x4d\x18", 4}},       // lz4 frame format 1.6
	[COMPRESSION_XZ] = {"xz", {"\xfd\x37\x7a\x58\x5a\x00", 6}}, // .xz format 1.0
};

enum compression compression_recognise(struct text head)
{
	for (size_t i = COMPRESSION_NONE + 1; i < G_N_ELEMENTS(kinds); i++)
		if (head.n >= kinds[i].magic.n &&
		    memcmp(head.p, kinds[i].magic.p, kinds[i].magic.n) == 0)
			return (enum compression)i;
	return COMPRESSION_NONE;
}

const char *compression_name(enum compression compression) { return kinds[compression].name; }

struct error *temporary_file(int *ret_file)
{
	const char *folder = getenv("TMPDIR");
	g_autofree char *path = NULL;
	int file;

	if (!folder || !*folder)
		folder = "/var/tmp"; // as large as the disk, where /tmp may be memory
	file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (file < 0) { // a filesystem without unnamed files
		path = g_build_filename(folder, "mapfault-XXXXXX", NULL);
		file = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
		if (file >= 0)
			unlink(path);
	}
	if (file < 0)
		return error_with_hint(
			error_system(errno, place_whole(folder), "cannot make a temporary file"),
			"set TMPDIR to a folder that can be written");
	*ret_file = file;
	return NULL;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static struct error *write_at(const struct inflater *in, const uint8_t *bytes, size_t size,
			      uint64_t offset)
{
	while (size) {
		ssize_t n = pwrite(in->file, bytes, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_with_hint(
				error_system(n ? errno : ENOSPC, place_whole(in->path),
					     "cannot write the inflated core"),
				"set TMPDIR to a folder with room for the whole core");
		bytes += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return NULL;
}

/** Writes the first @a size bytes of the piece, clipped to the limit. */
static struct error *put(struct inflater *in, size_t size)
{
	in->clipped |= size > in->limit - in->written;
	size = MIN(size, in->limit - in->written);
	for (size_t done = 0; done < size;) {
		size_t n = MIN(HOLE_BYTES, size - done);

		if (!all_zero(in->piece + done, n))
			TRY(write_at(in, in->piece + done, n, in->written + done));
		done += n;
	}
	in->written += size;
	return NULL;
}

static struct error *damaged(const struct inflater *in, struct text whole, const char *why)
{
	return error_new(ERROR_MALFORMED,
			 (struct place){in->path, (uint64_t)(in->input.p - whole.p)},
			 "the compressed stream is damaged after %llu inflated bytes: %s",
			 (unsigned long long)in->written, why);
}

static struct error *run_zstd(struct inflater *in, bool *ret_ended)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer from = {in->input.p, in->input.n, 0};
	struct text whole = in->input;
	struct error *error = NULL;
	size_t state = 1;

	ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
	while (!error && in->written < in->limit) {
		ZSTD_outBuffer to = {in->piece, PIECE_BYTES, 0};
		size_t before = from.pos;

		if (state == 0 && from.pos == from.size)
			break; // the last of one or more frames is complete
		state = ZSTD_decompressStream(stream, &to, &from);
		in->input = (struct text){whole.p + from.pos, whole.n - from.pos};
		if (ZSTD_isError(state))
			error = damaged(in, whole, ZSTD_getErrorName(state));
		else
			error = put(in, to.pos);
		if (to.pos == 0 && from.pos == before)
			break; // no more input, nothing more to give
	}
	*ret_ended = state == 0 && from.pos == from.size;
	ZSTD_freeDStream(stream);
	return error;
}

static struct error *run_lz4(struct inflater *in, bool *ret_ended)
{
	LZ4F_dctx *stream = NULL;
	struct text whole = in->input;
	struct error *error = NULL;
	size_t state = 1;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&stream, LZ4F_VERSION)))
		return error_new(ERROR_SYSTEM, place_whole(in->path), "out of memory");
	while (!error && in->written < in->limit) {
		size_t made = PIECE_BYTES, taken = in->input.n;

		if (state == 0 && in->input.n == 0)
			break;
		state = LZ4F_decompress(stream, in->piece, &made, in->input.p, &taken, NULL);
		if (LZ4F_isError(state)) {
			error = damaged(in, whole, LZ4F_getErrorName(state));
			break;
		}
		in->input = (struct text){in->input.p + taken, in->input.n - taken};
		error = put(in, made);
		if (made == 0 && taken == 0)
			break;
	}
	*ret_ended = state == 0 && in->input.n == 0;
	LZ4F_freeDecompressionContext(stream);
	return error;
}

static const char *xz_failure(lzma_ret state)
{
	switch (state) {
	case LZMA_OK:
	case LZMA_STREAM_END:
	case LZMA_BUF_ERROR:
		return NULL; // the last: no more input
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return "it asks for too much memory";
	case LZMA_OPTIONS_ERROR:
		return "it uses an option that liblzma does not know";
	default:
		return "data do not agree with their check sum or format";
	}
}

static struct error *run_xz(struct inflater *in, bool *ret_ended)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	struct text whole = in->input;
	struct error *error = NULL;
	lzma_ret state = lzma_stream_decoder(&stream, XZ_MEMORY_BYTES, LZMA_CONCATENATED);

	stream.next_in = (const uint8_t *)whole.p;
	stream.avail_in = whole.n;
	while (!error && state == LZMA_OK && in->written < in->limit) {
		stream.next_out = in->piece;
		stream.avail_out = PIECE_BYTES;
		state = lzma_code(&stream, LZMA_FINISH);
		in->input = (struct text){(const char *)stream.next_in, stream.avail_in};
		error = put(in, PIECE_BYTES - stream.avail_out);
	}
	if (!error && xz_failure(state))
		error = damaged(in, whole, xz_failure(state));
	*ret_ended = state == LZMA_STREAM_END;
	lzma_end(&stream);
	return error;
}

static struct error *(*const runs[])(struct inflater *, bool *) = {
	[COMPRESSION_ZSTD] = run_zstd,
	[COMPRESSION_LZ4] = run_lz4,
	[COMPRESSION_XZ] = run_xz,
};

struct error *inflate_stream(enum compression compression, struct text input, const char *path,
			     int file, uint64_t limit, struct inflated *ret)
{
	g_autofree uint8_t *piece = g_malloc(PIECE_BYTES);
	struct inflater in = {input, path, file, limit, 0, piece, false};
	bool ended = false;

	TRY(runs[compression](&in, &ended));
	if (ftruncate(file, (off_t)in.written)) // a hole at the end has no bytes of its own
		return error_system(errno, place_whole(path), "cannot size the inflated core");
	*ret = (struct inflated){in.written, !ended || in.clipped};
	return NULL;
}
