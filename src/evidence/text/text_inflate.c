// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/text_inflate.h"

#include "base/scan.h"

#include <glib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#define ZSTD_WINDOW_LOG 27 /* 128 MiB: what `zstd --long` needs and the default refuses beyond */
#define XZ_MEMORY_BYTES (128ull << 20) /* xz -9 needs 65 MiB */
#define GZIP_WINDOW     (15 + 16)      /* the largest, and the gzip format */

struct text_inflate {
	enum compression kind;
	z_stream gzip;
	ZSTD_DCtx *zstd;
	LZ4F_dctx *lz4;
	lzma_stream xz;
	bool between; /**< a member has ended and none has begun */
	bool failed;
};

struct text_inflate *text_inflate_new(enum compression kind)
{
	struct text_inflate *in = g_new0(struct text_inflate, 1);

	in->kind = kind;
	in->xz = (lzma_stream)LZMA_STREAM_INIT;
	if (kind == COMPRESSION_ZSTD) {
		in->zstd = ZSTD_createDCtx();
		ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
		in->failed = !in->zstd;
	} else if (kind == COMPRESSION_LZ4) {
		in->failed = LZ4F_isError(LZ4F_createDecompressionContext(&in->lz4, LZ4F_VERSION));
	} else if (kind == COMPRESSION_XZ) {
		in->failed =
			lzma_stream_decoder(&in->xz, XZ_MEMORY_BYTES, LZMA_CONCATENATED) != LZMA_OK;
	} else {
		in->failed = inflateInit2(&in->gzip, GZIP_WINDOW) != Z_OK;
	}
	return in;
}

void text_inflate_free(struct text_inflate *in)
{
	if (!in)
		return;
	if (in->kind == COMPRESSION_NONE)
		inflateEnd(&in->gzip);
	ZSTD_freeDCtx(in->zstd);
	LZ4F_freeDecompressionContext(in->lz4);
	lzma_end(&in->xz);
	g_free(in);
}

/* Behind the last member may stand zeros, as tar and tapes pad. */
static const char *run_gzip(struct text_inflate *in, struct text *from, char *ret, size_t size,
			    size_t *ret_n)
{
	z_stream *z = &in->gzip;
	int status;

	if (in->between) {
		while (from->n && from->p[0] == 0)
			scan_skip(from, 1);
		if (from->n == 0)
			return NULL;
		inflateReset(z);
		in->between = false;
	}
	z->next_in = (Bytef *)(uintptr_t)from->p;
	z->avail_in = (uInt)from->n;
	z->next_out = (Bytef *)ret;
	z->avail_out = (uInt)size;
	status = inflate(z, Z_NO_FLUSH);
	scan_skip(from, from->n - z->avail_in);
	*ret_n = size - z->avail_out;
	in->between = status == Z_STREAM_END;
	if (status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR)
		return NULL;
	return z->msg ? z->msg : "the data are damaged";
}

static const char *run_zstd(struct text_inflate *in, struct text *from, char *ret, size_t size,
			    size_t *ret_n)
{
	ZSTD_inBuffer input = {from->p, from->n, 0};
	ZSTD_outBuffer output = {ret, size, 0};
	size_t state = ZSTD_decompressStream(in->zstd, &output, &input);

	scan_skip(from, input.pos);
	*ret_n = output.pos;
	in->between = state == 0;
	return ZSTD_isError(state) ? ZSTD_getErrorName(state) : NULL;
}

static const char *run_lz4(struct text_inflate *in, struct text *from, char *ret, size_t size,
			   size_t *ret_n)
{
	size_t made = size, taken = from->n;
	size_t state = LZ4F_decompress(in->lz4, ret, &made, from->p, &taken, NULL);

	if (LZ4F_isError(state))
		return LZ4F_getErrorName(state);
	scan_skip(from, taken);
	*ret_n = made;
	in->between = state == 0;
	return NULL;
}

static const char *run_xz(struct text_inflate *in, struct text *from, bool last, char *ret,
			  size_t size, size_t *ret_n)
{
	lzma_ret state;

	in->xz.next_in = (const uint8_t *)from->p;
	in->xz.avail_in = from->n;
	in->xz.next_out = (uint8_t *)ret;
	in->xz.avail_out = size;
	state = lzma_code(&in->xz, last ? LZMA_FINISH : LZMA_RUN);
	scan_skip(from, from->n - in->xz.avail_in);
	*ret_n = size - in->xz.avail_out;
	in->between = state == LZMA_STREAM_END;
	if (state == LZMA_OK || state == LZMA_STREAM_END || state == LZMA_BUF_ERROR)
		return NULL;
	return state == LZMA_MEMLIMIT_ERROR ? "it asks for too much memory"
					    : "the data are damaged";
}

static const char *run(struct text_inflate *in, struct text *from, bool last, char *ret,
		       size_t size, size_t *ret_n)
{
	switch (in->kind) {
	case COMPRESSION_ZSTD:
		return run_zstd(in, from, ret, size, ret_n);
	case COMPRESSION_LZ4:
		return run_lz4(in, from, ret, size, ret_n);
	case COMPRESSION_XZ:
		return run_xz(in, from, last, ret, size, ret_n);
	default:
		return run_gzip(in, from, ret, size, ret_n);
	}
}

const char *text_inflate_run(struct text_inflate *in, struct text *from, bool last, char *ret,
			     size_t size, size_t *ret_n)
{
	const char *damage;

	*ret_n = 0;
	if (in->failed)
		return "it cannot go on";
	if (in->between && from->n == 0)
		return NULL;
	damage = run(in, from, last, ret, size, ret_n);
	in->failed = damage != NULL;
	if (!damage && last && *ret_n == 0 && !in->between)
		return "it ends early";
	return damage;
}
