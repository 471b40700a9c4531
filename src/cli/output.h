// SPDX-License-Identifier: Apache-2.0
// Where a command's data goes: standard output, or a file that appears whole or not at all.
#pragma once
#include "base/error.h"

#include <jansson.h>
#include <stdio.h>

struct output {
	FILE *stream;
	const char *path; /**< NULL: standard output */
	char *temporary;
	bool committed;
};

/** @a path NULL means standard output. Ctrl-C removes what is half written. */
struct error *output_open(const char *path, struct output *ret);
/** The document, indented, as a line; output_commit() tells of what goes wrong. */
void output_json(struct output *output, const json_t *document);
/** Everything is written: puts the file in its place. A reader that went away is no error. */
struct error *output_commit(struct output *output);
void output_done(struct output *output);

static inline void output_free_at(struct output *output) { output_done(output); }
