// SPDX-License-Identifier: Apache-2.0
// The runtime's packed tables of "from this PC on, the value is ...": lines, files, frame sizes,
// pcdata.
#pragma once
#include "evidence/binary/pclntab_format.h"

/**
 * The value at @a offset bytes from the start of a function (step, runtime/symtab.go:1285@go1.26.8;
 * the same since 1.9). False when the table ends before, or is malformed.
 *
 * @param table  from the function's first pair on, to the end of all tables
 * @param quantum  bytes that a PC step of one stands for
 */
bool pcvalue_at(struct span table, uint8_t quantum, uint64_t offset, int32_t *ret);
