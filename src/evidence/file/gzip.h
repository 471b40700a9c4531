// SPDX-License-Identifier: Apache-2.0
// gzip (RFC 1952), in which runtime/pprof packs its profiles. Knows nothing of what is inside.
#pragma once
#include "base/error.h"
#include "base/text.h"

bool gzip_recognise(struct text head);
/** The first bytes of what is packed, at most @a size of them; how many there are. */
size_t gzip_head(struct text head, char *ret, size_t size);
/**
 * All that is packed, one or more members. At once where the size that the file states can be
 * true and is within @a limit; else piece by piece, so that memory stays within twice @a limit.
 *
 * @param ret_bytes  free with free()
 * @return ERROR_TRUNCATED, ERROR_MALFORMED, or ERROR_LIMIT beyond @a limit
 */
struct error *gzip_inflate(struct text input, const char *path, size_t limit, void **ret_bytes,
			   size_t *ret_size);
