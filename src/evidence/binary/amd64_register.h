// SPDX-License-Identifier: Apache-2.0
// The processor's numbers of the sixteen general registers: rax 0, rcx 1, ... r15 15.
#pragma once
#include <stdint.h>

#define AMD64_REGISTER_NONE UINT8_MAX

/** The number behind a disassembler's name (x86_reg) of any size: eax, al and ah are rax; none for others. */
uint8_t amd64_register_number(unsigned name);
