// SPDX-License-Identifier: Apache-2.0
// Which methods stand where in the program's itabs: what a call through an interface may run. Only types that the
// program really turns into an interface have one.
#pragma once
#include "model/process/program.h"

/** A method, and the byte of an itab that holds its address. */
struct itab_slot {
	uint64_t entry;
	int64_t offset;
};

struct itabs;

/** Reads the itabs that the linker laid out, and those that were made at run time where they are found. */
struct itabs *itabs_new(struct program *program);
void itabs_free(struct itabs *itabs);
/** The slots that hold @a entry, each once; their number goes to @a ret_count. */
const struct itab_slot *itabs_slots_of(const struct itabs *itabs, uint64_t entry,
				       size_t *ret_count);
/** True when a word @a offset bytes into an itab is a method. */
bool itabs_is_method(const struct itabs *itabs, int64_t offset);
