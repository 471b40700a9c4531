// SPDX-License-Identifier: Apache-2.0
// What a person should know of a reproduction: where it had to stand in for what the report does not
// say, and what was tried.
#pragma once
#include "base/arena.h"

#define NOTES_MAX 64

struct notes {
	struct arena *arena;
	const char *lines[NOTES_MAX];
	size_t count;
};

/** Adds a sentence, once; beyond NOTES_MAX nothing is added. */
void notes_add(struct notes *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));
