// SPDX-License-Identifier: Apache-2.0
// What a reproduction came to, next to the verdict that it was made from.
#pragma once
#include "reproduce/fix_trial.h"
#include "reproduce/notes.h"
#include "reproduce/trial.h"

enum outcome_status {
	OUTCOME_CONFIRMED,      /**< the same kind, the same operations at the same sites */
	OUTCOME_DIFFERS,        /**< it died, but not so */
	OUTCOME_NOT_REPRODUCED, /**< it did not die of a concurrent access */
};

struct outcome {
	enum outcome_status status;
	const char *directory;
	const char *go_version; /**< that it was built with */
	const char *side_from;  /**< "report", "candidate", "stand-in": the second side */
	struct trial trial;
	struct notes differences;
	struct notes tried;
	struct notes notes; /**< where something stands in for what the report does not say */
	struct fix_trials fixes;
};

const char *outcome_status_name(enum outcome_status status);
/** Fills status and differences from the trial. */
void outcome_compare(const struct verdict *verdict, const struct program_site sites[2],
		     struct outcome *outcome);
/** The value of the report's "reproduction". */
json_t *outcome_json(const struct outcome *outcome);
