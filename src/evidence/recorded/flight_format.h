// SPDX-License-Identifier: Apache-2.0
// The memory that the flight recorder shares with the process it records: who writes which map, and what
// the process saw when it gave up. Written by the machine code of record/trampoline.c inside the process,
// read by evidence/recorded/flight.c. Little-endian; offsets are from the start of the header.
//
//   header | sites | names | detections | order table | eras | slot table | made | grown | slots of reads
//
// A slot belongs to one goroutine's writes of one map, or in a table of their own to its reads. Only that goroutine writes it, one aligned word at
// a time, so that nothing in it is ever half of two records; a slot that is given to somebody else meanwhile
// is told by its words no longer agreeing. When the process gives up, recording stops ("frozen"), and the
// whole is copied once to private memory of the process, which every core contains.
//
// Where a slot is: the map chooses one of 16 groups and the way at which to begin, the goroutine one of 1024 sets of
// each group. So a goroutine that goes through many maps, each of them new, stays in few cache lines, and goroutines
// that follow each other on one map share pages. A new record takes the way of its set that was not used for longest.
#pragma once
#include <assert.h>
#include <stdint.h>

#define FLIGHT_MAGIC   0x544847494c46464dull /* "MFFLIGHT" */
#define FLIGHT_VERSION 4

#define FLIGHT_BYTES_MAX   (64u << 20)
#define FLIGHT_DETECTIONS  8
#define FLIGHT_STACK_BYTES 3904
#define FLIGHT_CALLERS                                                                             \
	4 /* lead from the innermost map function through reflect to who called that */
#define FLIGHT_ORDER_BITS 15
#define FLIGHT_SLOT_BITS  16
#define FLIGHT_WAYS       4          /* slots of a set */
#define FLIGHT_MAP_SHIFT  4          /* maps are aligned to 16 bytes */
#define FLIGHT_HASH       0x9e3779b1 /* times a map's low half; its bits choose: */
#define FLIGHT_HASH_BITS  0x003c00c0 /* group and way, where they stand in a slot's offset */
#define FLIGHT_SET_SHIFT  8          /* of the goroutine, whose low bits are those between */
#define FLIGHT_SET_BITS   0x0003ff00
#define FLIGHT_KEY_TAKEN  UINT64_MAX /* a slot that is changing hands */

struct flight_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes;
	uint64_t total_bytes;
	uint32_t arch; /**< enum go_arch */
	int32_t go_minor, go_patch;
	int32_t pid;
	uint64_t bias, text, etext; /**< of the program's code in the process */
	int64_t started_s;          /**< when recording began, seconds since 1970 */
	uint32_t site_count, sites_offset, names_offset, names_bytes;
	uint32_t detections_offset, order_offset, slots_offset, slot_count;
	uint32_t births_offset, birth_count; /**< of each of both tables; 0: not recorded */
	uint32_t reads_offset;               /**< as many slots again; 0: not recorded */
	uint32_t eras_offset; /**< a word for each of the order table; 0: not recorded */
	uint32_t complete;    /**< every write of a map is recorded */
	uint32_t attached;    /**< recording began while the process was at work */
	/** Operations may have been under way when recording began */
	uint32_t begun_in_operation;
	char build_id[128];   /**< the Go linker's */
	char program[256];    /**< path of the binary */
	char incomplete[128]; /**< why not, when not complete */

	/* Written by the process, each group on a cache line of its own. */
	_Alignas(64) uint64_t frozen; /**< 1 once a check has failed */
	_Alignas(64) uint64_t detection_count;
	uint64_t lost;                  /**< records for which no slot could be had */
	_Alignas(64) uint8_t dummy[64]; /**< a slot for those */
};

/** A hooked place. */
struct flight_site {
	uint64_t address;
	uint32_t name;         /**< of its function, offset among the names */
	uint8_t moment;        /**< 0 set, 1 clear, 2 give up, 3 made, 4 grown, 5 read */
	uint8_t operation;     /**< enum map_operation */
	uint8_t map_register;  /**< 255: none holds the map */
	uint8_t size;          /**< of the instructions that were replaced */
	int32_t return_offset; /**< from SP to the function's return address */
	uint8_t original[36];  /**< those instructions */
};
static_assert(sizeof(struct flight_site) == 56, "aligned");

/** Flags of flight_slot.who */
enum {
	FLIGHT_INSIDE = 1,    /**< the write is under way */
	FLIGHT_UNSETTLED = 2, /**< the callers are being changed */
	FLIGHT_ON_STACK = 4,  /**< the map stands on its writer's own stack: nobody else's */
};

#define FLIGHT_SITE_SHIFT 8
#define FLIGHT_SITE_BITS  9
#define FLIGHT_TAG_SHIFT  17 /* the goroutine's bits from 10 on: those that its set does not say */
#define FLIGHT_TAG_FROM   10
static_assert(FLIGHT_SET_BITS >> FLIGHT_SET_SHIFT == (1 << FLIGHT_TAG_FROM) - 1,
	      "a set's own bits and the tag's say which goroutine it is");

struct flight_slot {
	uint64_t key; /**< goroutine's low 32 bits << 32 | low 32 bits of map >> 4; 0: free */
	uint64_t who; /**< low 32 bits of the return address << 32 | tag | site | flags */
	uint64_t
		order; /**< place in the order of the map's changes of writer << 32 | goroutine, as in the order table */
	uint32_t left; /**< the order's place when it left the write */
	uint32_t used; /**< its set's clock then */
	uint32_t
		callers[FLIGHT_CALLERS]; /**< low halves of the next return addresses; 0: no more */
	uint32_t callers_of;             /**< the goroutine again */
	uint32_t clock;   /**< of a set's first slot: how many records the set has taken in */
	uint64_t claimed; /**< key, from before anything of this record was written */
};
static_assert(sizeof(struct flight_slot) == 64, "one cache line");

#define FLIGHT_BIRTH_BITS  15
#define FLIGHT_BIRTH_SHIFT 5 /* of a map's address: maps are larger */

/** Who made a map, or was the last to grow it. Each map has one place in each table, by its address. */
struct flight_birth {
	uint32_t map;       /**< low 32 bits of its address >> 4; 0 while it is written */
	uint32_t goroutine; /**< low 32 bits */
	uint32_t caller;    /**< low half of the return address */
	uint32_t site;
	uint32_t callers[FLIGHT_CALLERS];
};
static_assert(sizeof(struct flight_birth) == 32, "two a cache line");

/** What a check saw that failed. */
struct flight_detection {
	uint64_t complete; /**< 1 when all of it is written */
	uint64_t goroutine;
	uint64_t map;   /**< 0 when no register held it */
	uint64_t order; /**< the map's order word then: place << 32 | goroutine that wrote last */
	uint64_t time_stamp;
	uint32_t site, stack_bytes;
	uint64_t sp;
	uint64_t registers[16]; /**< by number */
	uint64_t reserved;
	uint8_t stack[FLIGHT_STACK_BYTES]; /**< from sp on */
};
static_assert(sizeof(struct flight_detection) == 4096, "one page");

/* The order table's words, by map: place << 32 | low 32 bits of the goroutine that wrote last. The place grows
 * whenever another goroutine than the last one writes, and when a map is made; maps that share a word share its order.
 *
 * The eras' words, by the same index: low 32 bits of map >> 4 << 32 | the order's place when that map was made, which is the
 * newest there. What is recorded from that place on is of maps that still are; what is older and of the same address is of
 * a map that the collector has taken since. */
