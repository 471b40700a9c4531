// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/process/program.h"

/**
 * Fills program->threads: the process's threads in its own order, each joined to its m through procid.
 */
void threads_read(struct program *program);
