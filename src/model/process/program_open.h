// SPDX-License-Identifier: Apache-2.0
// From evidence to a program: what it is rebuilt from, and its whole life.
#pragma once
#include "model/process/program.h"

/** What the program is rebuilt from. Borrowed; must outlive the program. */
struct program_evidence {
	struct image *image;             /**< NULL only with a dump */
	const struct process *process;   /**< NULL: only tables, types and sites are there */
	const struct dump *dump;         /**< NULL when none; not with a process */
	struct profile *const *profiles; /**< of the same program, from before its death */
	size_t profile_count;
	const struct flight *flight; /**< of the flight recorder; NULL when none */
	struct debuginfo *debuginfo; /**< NULL when none */
	uint64_t bias;
};

struct error *program_open(const struct program_evidence *evidence, struct program **ret);
void program_close(struct program *program);
