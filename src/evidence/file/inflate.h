// SPDX-License-Identifier: Apache-2.0
// Compressed cores, as systemd-coredump (zstd, lz4, xz) and people keep them: recognised by their
// first bytes and inflated piece by piece into a file. Knows nothing of what is inside.
#pragma once
#include "base/error.h"
#include "base/text.h"

enum compression { COMPRESSION_NONE, COMPRESSION_ZSTD, COMPRESSION_LZ4, COMPRESSION_XZ };

enum compression compression_recognise(struct text head);
/** "", "zstd", "lz4" or "xz". */
const char *compression_name(enum compression compression);

struct inflated {
	uint64_t size;
	bool cut; /**< the stream, or @a limit, ended before the contents did */
};

/**
 * Inflates @a input into @a file from offset 0; blocks of zeros become holes. Memory stays bounded
 * whatever the stream asks for. A stream that ends early keeps what it gave and counts as cut.
 *
 * @param path  of the input, for errors
 * @param limit bytes to write at most
 * @return ERROR_MALFORMED when the stream is damaged, ERROR_SYSTEM when the file cannot be written
 */
struct error *inflate_stream(enum compression compression, struct text input, const char *path,
			     int file, uint64_t limit, struct inflated *ret);

/** An empty file without a name, in $TMPDIR or else /var/tmp; gone when it is closed. */
struct error *temporary_file(int *ret_file);
