// SPDX-License-Identifier: Apache-2.0
// What the crashed program was doing and had, beside the verdict: goroutines, maps, one map, and
// the map operations of its code. Each as text or as one JSON document, written as it is found.
#pragma once
#include "model/process/program.h"
#include "model/printout/roster.h"
#include "report/report.h"

#define GOROUTINES_SCHEMA "mapfault.goroutines/1"
#define MAPS_SCHEMA       "mapfault.maps/1"
#define MAP_SCHEMA        "mapfault.map/1"
#define SITES_SCHEMA      "mapfault.sites/1"

struct goroutine_filter {
	uint64_t id;  /**< only that one; 0 for all */
	bool system;  /**< the runtime's own as well */
	bool blocked; /**< text: only a summary of what they wait for */
	bool each;    /**< text: one by one; else grouped by equal stacks, largest group first */
};

void report_goroutines_text(struct program *program, const struct goroutine_filter *filter,
			    const struct report_style *style, FILE *out);
void report_goroutines_json(struct program *program, const struct goroutine_filter *filter,
			    FILE *out);

/** The same of a text, straight from what was printed. */
void report_roster_text(const struct dump *dump, const struct goroutine_filter *filter,
			const struct report_style *style, FILE *out);
/** @a program was rebuilt from the text; it knows more of the goroutines of one death. */
void report_roster_json(const struct dump *dump, struct program *program,
			const struct goroutine_filter *filter, FILE *out);

void report_maps_text(struct program *program, const struct report_style *style, FILE *out);
void report_maps_json(struct program *program, FILE *out);

/** One map: what its header, its structure and the ways to it say. Keys only as @a keys asks. */
struct map_request {
	uint64_t address;
	bool keys;
	uint64_t limit; /**< at most so many keys */
};
/** False, and nothing written, when no map stands at the address. */
bool report_map_text(struct program *program, const struct map_request *request,
		     const struct report_style *style, FILE *out);
bool report_map_json(struct program *program, const struct map_request *request, FILE *out);

/** @a system: the operations of the runtime itself as well. */
void report_sites_text(struct program *program, bool system, const struct report_style *style,
		       FILE *out);
void report_sites_json(struct program *program, bool system, FILE *out);
