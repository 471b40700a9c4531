// SPDX-License-Identifier: Apache-2.0
// Built on glibc's obstack, whose growth and alignment rules are just what is wanted.
#include "base/arena.h"

#include "base/error.h"

#include <obstack.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define obstack_chunk_alloc chunk_alloc
#define obstack_chunk_free  free
#define CHUNK_BYTES         (64 * 1024)

struct arena {
	struct obstack obstack;
};

static void *chunk_alloc(size_t size)
{
	void *chunk = malloc(size);

	if (!chunk)
		memory_exhausted();
	return chunk;
}

struct arena *arena_new(void)
{
	struct arena *arena = chunk_alloc(sizeof(*arena));

	obstack_begin(&arena->obstack, CHUNK_BYTES);
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	obstack_free(&arena->obstack, NULL);
	free(arena);
}

/* glibc's obstack macros align a pointer by its distance from a null pointer, which clang's sanitizer
 * takes for a fault (obstack.h, __PTR_ALIGN). */
#define OBSTACK_USER __attribute__((no_sanitize("pointer-overflow")))

OBSTACK_USER void *arena_take(struct arena *arena, size_t size)
{
	return memset(obstack_alloc(&arena->obstack, size ? size : 1), 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		abort(); // a caller skipped base/limits.h: our own bug
	return arena_take(arena, count * size);
}

OBSTACK_USER void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	return size ? obstack_copy(&arena->obstack, bytes, size) : arena_take(arena, 0);
}

char *arena_string(struct arena *arena, struct text text)
{
	char *copy = arena_take(arena, text.n + 1);

	if (text.n)
		memcpy(copy, text.p, text.n);
	return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	va_list arguments, again;
	char *text;
	int n;

	va_start(arguments, format);
	va_copy(again, arguments);
	n = vsnprintf(NULL, 0, format, arguments);
	text = arena_take(arena, n < 0 ? 1 : (size_t)n + 1);
	if (n > 0)
		vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	va_end(arguments);
	return text;
}
