// SPDX-License-Identifier: Apache-2.0
// Which map a piece of code works on, where there is no memory to read: as a path that begins at a variable of the
// program, at an address in the code, or at an address that was printed.
#pragma once
#include "model/stack/map_call.h"

/**
 * The path to the map that @a goroutine's frame @a index hands to @a site, which is in that frame's function: "@52a0+8".
 * Equal paths lead to the same map, unless it was replaced meanwhile. Paths that begin at an address and differ there
 * alone lead to different objects.
 * @return NULL when neither code nor text tells; else lives as long as the program
 */
const char *printout_map_path(struct program *program, const struct goroutine *goroutine,
			      size_t index, const struct map_site *site);

/** The same for argument word @a word of the function in that frame. */
const char *printout_argument_path(struct program *program, const struct goroutine *goroutine,
				   size_t index, int word);

enum path_relation { PATH_UNKNOWN, PATH_SAME, PATH_OTHER };
/** Both may be NULL. */
enum path_relation printout_path_compare(const char *a, const char *b);
