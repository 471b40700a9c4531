// SPDX-License-Identifier: Apache-2.0
// The one thing in which composed Go code would differ from gofmt's: struct types that it gives lines of their own.
#pragma once
#include "base/arena.h"

/** Structs of several fields, or of a long one, as gofmt writes them; @a code has each on one line, "struct{ a int; b T }". */
const char *gofmt_structs(struct arena *arena, const char *code);
