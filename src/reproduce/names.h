// SPDX-License-Identifier: Apache-2.0
// Identifiers of the generated program. What comes from a report becomes a sound, unused identifier
// or nothing of it is written.
#pragma once
#include "base/arena.h"

struct names;

/** Go's keywords, predeclared names and the template's own are taken. */
struct names *names_new(struct arena *arena);
void names_free(struct names *names);
static inline void names_free_at(struct names **names) { names_free(*names); }

/** @a wanted, made an identifier and, where it is taken, followed by a number; now taken. */
const char *names_take(struct names *names, const char *wanted);
/** The same for a type: none that a local name of the templates hides, either. */
const char *names_take_type(struct names *names, const char *wanted);
/** @a wanted made an identifier that is no keyword; for fields and methods, which clash with none. */
const char *names_member(struct names *names, const char *wanted);
