// SPDX-License-Identifier: Apache-2.0
// A report read back from its JSON. It is somebody else's file: every key may be missing or of
// another type, so the readers below answer "" and 0 where a value is not there.
#pragma once
#include "base/error.h"

#include <jansson.h>

#define REPORT_SCHEMA "mapfault.report/1"

/**
 * @a path "-" is standard input. The document is at least a JSON object that says it is a report;
 * json_decref() it.
 */
struct error *report_document_read(const char *path, json_t **ret);
/** The same for @a size bytes in memory, which are called @a name in errors. */
struct error *report_document_parse(const char *name, const void *bytes, size_t size, json_t **ret);

/** The text at @a key, "" when there is none. Lives as long as the document. */
const char *report_text_at(const json_t *object, const char *key);
/** The integer at @a key, 0 when there is none. */
json_int_t report_number_at(const json_t *object, const char *key);

static inline void report_document_free_at(json_t **document) { json_decref(*document); }
