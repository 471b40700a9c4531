// SPDX-License-Identifier: Apache-2.0
// Watches one map of a live process: a hardware watchpoint on the byte with its writing flag. A thread that has
// changed it stands still for as long as it takes to note who it is; all others run on.
#pragma once
#include "evidence/recorded/watch_log.h"
#include "record/plan.h"
#include "record/tracee.h"

struct map_watch_request {
	uint64_t map;                  /**< address of its header */
	const struct plan *plan;       /**< borrowed, as are the tables */
	struct pclntab *const *tables; /**< one per module */
	size_t table_count;
	size_t events_max;
	uint64_t ns_max;
};

struct map_watch;

struct map_watch *map_watch_new(struct tracee *tracee, const struct map_watch_request *request);
/** Takes the watchpoint out when the process is still held, and frees. */
void map_watch_free(struct map_watch *watch);

/**
 * Watches a stopped process until there is enough, or it ends, or one of this process's signals that the tracee catches
 * comes. A breakpoint ends it when @a is_fatal says so of the thread there, and all threads stay stopped.
 * @param ret_fatal  the thread of WATCH_ENDED_FATAL; else 0
 */
struct error *map_watch_run(struct map_watch *watch, bool (*is_fatal)(struct tracee *, pid_t),
			    pid_t *ret_fatal);
/** Notes that the thread, which stands at the runtime's fatal error, gave up because of this map. */
void map_watch_give_up(struct map_watch *watch, pid_t tid);
/** Valid until the next call or map_watch_free(); names point into the tables. */
const struct watch_log *map_watch_log(struct map_watch *watch);

/**
 * Lets every thread but one, which is held inside its own operation on the map, run on until a write of it begins or
 * another thread comes to a breakpoint, and stops them. Whoever begins it has no lock in common with the one that is held.
 * @param ret_writer  the thread that has begun to write; 0 when none has
 * @param ret_more  something was seen
 */
struct error *map_watch_await_write(struct tracee *tracee, const struct plan *plan, uint64_t map,
				    pid_t held, unsigned ms, pid_t *ret_writer, bool *ret_more);

static inline void map_watch_free_at(struct map_watch **watch) { map_watch_free(*watch); }
