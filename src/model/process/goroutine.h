// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/process/program.h"

/** Fills program->goroutines from runtime.allgs; threads must have been read. */
void goroutines_read(struct program *program);
