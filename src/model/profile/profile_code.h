// SPDX-License-Identifier: Apache-2.0
// A profile next to the program that it came from: what each location is, and what was called
// there. Profiles hide the runtime's own frames where memory was allocated (runtime/pprof/
// protomem.go:31-51@1.26.8), and with them whether it was for a map; but the frame that is left
// stands on the call, and the code there says which runtime function it calls, with which type.
#pragma once
#include "evidence/profile/profile.h"
#include "model/process/program.h"

struct profile_code;

/** What a call on a stack does with a map. */
struct map_use {
	/** Innermost function of the runtime's (or reflect's) map code that is known; NULL: none */
	const char *function;
	enum map_operation operation; /**< of the outermost: MAP_MAKE, MAP_ASSIGN, MAP_CLONE ... */
	const struct go_type *type;   /**< of the map; NULL when not known */
};

/**
 * Puts them side by side. Both are borrowed; @a program may be NULL: then names are those of the
 * profile, and what it hides stays hidden.
 *
 * @param force  go on although they do not belong together
 * @return ERROR_MISMATCH when build IDs differ, or when the names that the profile has for its
 * addresses are not those of the program
 */
struct error *profile_code_open(const struct profile *profile, struct program *program, bool force,
				struct profile_code **ret);
void profile_code_close(struct profile_code *code);

/** What was compared: "build ID", "names at N addresses", "" when nothing could be. */
const char *profile_code_checked(const struct profile_code *code);

/**
 * The frames of a sample, innermost first, inlined ones opened; live until the next call. Sites'
 * pc is the location's address in the profile. Names live as long as the profile and the program.
 */
const struct go_site *profile_stack(struct profile_code *code, const struct profile_sample *sample,
				    size_t *ret_count);
/** Where the call of the sample's location at @a index returns to, in the program. */
uint64_t profile_return_pc(const struct profile_code *code, const struct profile_sample *sample,
			   uint32_t index);
/** Where a sample's memory was asked for. Sites live as long as the code. */
struct profile_origin {
	const struct go_site *innermost; /**< NULL for an empty stack */
	const struct go_site
		*library;           /**< innermost outside the runtime; NULL when there is none */
	const struct go_site *user; /**< innermost outside the standard library; likewise */
	struct map_use use;         /**< also through reflect */
};

struct profile_origin profile_origin(struct profile_code *code,
				     const struct profile_sample *sample);
/** True when the runtime's frames are hidden and no program tells what they were. */
bool profile_hides_maps(const struct profile_code *code);
