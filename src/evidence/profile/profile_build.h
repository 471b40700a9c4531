// SPDX-License-Identifier: Apache-2.0
// A profile while it is being read: growing arrays, which profile_build_finish() puts into the
// profile.
#pragma once
#include "base/arena.h"
#include "evidence/profile/profile.h"

#include <glib.h>

struct profile_build {
	struct profile profile; /**< first: a struct profile is one of these */
	struct text bytes;      /**< what is read; inflated if it was compressed */
	void *inflated, *mapped;
	size_t mapped_size;
	struct arena *arena; /**< strings that do not stand in the bytes as they are */
	GArray *types, *samples, *values, *locations, *labels, *location, *line, *function,
		*mapping, *comments;
};

/** Reads protobuf from build->bytes. */
struct error *profile_read_wire(struct profile_build *build);
/** Reads one of the text forms from build->bytes. */
struct error *profile_read_text(struct profile_build *build);
/** True when @a text begins with the first line of a text form. */
bool profile_is_text(struct text text, enum profile_kind *ret_kind);
/** True when @a text begins as runtime/pprof or pprof begins a protobuf. */
bool profile_is_wire(struct text text);
