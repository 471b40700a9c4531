// SPDX-License-Identifier: Apache-2.0
// A printed goroutine in the model's terms, as far as the words alone say it. With a binary, model/printout_frame.h
// says more of its frames.
#pragma once
#include "evidence/text/dump.h"
#include "model/process/program.h"

#define NS_PER_MINUTE 60000000000ll
/** The status of a goroutine whose header says none: profiles in words have no headers, and races no states. */
#define STATUS_UNKNOWN UINT32_MAX

/**
 * All of it but its stack and who created it.
 * @param arena holds all that it points to, beside the dump
 */
struct goroutine printout_goroutine(const struct dump *dump, size_t index, struct arena *arena);
/** The runtime's own, by the function that the stack began with; false when that was not printed. */
bool printout_is_system(const struct dump *dump, const struct dump_group *group);
/** The place of a printed frame; its PC only where that is part of it. */
struct go_site printout_site(const struct dump_frame *frame, struct arena *arena);
/** Why frames of the stack are missing; NULL when none are. */
const char *printout_broken(const struct dump_group *group);
