// SPDX-License-Identifier: Apache-2.0
// What adds to the findings of a map fatal, whatever the evidence is.
#pragma once
#include "findings/reasoning.h"

/** One rule a file; derive.c calls them in this order. */
void death_classify(struct reasoning *reasoning);
/** The side of a write to a nil map: @a panic is the frame of runtime.gopanic. */
void nil_map_describe(struct reasoning *reasoning, const struct goroutine *goroutine, size_t panic);
void conflict_identify(struct reasoning *reasoning);
void rank_parties(struct reasoning *reasoning);
void flags_tabulate(struct reasoning *reasoning);
/** The locks beside the map, as memory has them, and what they say of the parties. */
void lock_state_read(struct reasoning *reasoning);
void advice_give(struct reasoning *reasoning);
void sentence_write(struct reasoning *reasoning);
