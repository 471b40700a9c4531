// SPDX-License-Identifier: Apache-2.0
// The reasoning's result: what happened, to which map, by which two goroutines, how sure, why, what
// now. One object; report/ renders it. All strings live in its arena or in the program.
#pragma once
#include "findings/blocked.h"
#include "golang/map_function.h"
#include "model/data/map.h"
#include "model/data/owner.h"
#include "model/process/program.h"

enum confidence {
	CONFIDENCE_UNKNOWN,
	CONFIDENCE_POSSIBLE,
	CONFIDENCE_LIKELY,
	CONFIDENCE_PROVEN,
};
/** "proven", "likely", "possible", "unknown". */
const char *confidence_name(enum confidence confidence);

/** A fact that speaks for or against something, with the place it was read from. */
struct witness {
	/** A sentence: "its return address 0x4a2b31 follows the CALL at store.go:88" */
	const char *fact;
	const char *evidence; /**< evidence id: "core", "binary" */
	/** "address 0xc000123f80", "file offset 0x1f2e80"; "" when it is a whole */
	const char *place;
};

struct witnesses {
	struct witness *items;
	size_t count;
};

enum side_role { SIDE_DETECTOR, SIDE_OTHER, SIDE_CANDIDATE };

/** One party, or one that may be. */
struct side {
	enum side_role role;
	enum map_operation operation;
	const struct goroutine *goroutine;
	struct go_site site; /**< innermost frame outside the runtime and reflect */
	const struct stack *stack;
	enum confidence confidence;
	/**
	 * "in_write_op", "second_detector", "ghost_write", "reach_runnable", ...; "" for the
	 * detector
	 */
	const char *rule;
	enum map_check check; /**< of the detector: which check fired */
	struct witnesses witnesses;
};

struct innocent {
	const struct goroutine *goroutine;
	struct go_site site;
	const char *looked_guilty; /**< why anyone might accuse it */
	const char *ruled_out;     /**< why it is not the writer, or not shown to be */
};

/** A goroutine in a map operation on this map at the time of the dump. */
struct flag_row {
	const struct goroutine *goroutine;
	enum map_operation operation;
	const char *saw_or_set; /**< "saw writing set at entry", "had set writing", ... */
	const char *state_now;
};

struct advice {
	const char *pattern; /**< "P1" ... "P18", "race-build", "recorder" */
	const char *text;
	struct witnesses because;
};

/** A goroutine's last read or write of the map before it died, by the flight recorder. */
struct map_use {
	const struct goroutine *goroutine;
	enum map_operation operation;
	struct go_site site; /**< all zero when not on record */
	uint32_t turns; /**< how often the map's writer changed from then until the check failed */
	bool inside;    /**< the write was not over then */
};

/** A lock beside the map, and what its state then says of the two sides. */
struct lock_fact {
	const struct lock *lock;
	const char *says; /**< half a sentence */
};

struct conflict_map {
	uint64_t address;           /**< 0 when it could not be found */
	const struct go_type *type; /**< NULL when not known */
	struct go_map header;
	bool readable;
	bool mid_write; /**< somebody was inside a write of it: then it may well look half done */
	struct map_integrity integrity;
	const struct owner *owners;
	size_t owner_count;
	/** That it is this map: nobody is named with more confidence than this */
	enum confidence sure;
	/** "argument slot", "saved register", "one hop from the detector's frame" ... */
	const char *found_by;
	/** Places that make maps of this type; NULL when not looked for */
	const struct go_site *made_at;
	size_t made_at_count;
	/** The place that was the last to grow it, as recorded */
	const struct go_site *grown_at;
	size_t grown_at_count;
	/** Who made it and who grew it last, where that was recorded: then the places above are theirs */
	const struct goroutine *made_by, *grown_by;
	/** Who read it and who wrote it, the last first; none when that was not recorded */
	struct map_use *readers, *writers;
	size_t reader_count, writer_count;
	/** Locks in the struct that owns it; none where there is no memory, or the struct's type is not known */
	struct lock_fact *locks;
	size_t lock_count;
};

/** A death that is no map fatal. */
enum death {
	DEATH_MAP_FATAL,
	DEATH_NIL_MAP_WRITE,
	DEATH_PANIC,
	/** Another fatal error of the runtime: deadlock, out of memory, stack overflow ... */
	DEATH_FATAL,
	DEATH_SIGNAL,
	DEATH_RACE, /**< none: the race detector's report on memory that is no map */
	DEATH_UNKNOWN,
};

struct findings {
	struct arena *arena;
	struct program *program;
	enum death death;
	enum map_fatal fatal; /**< when death is DEATH_MAP_FATAL */
	const char *kind; /**< the report's word: "concurrent_map_writes", "not_a_map_fatal" ... */
	enum confidence confidence;
	const char *sentence;
	/** What keeps the evidence from telling more, to be said before anything else; "" when nothing does */
	const char *caveat;
	const char *message; /**< the runtime's own last words, one line; "" when not found */
	struct conflict_map map;
	struct side *detector;   /**< NULL when not found */
	struct side *other;      /**< only at likely or proven */
	struct side *candidates; /**< best first; without the other */
	size_t candidate_count;
	struct innocent *innocents;
	size_t innocent_count;
	struct flag_row *flags;
	size_t flag_count;
	struct advice *advice;
	size_t advice_count;
	/** What goroutines were waiting for; NULL where no program with goroutines was looked at */
	const struct blocked *blocked;
};

void findings_free(struct findings *findings);

static inline void findings_free_at(struct findings **findings) { findings_free(*findings); }
