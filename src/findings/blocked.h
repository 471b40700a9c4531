// SPDX-License-Identifier: Apache-2.0
// What the goroutines that do not run are waiting for: classes with counts and ages, crowds at one lock, places that
// start goroutines which never end, and who was in the middle of a walk over a map.
#pragma once
#include "findings/walk.h"

/** Why a goroutine does not go on, by its state. */
enum blocked_class {
	BLOCKED_NOT, /**< runs, or is ready to */
	BLOCKED_LOCK,
	BLOCKED_CHANNEL,
	BLOCKED_SELECT,
	BLOCKED_NETWORK,
	BLOCKED_SYSCALL,
	BLOCKED_SLEEP,
	BLOCKED_GROUP,
	BLOCKED_COLLECTOR,
	BLOCKED_FOREVER,
	BLOCKED_OTHER,
};
#define BLOCKED_CLASSES 11

struct blocked_row {
	enum blocked_class kind;
	uint64_t count;
	int64_t longest_ns; /**< -1 when no age is known */
};

/** Goroutines at one place, waiting for one lock: a convoy where they are many. */
struct blocked_crowd {
	const struct frame *frame; /**< innermost outside the runtime and sync, of the first */
	const char *lock;          /**< "sync.(*Mutex).Lock" */
	uint64_t count;
	int64_t longest_ns;
	/** What that has to do with the map that was raced on; "" when nothing shows: see waiting_weigh() */
	const char *bearing;
};

/** A place that started goroutines which all wait: the more and the longer, the more a leak. */
struct blocked_source {
	const struct go_site *created_by;
	uint64_t count, waiting;
	int64_t longest_ns;
};

#define BLOCKED_LISTED 8

struct blocked {
	struct blocked_row rows[BLOCKED_CLASSES]; /**< largest first; @a row_count of them */
	size_t row_count;
	struct blocked_crowd crowds[BLOCKED_LISTED]; /**< largest first */
	size_t crowd_count;
	struct blocked_source sources[BLOCKED_LISTED];
	size_t source_count;
	struct walks walks;
};

/** Looks at every living goroutine that is not the runtime's own. */
struct blocked blocked_find(struct program *program);
/** "waiting for a lock". */
const char *blocked_name(enum blocked_class kind);
/** What that state really means. */
const char *blocked_meaning(enum blocked_class kind);
