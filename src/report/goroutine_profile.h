// SPDX-License-Identifier: Apache-2.0
// A goroutine profile in the words of the goroutine lists (report/lists.h).
#pragma once
#include "model/profile/goroutine_profile.h"
#include "report/report.h"

void report_goroutine_profile_text(const struct goroutine_profile *profile,
				   const struct report_style *style, FILE *out);
/**
 * Schema mapfault.goroutines/1: an entry stands for "count" goroutines; numbers, states and waits,
 * which a profile does not have, are null.
 */
void report_goroutine_profile_json(const struct goroutine_profile *profile, FILE *out);
