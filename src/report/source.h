// SPDX-License-Identifier: Apache-2.0
// Quotes a line of source where the file is at hand. The evidence names the file, so only regular
// files that end in .go are opened, and no path that climbs with "..".
#pragma once

/**
 * The line, without its newline; NULL when the file or the line is not there.
 * @param root  tried with ever shorter tails of @a file below it; NULL for the file's own path
 * alone
 */
char *source_line(const char *file, int line, const char *root);
