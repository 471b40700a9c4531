// SPDX-License-Identifier: Apache-2.0
// A stop at the runtime's fatal error, before it says or does anything: a breakpoint on the functions that
// raise it, which the process reaches once in its life.
#pragma once
#include "golang/map_function.h"
#include "record/tracee.h"

#include <stddef.h>

#define FATAL_FUNCTIONS_MAX 8

struct fatal_stop {
	uint64_t entries
		[FATAL_FUNCTIONS_MAX]; /**< of runtime.fatal, or runtime.throw up to Go 1.18 */
	uint8_t first_bytes[FATAL_FUNCTIONS_MAX]; /**< as the program's file has them */
	size_t count;
};

/** Breakpoints on all entries; what a watcher that was killed left there is repaired first. */
struct error *fatal_stop_arm(const struct fatal_stop *stop, struct tracee *tracee);
/** Of the map's kind, when the thread at one of the entries raises it with a map's message; else NONE. */
enum map_fatal fatal_stop_kind(struct tracee *tracee, pid_t tid);
/**
 * Puts back what a watcher that was killed left at the entries of a process that nobody traces.
 * @param ret_repaired  how many entries had to be
 */
struct error *fatal_stop_repair(const struct fatal_stop *stop, pid_t pid, size_t *ret_repaired);
