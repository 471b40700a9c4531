// SPDX-License-Identifier: Apache-2.0
// One findings object → a terminal screen or JSON (schema/report.schema.json).
#pragma once
#include "base/report_document.h"
#include "findings/findings.h"

#include <stdio.h>

/**
 * What the run was given, for the report's "evidence" list. Strings that are not known are NULL or
 * "".
 */
struct report_evidence {
	const char *id;   /**< "core", "binary" */
	const char *kind; /**< "core", "binary" */
	const char *path;
	const char *build_id;   /**< "" when none */
	const char *go_version; /**< "go1.22.12" */
	const char *arch;       /**< "amd64" */
	const struct gap *gaps; /**< of this file: cut off, not checked against the other ... */
	size_t gap_count;
};

struct report_input {
	const struct findings *findings;
	const struct report_evidence *evidence;
	size_t evidence_count;
};

struct report_style {
	bool color;
	unsigned width; /**< columns, at least 40 */
	/** Where to look for sources to quote; NULL to quote only files at their own path */
	const char *source_root;
	bool values; /**< show map keys */
};

/** The verdict on one screen. */
void report_text(const struct report_input *input, const struct report_style *style, FILE *out);
/** The whole report, one JSON document of schema mapfault.report/1. */
void report_json(const struct report_input *input, FILE *out);
