// SPDX-License-Identifier: Apache-2.0
// What a crash would leave behind today, and the exact lines to set.
#pragma once
#include "doctor/doctor.h"
#include "report/report.h"

#define DOCTOR_SCHEMA "mapfault.doctor/1"

void report_doctor_text(const struct diagnosis *diagnosis, const struct report_style *style,
			FILE *out);
void report_doctor_json(const struct diagnosis *diagnosis, FILE *out);
