// SPDX-License-Identifier: Apache-2.0
// What the locks beside the map say of the conflict, by the moment at which all stood. The state of a lock tells how many have
// it and never who. So what is concluded is only who has it not: when nobody has it, nobody who stands inside an operation
// on the map has.
#include "findings/rules.h"

#include "model/data/lock.h"

#include <string.h>

/** Who stands inside an operation on the map, for sure; 0: nobody. */
struct inside {
	unsigned long long detector, writer;
};

/** A recorder tells who was inside when the check failed, which is a little before. */
static bool stands_in_write(const struct side *side)
{
	return side && side->confidence == CONFIDENCE_PROVEN && side->goroutine &&
	       (!strcmp(side->rule, "in_write_op") || !strcmp(side->rule, "second_detector"));
}

static struct inside inside_of(const struct findings *findings)
{
	struct inside inside = {0};

	if (findings->detector && findings->detector->goroutine)
		inside.detector = findings->detector->goroutine->id;
	if (stands_in_write(findings->other))
		inside.writer = findings->other->goroutine->id;
	return inside;
}

/** Who is inside a write, and so should have had it alone. */
static unsigned long long writer_of(const struct findings *findings, const struct inside *inside)
{
	if (inside->writer)
		return inside->writer;
	return findings->detector && map_operation_writes(findings->detector->operation)
		       ? inside->detector
		       : 0;
}

static const char *waiting(struct arena *arena, const struct go_lock_state *state)
{
	if (state->writer_waits)
		return "; a writer waits for it";
	return state->waiters ? arena_format(arena, "; %u wait%s for it", state->waiters,
					     state->waiters == 1 ? "s" : "")
			      : "";
}

static const char *says_free(struct arena *arena, const struct inside *inside)
{
	if (inside->writer)
		return arena_format(arena,
				    "unlocked: neither goroutine %llu nor goroutine %llu, both in "
				    "the middle of an operation on the map, holds it",
				    inside->detector, inside->writer);
	return arena_format(arena,
			    "unlocked: goroutine %llu, in the middle of its operation on the map, "
			    "does not hold it",
			    inside->detector);
}

static const char *says_shared(const struct findings *findings, const struct go_lock_state *state,
			       const struct inside *inside)
{
	unsigned long long writer = writer_of(findings, inside);
	const char *readers = arena_format(findings->arena, "%u read lock%s, no write lock",
					   state->readers, state->readers == 1 ? "" : "s");

	if (!writer)
		return readers;
	return arena_format(findings->arena,
			    "%s: goroutine %llu is in the middle of a write without the write lock",
			    readers, writer);
}

static const char *says_held(enum go_lock_kind kind)
{
	return kind == GO_LOCK_RWMUTEX
		       ? "locked for writing, or just being locked; by whom is not recorded: by "
			 "one "
			 "of the two sides at most"
		       : "locked; by whom is not recorded: by one of the two sides at most";
}

static const char *says(const struct findings *findings, const struct lock *lock,
			const struct inside *inside)
{
	const struct go_lock_state *state = &lock->state;
	const char *said = state->hold == GO_LOCK_FREE     ? says_free(findings->arena, inside)
			   : state->hold == GO_LOCK_SHARED ? says_shared(findings, state, inside)
							   : says_held(lock->kind);

	return arena_format(findings->arena, "%s%s", said, waiting(findings->arena, state));
}

static bool is_listed(const struct conflict_map *map, const struct lock *lock)
{
	for (size_t i = 0; i < map->lock_count; i++)
		if (map->locks[i].lock->address == lock->address)
			return true;
	return false;
}

void lock_state_read(struct reasoning *reasoning)
{
	struct findings *findings = reasoning->findings;
	struct conflict_map *map = &findings->map;
	const struct inside inside = inside_of(findings);
	size_t room = 0;

	for (size_t i = 0; i < map->owner_count; i++)
		room += map->owners[i].lock_count;
	if (!room || !inside.detector || map->sure < CONFIDENCE_PROVEN)
		return; // maybe they stand beside another map
	map->locks = arena_array(findings->arena, room, sizeof(*map->locks));
	for (size_t i = 0; i < map->owner_count; i++)
		for (size_t k = 0; k < map->owners[i].lock_count; k++) {
			const struct lock *lock = &map->owners[i].locks[k];

			if (!is_listed(map, lock))
				map->locks[map->lock_count++] =
					(struct lock_fact){lock, says(findings, lock, &inside)};
		}
}
