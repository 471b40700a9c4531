// SPDX-License-Identifier: Apache-2.0
// Writes one JSON document to a stream as it is told, in a buffer of its own: nothing is kept in
// memory. Indented by two, except below json_put_line(). Any bytes may be given as a string: what
// is not UTF-8 becomes U+FFFD, and everything a terminal would obey is escaped.
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

/** @a out is borrowed until json_writer_done(). */
void json_writer_init(struct json_writer *json, FILE *out);
/**
 * Ends the document with a newline and hands everything to the stream; its errors are the caller's
 * to check.
 */
void json_writer_done(struct json_writer *json);

/* Every value takes the key it stands under, or NULL in an array and at the top. */

void json_put_object(struct json_writer *json, const char *key);
void json_put_array(struct json_writer *json, const char *key);
/** An object that stands on one line with all that is in it. */
void json_put_line(struct json_writer *json, const char *key);
void json_end_object(struct json_writer *json);
void json_end_array(struct json_writer *json);

/** NULL gives null. */
void json_put_string(struct json_writer *json, const char *key, const char *value);
/** NULL and "" give null: for facts that may not be known. */
void json_put_known(struct json_writer *json, const char *key, const char *value);
void json_put_integer(struct json_writer *json, const char *key, int64_t value);
void json_put_unsigned(struct json_writer *json, const char *key, uint64_t value);
void json_put_boolean(struct json_writer *json, const char *key, bool value);
void json_put_null(struct json_writer *json, const char *key);
/** An address or PC, as "0x4a2b31": JSON numbers lose bits above 2^53. */
void json_put_address(struct json_writer *json, const char *key, uint64_t value);
