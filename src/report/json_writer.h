// SPDX-License-Identifier: Apache-2.0
// Writes one JSON document to a stream as it is told, in a buffer of its own: nothing is kept in
// memory. Indented by two, except below json_line(). Any bytes may be given as a string: what is
// not UTF-8 becomes U+FFFD, and everything a terminal would obey is escaped.
#pragma once
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>

#define JSON_BUFFER_BYTES (64u << 10)

struct json_writer {
	FILE *out;
	unsigned depth;
	unsigned line_depth; /**< depth from which on everything stands on one line; 0 when none */
	bool first;          /**< nothing was written in the innermost object or array yet */
	size_t used;
	char buffer[JSON_BUFFER_BYTES];
};

/** @a out is borrowed until json_done(). */
void json_init(struct json_writer *json, FILE *out);
/** Ends the document with a newline and hands everything to the stream; its errors are the caller's
 * to check. */
void json_done(struct json_writer *json);

/* Every value takes the key it stands under, or NULL in an array and at the top. */

void json_object(struct json_writer *json, const char *key);
void json_array(struct json_writer *json, const char *key);
/** An object that stands on one line with all that is in it. */
void json_line(struct json_writer *json, const char *key);
void json_object_end(struct json_writer *json);
void json_array_end(struct json_writer *json);

/** NULL gives null. */
void json_string(struct json_writer *json, const char *key, const char *value);
/** NULL and "" give null: for facts that may not be known. */
void json_known(struct json_writer *json, const char *key, const char *value);
void json_integer(struct json_writer *json, const char *key, int64_t value);
void json_unsigned(struct json_writer *json, const char *key, uint64_t value);
void json_boolean(struct json_writer *json, const char *key, bool value);
void json_null(struct json_writer *json, const char *key);
/** An address or PC, as "0x4a2b31": JSON numbers lose bits above 2^53. */
void json_address(struct json_writer *json, const char *key, uint64_t value);
