// SPDX-License-Identifier: Apache-2.0
// The user's own module instead of a generated program: a test in the package of the two functions that
// calls them at once. Nothing of the user's tree is written: an overlay adds the file for the compiler.
#pragma once
#include "reproduce/folder.h"
#include "reproduce/notes.h"
#include "reproduce/program.h"
#include "reproduce/toolchain.h"

#define SOURCE_TEST_FILE "mapfault_report_test.go"

struct source_input {
	const struct verdict *verdict;
	const char *module; /**< its folder */
	const struct toolchain *toolchain;
	unsigned seconds; /**< that the test goes on for */
	struct arena *arena;
	struct notes *notes; /**< where it needs the user's hand */
};

struct source_plan {
	const char *module;           /**< path of the module */
	const char *package, *folder; /**< where the test belongs */
	const char *test;             /**< its text */
	struct program_site sites[2]; /**< in the user's own code */
	bool ready;                   /**< it can be run as it is */
};

/** Fails when the module can't be read; what only the user can know is a note, and not ready. */
struct error *source_plan(const struct source_input *input, struct source_plan *ret);
/** Writes source/ with the test and the overlay that puts it in its place; @a target is the folder's end. */
struct error *source_write(const struct source_plan *plan, const char *target,
			   const struct folder *folder);
/** Makes @a place hold what @a ret names: an overlay, or for releases without one a copy of the module. */
struct error *source_stage(const struct source_plan *plan, const char *module,
			   const struct toolchain *toolchain, struct arena *arena,
			   const struct folder *place, struct toolchain_build *ret);
