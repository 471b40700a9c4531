// SPDX-License-Identifier: Apache-2.0
// Ctrl-C while others' programs run: noted, so that they are ended and half-made folders removed before
// mapfault itself ends.
#pragma once
#include "base/error.h"

/** From now on SIGINT, SIGTERM and SIGHUP are noted instead of ending the process. */
void interrupt_watch(void);
/** An error once one of them has come. */
struct error *interrupt_check(void);
