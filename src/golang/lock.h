// SPDX-License-Identifier: Apache-2.0
// What the words of a sync.Mutex and a sync.RWMutex say. They say how, and never who.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum go_lock_kind { GO_LOCK_NONE, GO_LOCK_MUTEX, GO_LOCK_RWMUTEX };

#define GO_LOCK_BYTES_MAX 24

enum go_lock_hold {
	GO_LOCK_FREE,   /**< nobody has it */
	GO_LOCK_SHARED, /**< readers have it */
	/** One goroutine has it for itself; of an RWMutex: or has just announced itself, and is about to */
	GO_LOCK_HELD,
};

struct go_lock_state {
	enum go_lock_hold hold;
	uint32_t readers;  /**< that have it, when shared */
	uint32_t waiters;  /**< of a Mutex: goroutines that wait for it, as far as counted */
	bool writer_waits; /**< shared, and a writer waits for the readers to leave */
};

/** By a type's full name and size: "sync.Mutex", 8. */
enum go_lock_kind go_lock_kind(const char *type, uint64_t size);
/** "sync.Mutex" */
const char *go_lock_kind_name(enum go_lock_kind kind);
/** "free", "shared", "held" */
const char *go_lock_hold_name(enum go_lock_hold hold);
uint64_t go_lock_bytes(enum go_lock_kind kind);
/** @return false when no lock looks like these bytes, of which there are go_lock_bytes() */
bool go_lock_read(enum go_lock_kind kind, const uint8_t *bytes, struct go_lock_state *ret);
