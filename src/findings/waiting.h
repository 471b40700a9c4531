// SPDX-License-Identifier: Apache-2.0
// What those who wait have to do with the map that was raced on.
#pragma once
#include "findings/reasoning.h"

/**
 * Finds what all goroutines wait for, and who walks maps; of crowds at a lock, after the parties are ranked, what their
 * code does with such a map once they have it, and which party takes no lock at all.
 */
void waiting_weigh(struct reasoning *reasoning);
