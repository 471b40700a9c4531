// SPDX-License-Identifier: Apache-2.0
// A file, a pipe or a buffer as text, read once from start to end in bounded memory: inflated if it is
// compressed (gzip, zstd, xz, lz4, also within each other), and UTF-16 turned into UTF-8.
#pragma once
#include "base/error.h"
#include "base/text.h"

struct text_stream;

/** What was read of @a fd already, then the rest of it. Both are borrowed; @a name is for errors. */
struct text_stream *text_stream_of_fd(struct text head, int fd, const char *name);
struct text_stream *text_stream_of_text(struct text text, const char *name);
void text_stream_close(struct text_stream *stream);

/**
 * Up to @a size bytes; 0 at the end.
 * @return ERROR_SYSTEM when reading fails, ERROR_LIMIT when it inflates beyond all measure. A damaged or
 *         cut stream just ends: see text_stream_damage().
 */
struct error *text_stream_read(struct text_stream *stream, char *ret, size_t size, size_t *ret_n);
/** Why a compressed stream ended early; NULL when it did not. */
const char *text_stream_damage(const struct text_stream *stream);
/** True when what is read was compressed. */
bool text_stream_inflates(const struct text_stream *stream);
