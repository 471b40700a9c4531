// SPDX-License-Identifier: Apache-2.0
// The race detector's word: it saw two goroutines at the same memory with nothing between to order them.
#pragma once
#include "findings/reasoning.h"

/** A text whose subject is a race: says which map, and names both sides where it is one. */
void race_report_describe(struct reasoning *reasoning);
/** A map fatal in whose log races were reported as well: those on its map speak for a writer. After the ranking. */
void race_report_weigh(struct reasoning *reasoning);
