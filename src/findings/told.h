// SPDX-License-Identifier: Apache-2.0
// What a text is worth: the same suspects, argued from printed stacks and addresses alone.
#pragma once
#include "findings/suspect.h"

/** The tier of a write in progress as the text shows it; @a ret_same is set when the variable is the detector's. */
enum tier told_tier(const struct reasoning *reasoning, const struct map_call *call, bool *ret_same);
/** Which map that write was on, in words. */
const char *told_map(const struct reasoning *reasoning, const struct suspect *suspect);
/** Compares the map that its write is of with the detector's; may lower the tier. */
void told_relate(const struct reasoning *reasoning, struct suspect *suspect);
/** The write that speaks against it; NULL when none is known. */
const struct map_site *told_site(const struct suspect *suspect);
/** The witness of that. */
void told_relation(struct reasoning *reasoning, const struct suspect *suspect, struct side *side);
/** How sure a text can make it. */
enum confidence told_confidence(const struct reasoning *reasoning, const struct suspect *suspect);
/** What is to be said first of a text that holds too little. */
void told_caveat(struct reasoning *reasoning);
/** What the text lacks, and what would have brought it. */
void told_gaps(struct reasoning *reasoning);
