// SPDX-License-Identifier: Apache-2.0
// What the flight recorder kept of this program: the checks that failed, and each goroutine's last write of a map, with
// stacks and goroutines as the rest of the model has them. The recorder alone can stand in for a core.
#pragma once
#include "evidence/recorded/flight.h"
#include "model/stack/map_call.h"
#include "model/process/program.h"

/** A goroutine's failed check, or its last write of a map. */
struct recorded {
	struct goroutine *goroutine; /**< as the core knows it; else all that is known is its id */
	const struct stack *
		stack; /**< at that moment, without the runtime's innermost frame; as far as kept */
	size_t user;   /**< frame of @a stack outside the runtime and reflect; stack->count: none */
	enum map_operation operation;
	const char *function; /**< the runtime's */
	uint64_t map;
	uint32_t place; /**< in the order of the map's changes of writer; wraps */
	uint32_t left;  /**< the order's place when it left the write */
	bool inside;    /**< it had not left the write when the check failed */
	bool sure; /**< no map was made at this address since: it is of the one that is there now */
	bool first; /**< of a failed check: recording stopped at it */
};

struct recording {
	const struct flight *flight;
	const char *path;
	bool complete; /**< no write can have gone unseen */
	const char *incomplete;
	bool begun_in_operation;
	bool eras; /**< maps that follow each other at one address are told apart */
	struct recorded *failures;
	size_t failure_count;
};

/** Reads @a flight, which must outlive the program, into program->recording. */
void recording_read(struct program *program, const struct flight *flight);
/** Neither core nor text: only the flight recorder tells of the process. */
bool recording_is_all(const struct program *program);
/** The goroutine's failed check; NULL when none is on record. */
const struct recorded *recording_failure_of(const struct program *program, uint64_t goroutine);
/**
 * The last write of @a map by each goroutine but @a without (0: none); lives as long as the program. Not what is known to
 * be of another map, which stood at that address before.
 */
size_t recording_writes(struct program *program, uint64_t map, uint64_t without,
			const struct recorded **ret);
/** A write as the model tells it; of its map only the low part of the address is known. */
struct recorded recording_of(struct program *program, const struct flight_write *write);
/** The last read of @a map by each goroutine; lives as long as the program. */
size_t recording_reads(struct program *program, uint64_t map, const struct recorded **ret);
/** The last write of @a map by that goroutine; false when none is on record. */
bool recording_write_by(struct program *program, uint64_t map, uint64_t goroutine,
			struct recorded *ret);
/** Who made that map, by the recorder; false when it is not on record. */
bool recording_made(struct program *program, uint64_t map, struct recorded *ret);
/** Who was the last to grow it. */
bool recording_grown(struct program *program, uint64_t map, struct recorded *ret);
/** The map of an operation that gave up, where its failed check is on record. */
void recording_tells_map(const struct program *program, struct map_call *call);
/** The first failed check as the operation that died; false when none is on record. */
bool recording_call(struct program *program, struct map_call *ret);
