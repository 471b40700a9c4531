// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "findings/blocked.h"
#include "report/json_writer.h"
#include "report/screen.h"

void report_blocked_text(struct program *program, struct screen *screen);
/** The member "blocked" of the goroutine list and of the report. */
void report_blocked_json(const struct blocked *blocked, struct json_writer *json);
