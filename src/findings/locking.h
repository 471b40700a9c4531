// SPDX-License-Identifier: Apache-2.0
// Do both sides take locks? Then each may well be guarded against the other, and a third party is the one to look for.
#pragma once
#include "findings/suspect.h"

/**
 * Both the detector's code and the suspect's call into sync.Mutex or sync.RWMutex: in the functions that they stand in,
 * a few calls up, or in the function of the write.
 */
bool both_take_locks(const struct reasoning *reasoning, const struct suspect *suspect);
