// SPDX-License-Identifier: Apache-2.0
// Every g of runtime.allgs, dead ones included: their stacks may still show what they did last.
#include "model/process/goroutine.h"

#include "base/limits.h"
#include "model/process/label.h"
#include "model/stack/spot.h"
#include "model/stack/unwind.h"
#include "model/process/variable.h"

#include <glib.h>
#include <stdlib.h>

#define SLICE_LENGTH         8
#define WAIT_REASON_STRINGS  10 /* up to this minor g.waitreason is a string */
#define WAIT_REASON_MAX_SIZE 64
#define PARENT_UNKNOWN       0

static const char *read_wait_reason(struct program *program, uint64_t g)
{
	uint64_t at = g + (uint64_t)program_offset(program, GO_G_WAITREASON);
	const char *reason;
	uint8_t number;

	if (program->layout->version.minor <= WAIT_REASON_STRINGS) {
		reason = program_string(program, at, WAIT_REASON_MAX_SIZE, WAIT_REASON_MAX_SIZE);
		return reason ? reason : "";
	}
	if (!memory_u8(program->memory, at, &number))
		return "";
	reason = go_wait_reason(program->layout->version, number);
	return reason ? reason : "";
}

static uint32_t thread_running(const struct program *program, uint64_t g)
{
	uint64_t m = program_word(program, g, GO_G_M);

	for (size_t i = 0; m && i < program->thread_count; i++)
		if (program->threads[i].address == m)
			return program_word(program, m, GO_M_CURG) == g ? (uint32_t)i : NO_INDEX;
	return NO_INDEX;
}

static void read_places(struct program *program, struct goroutine *goroutine)
{
	const struct spot *start = program_spot(program, goroutine->start_pc, true), *go;

	goroutine->start_function = start ? start->function.name : "";
	goroutine->system = go_is_system_goroutine(goroutine->start_function);
	// the first goroutine is the start-up code's
	if (goroutine->id == 1 || !goroutine->go_pc)
		return;
	go = program_spot(program, goroutine->go_pc, false);
	if (!go)
		return;
	// created-by names the function that holds the go statement, not what was inlined there
	if (go->site_count)
		goroutine->created_by = go->sites[0];
	goroutine->created_by.function = go->function.name;
}

static void read_live_state(struct program *program, struct goroutine *goroutine)
{
	uint64_t g = goroutine->address;
	struct unwind_start start;

	goroutine->thread = thread_running(program, g);
	if (goroutine->status == GO_STATUS_WAITING)
		goroutine->wait_reason = read_wait_reason(program, g);
	goroutine->locked = program_word(program, g, GO_G_LOCKEDM) != 0;
	goroutine->labels = labels_read(program, program_word(program, g, GO_G_LABELS));
	goroutine->live_sp = goroutine->stack_hi;
	if (unwind_start_of(program, goroutine, &start))
		goroutine->live_sp = start.sp;
}

static bool is_dead(const struct goroutine *goroutine)
{
	return goroutine->status == GO_STATUS_DEAD || goroutine->status == GO_STATUS_DEADEXTRA ||
	       goroutine->status == GO_STATUS_IDLE;
}

static bool read_goroutine(struct program *program, uint64_t g, struct goroutine *ret)
{
	uint32_t status;

	if (!memory_u32(program->memory, g + (uint64_t)program_offset(program, GO_G_ATOMICSTATUS),
			&status))
		return false;
	ret->address = g;
	ret->id = program_word(program, g, GO_G_GOID);
	ret->status = status & ~GO_STATUS_SCAN;
	ret->stack_lo = program_word(program, g, GO_G_STACK_LO);
	ret->stack_hi = program_word(program, g, GO_G_STACK_HI);
	if (ret->stack_hi < ret->stack_lo || ret->stack_hi - ret->stack_lo > LIMIT_STACK_BYTES)
		ret->stack_lo = ret->stack_hi = 0;
	ret->live_sp = ret->stack_hi;
	ret->start_pc = program_word(program, g, GO_G_STARTPC);
	ret->go_pc = program_word(program, g, GO_G_GOPC);
	ret->parent_id = program_word(program, g, GO_G_PARENT_GOID);
	ret->thread = NO_INDEX;
	ret->wait_reason = "";
	ret->wait_ns = -1;
	read_places(program, ret);
	if (!is_dead(ret))
		read_live_state(program, ret);
	return true;
}

static int by_life_then_id(const void *a, const void *b)
{
	const struct goroutine *x = a, *y = b;

	if (is_dead(x) != is_dead(y))
		return is_dead(x) ? 1 : -1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/** When the process died, on the runtime's own clock: the latest time that anything in it noted. */
static uint64_t latest_time(struct program *program)
{
	uint64_t sched = program_runtime_variable(program, "runtime.sched");
	uint64_t latest = sched ? program_word(program, sched, GO_SCHED_LASTPOLL) : 0;

	for (size_t i = 0; i < program->live_count; i++) {
		uint64_t since =
			program_word(program, program->goroutines[i].address, GO_G_WAITSINCE);

		latest = MAX(latest, since);
	}
	return latest;
}

static void read_wait_times(struct program *program)
{
	uint64_t now = latest_time(program);

	for (size_t i = 0; i < program->live_count; i++) {
		struct goroutine *goroutine = &program->goroutines[i];
		uint64_t since = program_word(program, goroutine->address, GO_G_WAITSINCE);
		bool waits = goroutine->status == GO_STATUS_WAITING ||
			     goroutine->status == GO_STATUS_SYSCALL;

		if (waits && since && since <= now)
			goroutine->wait_ns = (int64_t)(now - since);
	}
}

/** The living by id, then the dead; threads learn which goroutine they run. */
static void order_goroutines(struct program *program)
{
	qsort(program->goroutines, program->goroutine_count, sizeof(*program->goroutines),
	      by_life_then_id);
	while (program->live_count < program->goroutine_count &&
	       !is_dead(&program->goroutines[program->live_count]))
		program->live_count++;
	for (size_t i = 0; i < program->live_count; i++) {
		uint32_t thread = program->goroutines[i].thread;

		if (thread != NO_INDEX)
			program->threads[thread].goroutine = (uint32_t)i;
	}
}

/** allgs as the runtime publishes it: {pointer, length}. */
static bool find_allgs(struct program *program, uint64_t *ret_array, uint64_t *ret_count)
{
	uint64_t allgs = program_runtime_variable(program, "runtime.allgs");

	return allgs && memory_u64(program->memory, allgs, ret_array) &&
	       memory_u64(program->memory, allgs + SLICE_LENGTH, ret_count);
}

void goroutines_read(struct program *program)
{
	uint64_t array, count, g;

	if (!find_allgs(program, &array, &count)) {
		program_gap(program, "goroutines", "runtime.allgs was not found",
			    "everything: who was running, and who wrote");
		program->goroutines_missing = true;
		return;
	}
	if (count > LIMIT_GOROUTINES || memory_extent(program->memory, array) / sizeof(g) < count) {
		uint64_t there = memory_extent(program->memory, array) / sizeof(g);

		program_gap(program, "some goroutines", "the list of goroutines is cut off",
			    "whether one of them was the other writer");
		count = MIN(MIN(count, there), LIMIT_GOROUTINES);
		program->goroutines_missing = true;
	}
	program->goroutines = arena_array(program->arena, count, sizeof(*program->goroutines));
	for (uint64_t i = 0; i < count; i++) {
		struct goroutine *goroutine = &program->goroutines[program->goroutine_count];

		if (memory_u64(program->memory, array + i * sizeof(g), &g) && g &&
		    read_goroutine(program, g, goroutine)) {
			program->goroutine_count++;
			program->goroutines_missing |= !goroutine->start_pc && !is_dead(goroutine);
		} else {
			program->goroutines_missing = true;
		}
	}
	order_goroutines(program);
	read_wait_times(program);
}
