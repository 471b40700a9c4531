// SPDX-License-Identifier: Apache-2.0
// What the flight recorder left: a file of its shared memory, or the copy of it inside a core. Says which
// goroutine last wrote which map, from where, and what the checks saw that failed; nothing of guilt.
#pragma once
#include "base/error.h"
#include "base/text.h"
#include "evidence/process/memory.h"
#include "golang/map_function.h"
#include "golang/version.h"

struct flight;

#define FLIGHT_PCS_MAX 16

/** One goroutine's last write, or read, of one map. */
struct flight_write {
	uint32_t goroutine; /**< low 32 bits of its id */
	uint32_t map;       /**< low 32 bits of the map's address / 16 */
	uint32_t
		place; /**< in the order of this map's changes of writer, of a read as it found it; wraps */
	uint32_t left; /**< the order's place when it left the write; when not inside */
	bool inside;   /**< it had not left it when recording stopped */
	bool on_stack; /**< the map stands on the goroutine's own stack */
	bool earlier; /**< of a map that stood at this address before; the one there now was made later */
	bool sure; /**< of the map that is there now: no map has been made there since, as far as is on record */
	uint32_t
		turn; /**< place, counted from when a map was last made there, or recording began */
	enum map_operation operation;
	const char *function; /**< the runtime's */
	size_t pc_count;
	uint64_t pcs
		[FLIGHT_PCS_MAX]; /**< return addresses, innermost first; 0: not in the program's text */
};

/** A check that failed: the process died of it, or was about to. */
struct flight_failure {
	uint64_t goroutine;
	uint64_t map;   /**< 0 when not known */
	uint32_t place; /**< of the map's order then */
	uint32_t last;  /**< the goroutine that had last become the map's writer, low 32 bits */
	bool first;     /**< recording stopped at this one: what came later is not on record */
	enum map_operation operation;
	const char *function;
	uint64_t pc; /**< in that function */
	size_t pc_count;
	uint64_t pcs[FLIGHT_PCS_MAX]; /**< return addresses, innermost first */
};

struct flight_facts {
	enum go_arch arch;
	struct go_version version;
	int32_t pid;
	uint64_t bias, text, etext;
	int64_t started_s;
	const char *build_id, *program;
	bool frozen;             /**< a check failed */
	bool complete;           /**< no write of a map can have gone unseen */
	const char *incomplete;  /**< why one can; "" when complete */
	bool attached;           /**< recording began while the process was at work */
	bool begun_in_operation; /**< some goroutine may have been inside a write then */
	uint64_t lost;           /**< records for which there was no room */
	bool eras;               /**< maps that follow each other at one address are told apart */
};

/** True when the bytes begin as a flight recorder's file. */
bool flight_recognise(struct text head);
/** Reads a file as it is now; the process may still be writing it. */
struct error *flight_open(const char *path, struct flight **ret);
/** Reads @a size bytes, which are copied. */
struct error *flight_read(const void *bytes, size_t size, struct place origin, struct flight **ret);
/**
 * The copy that a recorded process made of it when it died, in the memory of its core; @a ret is NULL
 * when there is none.
 */
struct error *flight_find(const struct memory *memory, struct flight **ret);
void flight_close(struct flight *flight);

const char *flight_path(const struct flight *flight);
const struct flight_facts *flight_facts(const struct flight *flight);
/** In the order in which they failed. */
const struct flight_failure *flight_failures(const struct flight *flight, size_t *ret_count);
/** Every record that is whole, in no order. */
const struct flight_write *flight_writes(const struct flight *flight, size_t *ret_count);
/** Every record of a read that is whole, in no order; none when reads were not recorded. */
const struct flight_write *flight_reads(const struct flight *flight, size_t *ret_count);
/** Who made the map at that address; false when it is not on record, or that was not recorded. */
bool flight_made(const struct flight *flight, uint64_t map, struct flight_write *ret);
/** Who was the last to grow it. */
bool flight_grown(const struct flight *flight, uint64_t map, struct flight_write *ret);
/** Is that a write of the map at @a map? */
bool flight_write_is_of(const struct flight_write *write, uint64_t map);

static inline void flight_free_at(struct flight **flight) { flight_close(*flight); }
