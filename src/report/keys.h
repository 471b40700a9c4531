// SPDX-License-Identifier: Apache-2.0
// A map key as a person writes it. Only shown where values were asked for.
#pragma once
#include "model/process/program.h"

/** The key at @a address, "?" when it is not dumped; its type where its value has no short form. */
char *key_text(struct program *program, const struct go_type *type, uint64_t address);
