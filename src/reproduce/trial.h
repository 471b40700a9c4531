// SPDX-License-Identifier: Apache-2.0
// A generated program let loose: plain until the runtime ends it, mapfault itself asked whose fault that
// was, then under the race detector.
#pragma once
#include "reproduce/folder.h"
#include "reproduce/notes.h"
#include "reproduce/program.h"
#include "reproduce/toolchain.h"

struct trial_input {
	const struct verdict *verdict;    /**< what is to happen again */
	const struct program_site *sites; /**< two: where it is to happen */
	const char *package;              /**< of the sites: "main" */
	const struct toolchain *toolchain;
	const struct toolchain_build *build; /**< output and race are set here */
	const char *mapfault;                /**< this very program, to diagnose with */
	unsigned seconds; /**< for the plain runs; as much again for the race detector */
	struct arena *arena;
	struct notes *tried; /**< what was done and came of it */
	void (*progress)(const char *what);
};

struct trial_side {
	const char *operation, *function;
	unsigned line;
};

struct trial {
	bool crashed;               /**< the runtime found a concurrent access */
	const char *kind;           /**< as reports name it; "" when it did not crash */
	double seconds;             /**< to the crash */
	unsigned round;             /**< that it crashed in */
	bool diagnosed;             /**< mapfault read the core */
	struct trial_side sides[2]; /**< as diagnosed; function "" when not named */
	size_t races; /**< that the race detector reported; 0 also when it could not run */
	bool race_built;
	bool race_names_both;
	struct trial_side race_sides[2];
};

/** One that nothing came of. */
struct trial trial_none(void);
/** Fails when the program does not build or mapfault is interrupted; all else is an outcome. */
struct error *trial_run(const struct trial_input *input, struct trial *ret);
