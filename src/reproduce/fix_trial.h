// SPDX-License-Identifier: Apache-2.0
// The fixes that advice may propose, as programs with the report's own access pattern: written, run under
// load and under the race detector, and their speed compared.
#pragma once
#include "reproduce/folder.h"
#include "reproduce/machine.h"
#include "reproduce/program.h"
#include "reproduce/toolchain.h"

#define FIXES_MAX 8
#define FIX_RUNS  5 /* that a speed is the median of */

struct fix_trial {
	const char *name; /**< "rwmutex", also its folder in fixes/ */
	const char *text; /**< what it does */
	bool advised;     /**< the report's advice proposes it */
	bool built;       /**< without the race detector */
	bool ran, raced;  /**< without and with the race detector */
	size_t races, crashes;
	double times
		[FIX_RUNS]; /**< nanoseconds per operation of one goroutine, under load; rising */
	size_t time_count;
	double relative;     /**< its median to the least of all medians; 0: not measured */
	const char *problem; /**< why it could not be tried; "" */
};

struct fix_trials {
	struct fix_trial items[FIXES_MAX];
	size_t count;
	struct machine before, after; /**< where and beside what they ran */
};

/** Nanoseconds per operation, the median; 0: not measured. */
double fix_trial_median(const struct fix_trial *fix);

/** Writes fixes/NAME/ for each that fits the two operations. */
struct error *fixes_write(const struct verdict *verdict, const struct go_program *program,
			  struct arena *arena, const struct folder *folder, struct fix_trials *ret);

struct fixes_input {
	const struct folder *folder; /**< that they were written to */
	const struct toolchain *toolchain;
	double seconds; /**< of load for each, with and without the race detector */
	struct arena *arena;
	void (*progress)(const char *what);
};
/** Runs them; fails only when mapfault is interrupted. */
struct error *fixes_run(const struct fixes_input *input, struct fix_trials *fixes);
