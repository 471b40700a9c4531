// SPDX-License-Identifier: Apache-2.0
// Memory of one owner, freed at once. Running out of memory ends the program: nothing here is asked
// for a size that foreign bytes state before that size was compared with base/limits.h.
#pragma once
#include "base/text.h"

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);

/** @a size zeroed bytes, aligned for any type; live until the arena is freed. */
void *arena_take(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));
/** An array of @a count zeroed objects of @a size bytes. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));
/** A copy of @a size bytes. */
void *arena_copy(struct arena *arena, const void *bytes, size_t size)
	__attribute__((returns_nonnull));
/** A NUL-terminated copy. */
char *arena_string(struct arena *arena, struct text text) __attribute__((returns_nonnull));
/** A formatted NUL-terminated string. */
char *arena_format(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));

static inline void arena_free_at(struct arena **arena) { arena_free(*arena); }
