// SPDX-License-Identifier: Apache-2.0
#include "findings/findings.h"

#include <glib.h>

static const char *const confidence_names[] = {
	[CONFIDENCE_UNKNOWN] = "unknown",
	[CONFIDENCE_POSSIBLE] = "possible",
	[CONFIDENCE_LIKELY] = "likely",
	[CONFIDENCE_PROVEN] = "proven",
};

const char *confidence_name(enum confidence confidence) { return confidence_names[confidence]; }

void findings_free(struct findings *findings)
{
	if (!findings)
		return;
	arena_free(findings->arena);
	g_free(findings);
}
