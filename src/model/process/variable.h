// SPDX-License-Identifier: Apache-2.0
// Where the runtime keeps its own: allgs, allm, mheap_ ...
#pragma once
#include "model/process/program.h"

/** A runtime variable's address, by symbol, DWARF, or the code that uses it; 0 when not found. */
uint64_t program_runtime_variable(struct program *program, const char *name);
