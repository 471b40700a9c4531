// SPDX-License-Identifier: Apache-2.0
// A series of values as one line of blocks, as wide as there is room.
#pragma once
#include <stdbool.h>
#include <stddef.h>

/** True when the locale writes UTF-8: else charts are drawn in ASCII. */
bool chart_utf8(void);
/**
 * One character a column: "▁▃▇█", or " .:-=+*#@" in ASCII; the highest value is full, 0 is empty.
 * With more values than columns the highest of each column's; with fewer, a value may take several.
 * Free with g_free().
 */
char *chart_line(const double *values, size_t count, size_t columns, bool utf8);
/** The column that value @a index of @a count falls into. */
size_t chart_column(size_t index, size_t count, size_t columns);
/** How many of @a room columns a chart of @a count values takes. */
size_t chart_width(size_t count, size_t room);
