// SPDX-License-Identifier: Apache-2.0
// Reports of Go's race detector, "WARNING: DATA RACE", in a log: each becomes a section of its own, with the address as a
// message and each access as a goroutine, in the order printed.
#pragma once
#include "evidence/text/dump_store.h"

struct race_parser;

/** @a source as in dump_parser_new(); both are borrowed. */
struct race_parser *race_parser_new(struct dump *dump, struct text source);
void race_parser_free(struct race_parser *parser);
/**
 * The next line, without its end.
 * @return false when it is not part of a report
 */
bool race_parser_line(struct race_parser *parser, struct text line, struct dump_place place);
/** The text has ended. */
void race_parser_end(struct race_parser *parser);

/** What begins a report. */
#define RACE_WORDS "WARNING: DATA RACE"
