// SPDX-License-Identifier: Apache-2.0
// What was seen of one map's writes while its program ran: who, where, when, and which overlapped.
#pragma once
#include "model/data/map.h"
#include "model/process/write_interval.h"
#include "report/report.h"

#define WATCH_SCHEMA "mapfault.watch/1"

struct watch_report {
	const char *process; /**< "process 1234" */
	uint64_t map;
	bool swiss;
	const char *type, *owner; /**< "" when not known */
	const struct watch_log *log;
};

void report_watch_text(const struct watch_report *report, const struct report_style *style,
		       FILE *out);
void report_watch_json(const struct watch_report *report, FILE *out);

/** Maps to choose from: how many goroutines' stacks lead to each, where @a reached is not NULL. */
void report_watch_choice(const struct map_found *maps, const size_t *reached, size_t count,
			 const struct report_style *style, FILE *out);
