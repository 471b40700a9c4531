// SPDX-License-Identifier: Apache-2.0
// Does the runtime variable that is thought to stand at an address look like it, in this program's
// memory?
#pragma once
#include "model/process/program.h"

/**
 * runtime.allgs: a slice whose elements are all goroutines, one of them on a thread of the core if
 * any runs.
 */
bool variable_is_allgs(struct program *program, uint64_t address);
/** runtime.allglen: the length of allgs, outside it (1.16+). */
bool variable_is_allglen(struct program *program, uint64_t address);
/** runtime.allgptr: the first word of allgs, outside it (1.16+). */
bool variable_is_allgptr(struct program *program, uint64_t address);
/** runtime.allm: a chain of Ms, each of whose g0 points back, on threads of the core. */
bool variable_is_allm(struct program *program, uint64_t address);
/** runtime.mheap_: its index gives a span that covers the spot where a known goroutine stands. */
bool variable_is_mheap(struct program *program, uint64_t address);
/** runtime.sched: its first word hands out goroutine ids, just above the largest one there is. */
bool variable_is_sched(struct program *program, uint64_t address);
/** runtime.printBacklog: a ring of 512 bytes of text. */
bool variable_is_backlog(struct program *program, uint64_t address);
/** runtime.printBacklogIndex, for the ring at @a backlog: where the next byte goes. */
bool variable_is_backlog_index(struct program *program, uint64_t backlog, uint64_t address);
