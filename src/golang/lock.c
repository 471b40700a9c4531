// SPDX-License-Identifier: Apache-2.0
// The same in all versions from 1.9 to 1.27, though the fields' types and names were changed: sync/mutex.go and
// sync/rwmutex.go, internal/sync/mutex.go since 1.24.
#include "golang/lock.h"

#include <string.h>

#define MUTEX_STATE        0 /* offsets of 4-byte words */
#define RWMUTEX_READERS    16
#define RWMUTEX_DEPARTING  20
#define MUTEX_LOCKED       1u
#define MUTEX_WAITER_SHIFT 3
#define READERS_MAX        (1 << 30) /* a writer that has announced itself takes it off the count */

static const struct {
	const char *type;
	enum go_lock_kind kind;
	uint64_t bytes;
} kinds[] = {
	{"sync.Mutex", GO_LOCK_MUTEX, 8},
	{"internal/sync.Mutex", GO_LOCK_MUTEX, 8},
	{"sync.RWMutex", GO_LOCK_RWMUTEX, GO_LOCK_BYTES_MAX},
};

enum go_lock_kind go_lock_kind(const char *type, uint64_t size)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].bytes == size && strcmp(kinds[i].type, type) == 0)
			return kinds[i].kind;
	return GO_LOCK_NONE;
}

const char *go_lock_kind_name(enum go_lock_kind kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].type;
	return "";
}

const char *go_lock_hold_name(enum go_lock_hold hold)
{
	static const char *const names[] = {
		[GO_LOCK_FREE] = "free", [GO_LOCK_SHARED] = "shared", [GO_LOCK_HELD] = "held"};

	return names[hold];
}

uint64_t go_lock_bytes(enum go_lock_kind kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].bytes;
	return 0;
}

static int32_t word_at(const uint8_t *bytes, size_t offset)
{
	int32_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

/**
 * A writer locks an inner mutex, takes READERS_MAX off the count, and then waits for as many readers as there were. Between
 * two of these steps it can't be told from one that has it. The inner mutex says nothing more.
 */
static bool read_rwmutex(const uint8_t *bytes, struct go_lock_state *ret)
{
	int32_t readers = word_at(bytes, RWMUTEX_READERS);
	int32_t departing = word_at(bytes, RWMUTEX_DEPARTING);

	if (readers < -READERS_MAX || readers >= READERS_MAX || departing >= READERS_MAX)
		return false;
	if (readers < 0 && departing <= 0)
		*ret = (struct go_lock_state){.hold = GO_LOCK_HELD};
	else if (readers < 0)
		*ret = (struct go_lock_state){.hold = GO_LOCK_SHARED,
					      .readers = (uint32_t)departing,
					      .writer_waits = true};
	else
		*ret = (struct go_lock_state){.hold = readers ? GO_LOCK_SHARED : GO_LOCK_FREE,
					      .readers = (uint32_t)readers};
	return true;
}

bool go_lock_read(enum go_lock_kind kind, const uint8_t *bytes, struct go_lock_state *ret)
{
	uint32_t state;

	if (kind == GO_LOCK_RWMUTEX)
		return read_rwmutex(bytes, ret);
	if (kind != GO_LOCK_MUTEX)
		return false;
	state = (uint32_t)word_at(bytes, MUTEX_STATE);
	*ret = (struct go_lock_state){
		.hold = state & MUTEX_LOCKED ? GO_LOCK_HELD : GO_LOCK_FREE,
		.waiters = state >> MUTEX_WAITER_SHIFT,
	};
	return true;
}
