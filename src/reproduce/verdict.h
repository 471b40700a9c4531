// SPDX-License-Identifier: Apache-2.0
// What a report says that a reproduction needs: the map, the two sides, the Go version. Strings are
// never NULL; "" is what the report does not say. They live as long as the arena.
#pragma once
#include "base/arena.h"
#include "base/report_document.h"

#define VERDICT_FRAMES_MAX  64
#define VERDICT_PARTIES_MAX 16

enum reproduced_operation {
	REPRODUCE_READ,
	REPRODUCE_ASSIGN,
	REPRODUCE_DELETE,
	REPRODUCE_CLEAR,
	REPRODUCE_ITERATE,
	REPRODUCE_CLONE,
};
#define REPRODUCED_OPERATIONS 6

/** As reports name it: "read", "assign" ... */
const char *reproduced_operation_name(enum reproduced_operation operation);
/** It changes the map. */
bool reproduced_operation_writes(enum reproduced_operation operation);

struct verdict_frame {
	const char *function, *file;
	unsigned line;
};

/** How the second side came to be known. */
enum side_basis {
	SIDE_NAMED,     /**< the report names it: proven or likely */
	SIDE_SUSPECTED, /**< its first candidate */
	SIDE_STAND_IN,  /**< nobody is suspected: some writer */
};

struct verdict_side {
	enum reproduced_operation operation;
	enum side_basis basis;
	struct verdict_frame site;
	/** innermost first, the runtime's own included */
	struct verdict_frame frames[VERDICT_FRAMES_MAX];
	size_t frame_count;
	/** "runtime.mapassign_fast64" ..., as its stack has it */
	const char *map_function;
};

struct verdict {
	const char *kind, *sentence;
	const char *go_version; /**< "1.24.11" */
	const char *map_type, *owner_path, *owner_via, *holder_type;
	uint64_t map_count;
	struct verdict_side sides[2]; /**< the detector, the other */
	unsigned parties; /**< goroutines known to have used the map at once, 2 or more */
	const char *const *patterns; /**< ids of the advice given: "lock", "P8" ...; ends in NULL */
};

/** Fails with what to do when the report is of something that no two goroutines did to a map. */
struct error *verdict_read(const json_t *report, struct arena *arena, struct verdict *ret);
/** The runtime's words for @a kind, "concurrent map writes"; NULL for one that is no map conflict. */
const char *verdict_kind_words(const char *kind);
