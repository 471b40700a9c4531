// SPDX-License-Identifier: Apache-2.0
// A stop at the runtime's fatal error, before it says or does anything: a breakpoint on the functions that
// raise it, which the process reaches once in its life.
#pragma once
#include "golang/map_function.h"
#include "record/guard.h"

#include <stddef.h>

#define FATAL_FUNCTIONS_MAX 8

struct fatal_stop {
	uint64_t entries
		[FATAL_FUNCTIONS_MAX]; /**< of runtime.fatal, or runtime.throw up to Go 1.18 */
	uint8_t first_bytes[FATAL_FUNCTIONS_MAX]; /**< as the program's file has them */
	size_t count;
	struct trap_shield shield;
	struct guard guard;
	struct error *unshielded; /**< why there is no shield; owned, NULL when there is one */
};

#define FATAL_STOP_NONE ((struct fatal_stop){.guard = {.alive = -1}})

/**
 * Breakpoints on all entries of a stopped process, behind a shield and a guard; what a watcher that was killed left there is
 * repaired first.
 * @param ret_early  the process does not handle traps yet: nothing was done, and the next thread that is born is the time
 */
struct error *fatal_stop_arm(struct fatal_stop *stop, struct tracee *tracee, bool *ret_early);
/** Takes everything out, watchpoints as well; the process stays stopped. Harmless when nothing is in. */
void fatal_stop_disarm(struct fatal_stop *stop, struct tracee *tracee);
/** The process has become another program, with which all is gone. */
void fatal_stop_forget(struct fatal_stop *stop);
/** Of the map's kind, when the thread at one of the entries raises it with a map's message; else NONE. */
enum map_fatal fatal_stop_kind(struct tracee *tracee, pid_t tid);
/**
 * Puts back what a watcher that was killed left at the entries of a process that nobody traces.
 * @param ret_repaired  how many entries had to be
 */
struct error *fatal_stop_repair(const struct fatal_stop *stop, pid_t pid, size_t *ret_repaired);
/** The same for shields, and for debug registers behind it; counted as one. The process is stopped for it. */
struct error *fatal_stop_repair_shields(pid_t pid, size_t *ret_repaired);
