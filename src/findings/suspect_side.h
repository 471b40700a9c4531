// SPDX-License-Identifier: Apache-2.0
// A suspect in the words of the report: each thing that speaks for or against it is a witness.
#pragma once
#include "findings/suspect.h"

/** The party as the report shows it, with its witnesses. */
struct side suspect_side(struct reasoning *reasoning, const struct suspect *suspect,
			 enum side_role role, enum confidence confidence);
/** The witnesses that profiles bring for or against a write. */
void tell_profile(struct reasoning *reasoning, const struct map_site_profile *profile,
		  struct side *side);
/** "the field that holds this map" ...: what a write is of. */
const char *suspect_match_words(enum site_match match);
