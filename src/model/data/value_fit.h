// SPDX-License-Identifier: Apache-2.0
// Whether the bytes at some place can be a value of a type: how a stripped program tells its structs apart.
#pragma once
#include "model/process/program.h"

/**
 * False when something there cannot stand in a value of @a type: a pointer to nowhere, a bool of 7, a string that ends outside
 * memory, an interface without a type. True says only that nothing contradicts. What is not dumped contradicts.
 */
bool value_fits(struct program *program, const struct go_type *type, uint64_t address);
