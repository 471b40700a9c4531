// SPDX-License-Identifier: Apache-2.0
// What log systems put before a line that a program wrote: times, hosts, names, streams. Pure
// functions of a line; each takes one kind of prefix off.
#pragma once
#include "base/text.h"

/** A line taken out of one wrapping. */
struct log_line {
	struct text text;
	struct text source; /**< who wrote it, where the prefix says: "app[123]"; else empty */
	bool partial;       /**< the log cut a longer line here: the next one goes on */
};

/** Container runtime: "2026-01-02T15:04:05.123456789Z stdout F text", P for a part. */
bool log_cri_take(struct text line, struct log_line *ret);
/** A date and time of any usual form, perhaps in brackets, and the space behind it. */
bool log_time_take(struct text line, struct log_line *ret);
/** journald and syslog: an optional "<34>", a time, "host app[123]: "; RFC 5424 as well. */
bool log_syslog_take(struct text line, struct log_line *ret);
/** kubectl --prefix, docker compose: "[pod/a/b] text", "app-1  | text". */
bool log_name_take(struct text line, struct log_line *ret);
/** journalctl -o export: "MESSAGE=text". */
bool log_export_take(struct text line, struct log_line *ret);
/** Text quoted in mail or indented in a document: blanks, ">" and "|" before it. */
bool log_indent_take(struct text line, struct log_line *ret);

/**
 * A prefix of unknown form that stands before every line: equal but for its digits.
 * @return the text behind what has the shape of @a shape; NULL p when @a line begins otherwise
 */
struct text log_shape_take(struct text line, struct text shape);

/**
 * Undoes what a log did to characters: terminal colours, "#011" for a tab, NULs.
 * @param ret room for @a line.n bytes
 * @return bytes written; @a line.n when there was nothing to undo, and then @a ret is not written
 */
size_t log_scrub(struct text line, char *ret);
