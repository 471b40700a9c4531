// SPDX-License-Identifier: Apache-2.0
// The examination of one goroutine: the operation it stands in, what its dead stack shows, and the ways from its frames
// to writes of the map.
#pragma once
#include "findings/suspect.h"
#include "model/data/reachability.h"

#include <glib.h>

/** What the examination of all goroutines shares. */
struct inquiry {
	struct reasoning *reasoning;
	struct write_reach *reach;
	struct map_profile *profile;       /**< NULL without profiles */
	struct reachability *reachability; /**< NULL when the map's address is not known */
	GHashTable *ended; /**< start PCs of goroutines that have ended and were looked at */
	unsigned aims;     /**< that were followed so far */
};

/** Everything that the program shows of the goroutine; tier TIER_NONE when nothing does. */
struct suspect suspect_examine(struct inquiry *inquiry, uint32_t goroutine);
/** Follows its ways to writes with what its frames hold, and takes the likeliest; bounded over the whole inquiry. */
void suspect_aim(struct inquiry *inquiry, struct suspect *suspect);
