// SPDX-License-Identifier: Apache-2.0
// Where a program raises its fatal errors.
#pragma once
#include "cli/gather.h"
#include "record/fatal_stop.h"

/** Finds them in the binary of a process, through its function table; ERROR_NOT_GO when it has none. */
struct error *fatal_entries(struct gathered *gathered, struct fatal_stop *ret);
