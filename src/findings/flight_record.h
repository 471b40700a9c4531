// SPDX-License-Identifier: Apache-2.0
// What the flight recorder says of the two sides.
#pragma once
#include "findings/reasoning.h"

/** The map whose check failed in the goroutine that noticed; false when that is not on record. */
bool flight_record_map(const struct reasoning *reasoning, uint64_t *ret);
/** Names the other side when the record shows who it was; false, and perhaps a gap, when it does not. */
bool flight_record_names(struct reasoning *reasoning);
/** Who made the map and who grew it last, where that was recorded. */
void flight_record_births(struct reasoning *reasoning);
/** Who last read the map, and who last wrote it: facts, and no blame. */
void flight_record_uses(struct reasoning *reasoning);
