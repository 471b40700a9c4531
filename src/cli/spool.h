// SPDX-License-Identifier: Apache-2.0
// Standard input and pipes as files that can be mapped: cores are read out of order.
#pragma once
#include "base/error.h"
#include "base/text.h"

/**
 * A path to what standard input holds: standard input itself when it is a regular file, else an
 * unlinked copy in $TMPDIR or /var/tmp, which lives until the program ends. Free with g_free().
 */
struct error *spool_standard_input(char **ret);
/** A FIFO, or a shell's <(command). */
bool spool_is_pipe(const char *path);
/** The same of a pipe; one that nobody writes to is empty, and is not waited for. */
struct error *spool_pipe(const char *path, char **ret);
/**
 * The first bytes of standard input, at most @a size, to see what it is. They are kept for
 * spool_standard_input(); whoever reads on instead takes them with spool_head().
 */
struct error *spool_peek(size_t size, struct text *ret);
/** What was read of standard input and is not in its file descriptor any more. */
struct text spool_head(void);
