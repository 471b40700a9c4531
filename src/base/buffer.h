// SPDX-License-Identifier: Apache-2.0
// Bytes that are put together anew again and again: keeps its room, and gives it without a call.
#pragma once
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

struct buffer {
	char *p;
	size_t n, room;
};

/** Room for @a n bytes more, at the end; what stands there is not set. */
static inline char *buffer_extend(struct buffer *buffer, size_t n)
{
	if (buffer->room - buffer->n < n) {
		buffer->room = 2 * (buffer->n + n);
		buffer->p = realloc(buffer->p, buffer->room);
		if (!buffer->p)
			memory_exhausted();
	}
	buffer->n += n;
	return buffer->p + buffer->n - n;
}

static inline void buffer_done(struct buffer *buffer) { free(buffer->p); }
