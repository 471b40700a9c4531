// SPDX-License-Identifier: Apache-2.0
// The strings of a JSON object that stands on one line, as log systems write them. Forgiving: a line
// that was cut off gives what it has.
#pragma once
#include "base/text.h"

enum json_value {
	JSON_STRING, /**< raw: what stands between the quotes */
	JSON_BYTES,  /**< journald's way to hold what is not UTF-8: "104,101,10" */
};

typedef void json_line_visit(struct text key, enum json_value kind, struct text raw, void *context);

/** Calls @a visit for each member with such a value, in order. @return false for no object */
bool json_line_strings(struct text line, json_line_visit *visit, void *context);
/**
 * Undoes the escapes.
 * @param ret room for @a raw.n bytes
 * @return bytes written
 */
size_t json_line_decode(enum json_value kind, struct text raw, char *ret);
