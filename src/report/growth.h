// SPDX-License-Identifier: Apache-2.0
// Growth of maps over a series of heap profiles, as a screen with charts or as one JSON document
// (schema/growth.schema.json).
#pragma once
#include "findings/growth.h"
#include "report/report.h"

#define GROWTH_SCHEMA      "mapfault.growth/1"
#define GROWTH_SITES_SHOWN 8

/** @a all: every site, not only the GROWTH_SITES_SHOWN gravest. */
void report_growth_text(const struct growth *growth, bool all, const struct report_style *style,
			FILE *out);
void report_growth_json(const struct growth *growth, FILE *out);
