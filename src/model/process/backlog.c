// SPDX-License-Identifier: Apache-2.0
// runtime.printBacklog [512]byte and runtime.printBacklogIndex int (runtime/print.go:24@1.9.7 and
// on). Written by everything that panic, throw and fatal print; each byte is then sent to stderr
// too.
#include "model/process/backlog.h"
#include "model/process/variable.h"

#define BACKLOG_BYTES 512

static char printable(char c)
{
	if (c == '\n' || c == '\t')
		return c;
	return c >= ' ' && c <= '~' ? c : '?';
}

const char *backlog_read(struct program *program)
{
	uint64_t ring = program_runtime_variable(program, "runtime.printBacklog");
	uint64_t at = program_runtime_variable(program, "runtime.printBacklogIndex");
	uint64_t index = 0;
	const char *bytes;
	char *text;
	size_t n = 0;

	bytes = ring ? memory_view(program->memory, ring, BACKLOG_BYTES) : NULL;
	if (!bytes)
		return "";
	if (at)
		memory_u64(program->memory, at, &index);
	text = arena_take(program->arena, BACKLOG_BYTES + 1);
	for (size_t i = 0; i < BACKLOG_BYTES; i++) {
		char c = bytes[(index + i) % BACKLOG_BYTES];

		if (c)
			text[n++] = printable(c);
	}
	return text;
}
