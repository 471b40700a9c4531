// SPDX-License-Identifier: Apache-2.0
// Makes the traps that a tracer puts into a Go process harmless when the tracer is killed: a handler of SIGTRAP in front
// of the runtime's own. A breakpoint that nobody takes goes on behind itself, a watchpoint's trap is
// forgotten, and everything else is the runtime's as before.
#pragma once
#include "record/tracee.h"

#include <stddef.h>

#define TRAP_SHIELDS_MAX 16

struct trap_shield {
	uint64_t
		page; /**< in the process: the handler's code, and then its data; 0 when there is none */
};

/** Where it can stand, for these entries: whoever is to take it out can know that before it is there. */
struct error *trap_shield_room(struct tracee *tracee, const uint64_t *entries, size_t count,
			       struct trap_shield *ret);
/**
 * Raises it in a stopped process, before the first breakpoint or watchpoint. One that a killed tracer left is replaced.
 * @param entries  where breakpoints will be; the code there must be as it is without them
 * @param shield  with its room; left without when it cannot be raised
 * @return ERROR_NOT_FOUND when the process has no handler of its own yet, as before the runtime has started
 */
struct error *trap_shield_raise(struct trap_shield *shield, struct tracee *tracee,
				const uint64_t *entries, size_t count);
/** Those that killed tracers left in a process: one that is up, and others whose raising was cut short. */
struct error *trap_shields_left(pid_t pid, struct trap_shield ret[TRAP_SHIELDS_MAX],
				size_t *ret_count);
/** Takes it out of the process, when no breakpoint or watchpoint is left. Harmless without one. */
void trap_shield_drop(struct trap_shield *shield, struct tracee *tracee);
