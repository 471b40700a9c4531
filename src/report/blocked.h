// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "findings/blocked.h"
#include "report/json_writer.h"
#include "report/screen.h"

void report_blocked_text(struct program *program, struct screen *screen);
/** The member "blocked" of the goroutine list. */
void report_blocked_json(struct program *program, struct json_writer *json);
