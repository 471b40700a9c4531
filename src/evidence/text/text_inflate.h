// SPDX-License-Identifier: Apache-2.0
// One compressed stream taken apart piece by piece, of whatever kind; several members in a row as one.
#pragma once
#include "base/text.h"
#include "evidence/file/inflate.h"

struct text_inflate;

/** COMPRESSION_NONE stands for gzip. */
struct text_inflate *text_inflate_new(enum compression kind);
void text_inflate_free(struct text_inflate *inflate);
/**
 * Takes from @a from, which moves on, and writes up to @a size bytes.
 * @param last nothing comes after @a from
 * @return NULL, or why the stream cannot go on: what was written before is good
 */
const char *text_inflate_run(struct text_inflate *inflate, struct text *from, bool last, char *ret,
			     size_t size, size_t *ret_n);
