// SPDX-License-Identifier: Apache-2.0
// A core file of a process that stands still, as the kernel would have written it at its death.
#pragma once
#include "record/tracee.h"

#include <stdio.h>

/**
 * @param first  the thread that the core is to show first
 * @param signal  that the process is about to die of, for its notes
 */
struct error *core_write(struct tracee *tracee, pid_t first, int signal, FILE *out);
