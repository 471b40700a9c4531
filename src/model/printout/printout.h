// SPDX-License-Identifier: Apache-2.0
// A program known by what it printed: the text of a crash or a goroutine dump in place of a core, with the binary or
// without. The binary gives each frame its PC; without it there are names, files and lines.
#pragma once
#include "evidence/text/dump.h"
#include "model/process/program.h"

enum printout_death {
	PRINTOUT_NO_DEATH, /**< goroutines alone: runtime.Stack, a profile */
	PRINTOUT_FATAL,
	PRINTOUT_PANIC,
	PRINTOUT_SIGNAL,
	PRINTOUT_RACE, /**< the race detector's report, of a program that may have lived on */
};

/** Frames that the binary can have printed, and those that it can't. */
struct printout_agreement {
	uint64_t same, other;
};

struct printout {
	const struct dump *dump;
	uint16_t section; /**< of the dump: the death that is told of */
	enum printout_death death;
	const char *message;   /**< "fatal error: concurrent map writes"; "" when there is none */
	const char *headlines; /**< all messages of the section, a line each */
	uint32_t fatals;       /**< fatal errors of maps among them */
	uint64_t goroutines;   /**< printed in the section, equal ones counted */
	uint64_t unavailable;  /**< of these, without a stack */
	bool cut;              /**< the text ends, or begins, within a stack */
	bool hides_runtime;    /**< the runtime's own frames were left out */
	struct printout_agreement agreement;
	const struct printed_race *races; /**< model/printout/printout_race.h */
	size_t race_count;
};

/**
 * Fills the program's goroutines and what was said of the death from @a dump. Tables must be open where there is a
 * binary. Goroutines beyond PRINTOUT_GOROUTINES_MAX are folded into one for each stack and state.
 */
void printout_read(struct program *program, const struct dump *dump);

#define PRINTOUT_GOROUTINES_MAX (64u << 10)

/** The Go release that the text itself gives away; minor 0 when it does not. */
struct go_version printout_version(const struct dump *dump);
/** How far a position-independent program was moved, by the PCs that the text has; 0 when it has none. */
uint64_t printout_bias(const struct program *program, const struct dump *dump);
