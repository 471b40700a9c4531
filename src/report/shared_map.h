// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "findings/shared_map.h"
#include "report/report.h"

#define SHARED_SCHEMA "mapfault.shared/1"

void report_shared_text(const struct shared_maps *shared, const struct report_style *style,
			FILE *out);
void report_shared_json(const struct shared_maps *shared, FILE *out);
