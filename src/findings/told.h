// SPDX-License-Identifier: Apache-2.0
// What a text is worth: the same suspects, argued from printed stacks and addresses alone.
#pragma once
#include "findings/suspect.h"

#define TOLD_FRAMES_COMPARED 12u /* of each stack: what shares an object is near the map's use */

/** The tier of a write in progress as the text shows it; @a ret_same is set when the variable is the detector's. */
enum tier told_tier(const struct reasoning *reasoning, const struct map_call *call, bool *ret_same);
/** Which map that write was on, in words. */
const char *told_map(const struct reasoning *reasoning, const struct suspect *suspect);
/** Compares the map that its write is of with the detector's; may lower the tier. */
void told_relate(const struct reasoning *reasoning, struct write_reach *reach,
		 struct suspect *suspect);
/** The write that speaks against it; NULL when none is known. */
const struct map_site *told_site(const struct suspect *suspect);
/** Without a binary: what names, arguments and states say of a goroutine that was in no map operation. */
void told_by_names(const struct reasoning *reasoning, struct suspect *suspect);
/** Its witness; false when the suspicion is another. */
bool told_names(struct reasoning *reasoning, const struct suspect *suspect, struct side *side);
/** Both are methods of one type. */
bool told_same_receiver(const char *a, const char *b);
/** Methods of one type on both stacks: are they of the same object? */
enum path_relation told_by_receivers(const struct reasoning *reasoning, const struct goroutine *a,
				     const struct goroutine *b);
/**
 * A text says what its goroutines had in hand, not which of those that stood at one place it was: they are one candidate.
 * True when one like @a suspect is among the candidates.
 */
bool told_listed(const struct reasoning *reasoning, const struct suspect *suspect);
/** The witness of how many more stood there than the suspect at @a index, whose side is @a side. */
void told_crowd(struct reasoning *reasoning, const GArray *suspects, guint index,
		struct side *side);
/** The witness of that. */
void told_relation(struct reasoning *reasoning, const struct suspect *suspect, struct side *side);
/** How sure a text can make it. */
enum confidence told_confidence(const struct reasoning *reasoning, const struct suspect *suspect);
/** What is to be said first of a text that holds too little. */
void told_caveat(struct reasoning *reasoning);
/** What the text lacks, and what would have brought it. */
void told_gaps(struct reasoning *reasoning);
