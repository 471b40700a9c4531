// SPDX-License-Identifier: Apache-2.0
// Who is left when nobody else can have done it. A trace in dead stack tells no time: it may be of a write under a lock
// that the code does not show, of one from before the map was shared, or of who had the stack before. So it accuses
// nobody for sure; that no other goroutine and no other line can have written the map does.
#pragma once
#include "findings/suspect_examine.h"

/**
 * The one suspect that can have written the map since the detector's goroutine was started, all on one line: every line
 * of the program that may be a write of it was looked at, and all goroutines that can have run it are there to be seen.
 * @param suspects of struct suspect
 * @return its index; suspects->len when there are others, or the code does not tell
 */
guint alone_find(struct inquiry *inquiry, const GArray *suspects, const struct map_site **ret);
