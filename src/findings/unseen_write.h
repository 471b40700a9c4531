// SPDX-License-Identifier: Apache-2.0
// Who wrote may be gone from the map's code by the time anything is frozen or printed; the line that wrote is still in
// the program. These are candidates without a goroutine.
#pragma once
#include "findings/suspect_examine.h"

/**
 * Adds the writes of this map that the code has and that no suspect was seen near, best first: of the very variable or
 * field before the first of @a suspects that is no better than "may get to some map of this type", and, where the code
 * names no such write, those of such a map after all suspects. Up to @a room candidates in all.
 */
void unseen_writes_list(struct inquiry *inquiry, const GArray *suspects, size_t room);
