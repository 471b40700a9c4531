// SPDX-License-Identifier: Apache-2.0
// How often each Go release notices textbook races: small programs, run many times with every toolchain,
// and counted: noticed, gone wrong in silence, or neither.
#pragma once
#include "reproduce/machine.h"
#include "reproduce/notes.h"
#include "reproduce/toolchain.h"

#include <jansson.h>
#include <stdio.h>

#define SENSITIVITY_SCHEMA "mapfault.sensitivity/1"

struct sensitivity_race {
	const char *name;     /**< "read_write" */
	const char *label;    /**< for people, short */
	const char *text;     /**< what its goroutines do */
	unsigned minor_since; /**< Go release that has the operation */
};

extern const struct sensitivity_race sensitivity_races[];
extern const size_t sensitivity_race_count;

/** Runs of one race in one setting. */
struct sensitivity_cell {
	const char *version;
	size_t race; /**< index */
	unsigned goroutines, procs;
	unsigned runs, detected;
	unsigned died; /**< of something else: a fault, another panic */
	unsigned hung;
	unsigned wrong; /**< ended quietly, entries lost or too many */
	double median_ms,
		slowest_ms; /**< from the start of the race to the death; of detected runs */
};

struct sensitivity_options {
	const char *versions;  /**< "1.9..1.27" or "1.9.7,1.24.11"; NULL: all that are here */
	unsigned runs;         /**< of each cell */
	unsigned minutes;      /**< for everything; what is left is for the next time */
	const char *directory; /**< keeps the state, to go on from; NULL: nothing is kept */
	bool download;
	void (*progress)(const char *what);
};

struct sensitivity {
	struct arena *arena;
	struct sensitivity_cell *cells;
	size_t cell_count, cell_capacity;
	const char **versions; /**< that were measured, oldest first */
	size_t version_count;
	unsigned runs;
	struct machine before, after;
	size_t cells_left; /**< not measured: time was up */
	struct notes notes;
};

/** Goroutine counts that every race is run with, in rising order; ends in 0. */
extern const unsigned sensitivity_goroutines[];
/** GOMAXPROCS of the tables; other settings are run with fewer goroutine counts. */
unsigned sensitivity_procs(const struct sensitivity *sensitivity);

struct error *sensitivity_run(const struct sensitivity_options *options, struct sensitivity *ret);
void sensitivity_done(struct sensitivity *sensitivity);

/** NULL when that was not measured. */
const struct sensitivity_cell *sensitivity_find(const struct sensitivity *sensitivity,
						const char *version, size_t race,
						unsigned goroutines, unsigned procs);
/** The smallest number of goroutines of which at least @a share of the runs were noticed; 0: none. */
unsigned sensitivity_enough(const struct sensitivity *sensitivity, const char *version, size_t race,
			    double share);
json_t *sensitivity_json(const struct sensitivity *sensitivity);
/** A chart: releases across, races down. */
void sensitivity_svg(const struct sensitivity *sensitivity, FILE *out);

static inline void sensitivity_free_at(struct sensitivity *s) { sensitivity_done(s); }
