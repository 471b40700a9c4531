// SPDX-License-Identifier: Apache-2.0
// A process that is held still, as evidence.
#pragma once
#include "evidence/process/live.h"
#include "record/tracee.h"

/**
 * Reads what /proc and the registers of its stopped threads say; the tracee must stay stopped as long as the result
 * is used.
 * @param first  the thread that counts as the one that died; 0 for the main thread
 */
struct error *hold_evidence(struct tracee *tracee, pid_t first, struct live **ret);
