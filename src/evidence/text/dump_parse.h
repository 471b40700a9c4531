// SPDX-License-Identifier: Apache-2.0
// Which lines may follow which: from lines in order to goroutines, stacks and messages. One parser
// per writer of lines: where a log says who wrote what, two dumps may be woven into each other.
#pragma once
#include "evidence/text/dump_store.h"

struct dump_parser;

/** @a source names the writer; "" when unknown. The dump is borrowed. */
struct dump_parser *dump_parser_new(struct dump *dump, struct text source);
void dump_parser_free(struct dump_parser *parser);
struct text dump_parser_source(const struct dump_parser *parser);
/**
 * The next line, without its end.
 * @return false when it belongs to nothing that a dump holds
 */
bool dump_parser_line(struct dump_parser *parser, struct text line, struct dump_place place);
/** The text has ended. */
void dump_parser_end(struct dump_parser *parser);
