// SPDX-License-Identifier: Apache-2.0
// Takes a program's own lines out of what log systems wrapped them in: containers' JSON and CRI,
// journald, syslog, kubectl, JSON and logfmt records, times, quotes, and prefixes of unknown form. Finds
// out by itself how a text is wrapped: at the first line that begins a dump once it is unwrapped.
#pragma once
#include "base/text.h"

struct unmangle;

/** What a line of a dump would be when it stood alone; unmangle.c needs no more of dumps. */
typedef bool unmangle_begins(struct text line);
/**
 * Takes a line that was unwrapped.
 * @param source who wrote it; "" when the log does not say
 * @return false when it belongs to no dump: it may be wrapped in another way
 */
typedef bool unmangle_take(struct text line, struct text source, void *context);

/** @a limit: bytes to which lines that the log cut into parts are joined. */
struct unmangle *unmangle_new(unmangle_begins *begins, unmangle_take *take, void *context,
			      size_t limit);
void unmangle_free(struct unmangle *unmangle);
/**
 * @param line one that was offered as it is and refused, while lines are plain
 * @return false when nothing of it belongs to a dump
 */
bool unmangle_line(struct unmangle *unmangle, struct text line);
/** Hands over what waits for its other part. */
void unmangle_end(struct unmangle *unmangle);
/** True while lines are taken as they are. */
bool unmangle_is_plain(const struct unmangle *unmangle);
