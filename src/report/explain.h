// SPDX-License-Identifier: Apache-2.0
// Reads a report back and tells its reasoning, each fact with the place it was read from.
#pragma once
#include "report/report.h"

/** @a path "-" is standard input. */
struct error *report_explain(const char *path, const struct report_style *style, FILE *out);
/** The same for @a size bytes in memory, which are called @a name in errors. */
struct error *report_explain_bytes(const char *name, const void *bytes, size_t size,
				   const struct report_style *style, FILE *out);
