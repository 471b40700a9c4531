// SPDX-License-Identifier: Apache-2.0
// A Go 1.22 program that died of a map fatal: goroutine 1 read main.sessions and found it being
// written. A test adds who else there was.
#pragma once
#include "../model/build_program.h"
#include "findings/derive.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct crash {
	struct made made;
	uint64_t type, map, other_map, variable;
	uint64_t access, assign, fatal, park, sweep; /**< the runtime's functions */
	uint64_t lock, shared_lock;                  /**< sync.(*RWMutex).Lock, .RLock */
	uint64_t read, write, work; /**< main.get, main.put; main.work, which does nothing */
	uint64_t initializer;       /**< main.init.0 */
	uint64_t runtime_main, main, task, newproc; /**< see crash_start_task() */
	uint64_t starter, helper;                   /**< main.starter, main.helper: empty */
	uint64_t read_returns, write_returns;       /**< of their calls of the map functions */
	struct findings *findings;
};

static inline void crash_init(struct crash *c)
{
	struct made *made = &c->made;

	made_init(made, 22, GO_ARCH_AMD64);
	c->access = made_function(made, "runtime.mapaccess1_fast64", 32);
	c->assign = made_function(made, "runtime.mapassign_fast64", 32);
	c->fatal = made_function(made, "runtime.fatal", 32);
	c->park = made_function(made, "runtime.gopark", 32);
	c->sweep = made_function(made, "runtime.bgsweep", 32);
	c->lock = made_function(made, "sync.(*RWMutex).Lock", 32);
	c->read = made_function(made, "main.get", 64);
	c->write = made_function(made, "main.put", 64);
	c->work = made_function(made, "main.work", 64);
	c->shared_lock = made_function(made, "sync.(*RWMutex).RLock", 32);
	c->initializer = made_function(made, "main.init.0", 64);
	c->runtime_main = made_function(made, "runtime.main", 32);
	c->newproc = made_function(made, "runtime.newproc", 32);
	c->main = made_function(made, "main.main", 64);
	c->task = made_function(made, "main.task", 64);
	c->starter = made_function(made, "main.starter", 64);
	c->helper = made_function(made, "main.helper", 64);
	c->type = made_map_type(made, "map[int]int");
	c->map = made_map(made);
	c->other_map = made_map(made);
	c->variable = made_variable(made, c->map);
	// the type alone: which map it is, only the arguments say
	c->read_returns = made_map_call(made, c->read + 0x20, c->access, c->type, 0);
	c->write_returns = made_map_call(made, c->write + 0x20, c->assign, c->type, 0);
	made_open(made);
	c->findings = NULL;
}

static inline void crash_done(struct crash *c)
{
	findings_free(c->findings);
	made_done(&c->made);
}

/** Inside @a operation on @a map (0: its frames no longer hold it), called from the code before @a returns. */
static inline size_t crash_in(struct crash *c, uint64_t id, uint64_t operation, uint64_t returns,
			      uint64_t map)
{
	size_t g = made_goroutine(&c->made, id, GO_STATUS_RUNNABLE, c->work);

	made_push(&c->made, g, returns);
	made_push(&c->made, g, operation + 0x40);
	made_argument(&c->made, g, 0, c->type);
	made_argument(&c->made, g, 1, map);
	return g;
}

static inline size_t crash_in_fatal(struct crash *c, uint64_t id, uint64_t operation,
				    uint64_t returns, uint64_t map)
{
	size_t g = crash_in(c, id, operation, returns, map);

	made_push(&c->made, g, c->fatal + 0x40);
	return g;
}

/** Goroutine 1. */
static inline void crash_detector(struct crash *c)
{
	crash_in_fatal(c, 1, c->access, c->read_returns, c->map);
}

/** In main.work, having written @a map before. */
static inline size_t crash_has_written(struct crash *c, uint64_t id, uint32_t status, uint64_t map)
{
	size_t g = made_goroutine(&c->made, id, status, c->work);

	made_push(&c->made, g, c->work + 0x40);
	made_ghost(&c->made, g, 256, c->write_returns, map);
	return g;
}

/** Has main.put called with the map in hand, and not written yet. */
static inline size_t crash_will_write(struct crash *c, uint64_t id, uint32_t status)
{
	size_t g = made_goroutine(&c->made, id, status, c->work);

	made_push(&c->made, g, c->write + 0x10);
	made_local(&c->made, g, 2, c->map);
	return g;
}

/** main.main starts a goroutine with main.task, which calls main.put: nobody else can come to that write. */
static inline void crash_start_task(struct crash *c)
{
	made_address(&c->made, c->runtime_main + 0x20, c->main);
	made_address(&c->made, c->main + 0x20, c->task);
	made_call(&c->made, c->main + 0x30, c->newproc);
	made_call(&c->made, c->task + 0x40, c->write);
}

/** In main.task, at @a offset. */
static inline size_t crash_in_task(struct crash *c, uint64_t id, uint32_t status, unsigned offset)
{
	size_t g = made_goroutine(&c->made, id, status, c->task);

	made_push(&c->made, g, c->task + offset);
	made_local(&c->made, g, 2, c->map);
	return g;
}

static inline struct findings *crash_explain(struct crash *c)
{
	made_read(&c->made);
	c->findings = findings_derive(&c->made.space.program);
	return c->findings;
}

static inline bool crash_has_gap(const struct crash *c, const char *what)
{
	const struct gap_list *gaps = &c->made.space.program.gaps;

	for (size_t i = 0; i < gaps->count; i++)
		if (!strcmp(gaps->items[i].what, what))
			return true;
	return false;
}
