// SPDX-License-Identifier: Apache-2.0
// The kernel tells of two threads' traps in any order. So when a write begins while another is under way, every thread
// is stopped, and ends that have happened but were not told are taken first: what is still under way then truly is.
#include "record/map_watch.h"

#include "golang/runtime.h"

#include <glib.h>
#include <time.h>

#define FRAMES_MAX      32
#define WORD            8
#define NS_PER_MS       1000000u
#define OVERLAPS_MAX    1024u
#define OPEN_WRITES_MAX 1024u

struct open_write {
	uint64_t goroutine;
	size_t event;
};

/** One trap, before it is known in which order it counts. */
struct trap {
	pid_t tid;
	struct user_regs_struct registers;
	enum map_moment moment;
	bool known; /**< it changes the flag */
};

struct map_watch {
	struct tracee *tracee;
	struct map_watch_request request;
	uint64_t flag, begin_ns;
	GArray *events;   // struct watch_event
	GArray *overlaps; // struct watch_overlap
	GArray *open;     // struct open_write
	struct watch_log log;
	bool interrupted, ended;
};

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t flag_of(const struct plan *plan, uint64_t map)
{
	return map + (uint64_t)plan->layout->offset[plan->swiss ? GO_SWISS_WRITING : GO_HMAP_FLAGS];
}

struct map_watch *map_watch_new(struct tracee *tracee, const struct map_watch_request *request)
{
	struct map_watch *watch = g_new0(struct map_watch, 1);

	watch->tracee = tracee;
	watch->request = *request;
	watch->flag = flag_of(request->plan, request->map);
	watch->events = g_array_new(FALSE, TRUE, sizeof(struct watch_event));
	watch->overlaps = g_array_new(FALSE, FALSE, sizeof(struct watch_overlap));
	watch->open = g_array_new(FALSE, FALSE, sizeof(struct open_write));
	return watch;
}

void map_watch_free(struct map_watch *watch)
{
	if (!watch)
		return;
	if (tracee_is_held(watch->tracee)) {
		error_free(tracee_stop(watch->tracee));
		tracee_unwatch(watch->tracee);
	}
	g_array_free(watch->events, TRUE);
	g_array_free(watch->overlaps, TRUE);
	g_array_free(watch->open, TRUE);
	g_free(watch);
}

const struct watch_log *map_watch_log(struct map_watch *watch)
{
	watch->log.events = (const struct watch_event *)(const void *)watch->events->data;
	watch->log.event_count = watch->events->len;
	watch->log.overlaps = (const struct watch_overlap *)(const void *)watch->overlaps->data;
	watch->log.overlap_count = watch->overlaps->len;
	watch->log.incomplete =
		watch->request.plan->complete ? NULL : watch->request.plan->incomplete_because;
	return &watch->log;
}

/* Who and where */

static bool read_word(const struct map_watch *watch, uint64_t address, uint64_t *ret)
{
	return tracee_read(watch->tracee, address, ret, sizeof(*ret));
}

/** In map code g is where the compiler keeps it. */
static uint64_t goroutine_at(const struct map_watch *watch, const struct user_regs_struct *at)
{
	const struct plan *plan = watch->request.plan;
	uint64_t g = at->r14, id = 0;

	if (!plan->g_in_register &&
	    !read_word(watch, at->fs_base + (uint64_t)(int64_t)plan->tls_offset, &g))
		return 0;
	return read_word(watch, g + (uint64_t)plan->layout->offset[GO_G_GOID], &id) ? id : 0;
}

static const struct pclntab *table_of(const struct map_watch *watch, uint64_t pc,
				      struct go_function *ret)
{
	for (size_t i = 0; i < watch->request.table_count; i++)
		if (pclntab_find(watch->request.tables[i], pc, ret))
			return watch->request.tables[i];
	return NULL;
}

static bool first_user_site(const struct pclntab *table, uint64_t pc, struct go_site *ret)
{
	struct go_site sites[PCLNTAB_MAX_INLINED];
	size_t count = pclntab_sites(table, pc, sites);

	for (size_t i = 0; i < count; i++)
		if (!go_is_runtime_function(sites[i].function)) {
			*ret = sites[i];
			return true;
		}
	return false;
}

static struct go_site innermost_site(const struct pclntab *table, uint64_t pc)
{
	struct go_site sites[PCLNTAB_MAX_INLINED];

	return pclntab_sites(table, pc, sites) ? sites[0] : (struct go_site){0};
}

/** Outwards, to the code that asked for the operation. */
static void find_site(const struct map_watch *watch, const struct user_regs_struct *at,
		      bool at_entry, struct watch_event *event)
{
	uint64_t look = at->rip - !at_entry, sp = at->rsp, pc;

	for (int i = 0; i < FRAMES_MAX; i++) {
		struct go_function function;
		const struct pclntab *table = table_of(watch, look, &function);
		const struct go_map_function *known;
		int32_t delta;

		if (!table)
			return;
		if (i == 0)
			event->place = innermost_site(table, look);
		if (first_user_site(table, look, &event->site))
			return;
		known = go_map_function_find(function.name);
		if (known && known->operation != MAP_GROW)
			event->operation = known->operation;
		if (!pclntab_sp_delta(table, &function, look, &delta) || delta < 0 ||
		    !read_word(watch, sp + (uint64_t)delta, &pc))
			return;
		sp += (uint64_t)delta + WORD;
		look = pc - 1;
	}
}

static size_t add_event(struct map_watch *watch, enum watch_event_kind kind, pid_t tid,
			const struct user_regs_struct *registers)
{
	struct watch_event event = {.kind = kind,
				    .thread = tid,
				    .operation = MAP_WRITE,
				    .at_ns = clock_ns() - watch->begin_ns};

	event.goroutine = goroutine_at(watch, registers);
	find_site(watch, registers, kind == WATCH_GIVE_UP, &event);
	g_array_append_val(watch->events, event);
	return watch->events->len - 1;
}

/* Which change of the byte it was */

/** A watchpoint traps behind the instruction that has written. */
static bool moment_at(const struct plan *plan, uint64_t pc, enum map_moment *ret)
{
	for (size_t i = 0; i < plan->hook_count; i++) {
		const struct map_hook *hook = &plan->hooks[i].at;

		if (hook->moment != MOMENT_GIVE_UP && pc > hook->address &&
		    pc <= hook->address + hook->size) {
			*ret = (enum map_moment)hook->moment;
			return true;
		}
	}
	return false;
}

static bool read_trap(struct map_watch *watch, pid_t tid, struct trap *ret)
{
	scoped(error) struct error *error = tracee_registers(watch->tracee, tid, &ret->registers);

	ret->tid = tid;
	ret->known = !error && moment_at(watch->request.plan, ret->registers.rip, &ret->moment);
	watch->log.other_writes += !error && !ret->known;
	return ret->known;
}

/* Writes under way */

static guint open_index(const struct map_watch *watch, uint64_t goroutine)
{
	guint i = 0;

	while (i < watch->open->len &&
	       g_array_index(watch->open, struct open_write, i).goroutine != goroutine)
		i++;
	return i;
}

static void close_write(struct map_watch *watch, const struct trap *trap)
{
	size_t event = add_event(watch, WATCH_CLEAR, trap->tid, &trap->registers);
	guint i = open_index(watch,
			     g_array_index(watch->events, struct watch_event, event).goroutine);

	if (i < watch->open->len)
		g_array_remove_index(watch->open, i);
	else if (event) // the first may end what began before the watch
		watch->log.unpaired++;
}

static const struct watch_event *event_at(const struct map_watch *watch, size_t i)
{
	return &g_array_index(watch->events, struct watch_event, i);
}

static void add_overlap(struct map_watch *watch, size_t first, size_t second)
{
	struct watch_overlap overlap = {first, second};

	if (watch->overlaps->len < OVERLAPS_MAX)
		g_array_append_val(watch->overlaps, overlap);
}

/** Nothing is claimed of a log in which an end may have gone unseen. */
static bool is_sound(const struct map_watch *watch)
{
	return !watch->log.unpaired && watch->request.plan->complete;
}

/** @return how many others are inside */
static size_t note_overlaps(struct map_watch *watch, size_t event)
{
	size_t others = 0;

	for (guint i = 0; i < watch->open->len; i++) {
		const struct open_write *open = &g_array_index(watch->open, struct open_write, i);

		if (open->goroutine == event_at(watch, event)->goroutine)
			continue;
		others++;
		if (is_sound(watch))
			add_overlap(watch, open->event, event);
	}
	return others;
}

/** The begin of the write that the event before which was its end belongs to. */
static size_t begin_of(const struct map_watch *watch, size_t clear)
{
	size_t i = clear;

	while (i-- > 0)
		if (event_at(watch, i)->goroutine == event_at(watch, clear)->goroutine)
			return i;
	return clear;
}

/**
 * Whose write a goroutine met that gave up, when no write is under way any more: that goroutine's last change of the
 * flag came before whatever it met, so if one other goroutine alone ended a write since, that was it.
 */
static void note_met(struct map_watch *watch, size_t gave_up)
{
	uint64_t detector = event_at(watch, gave_up)->goroutine, other = 0;
	size_t i = gave_up, met = gave_up;

	if (!is_sound(watch) || watch->overlaps->len)
		return; // writes that overlapped before may have left the flag wrong
	while (i-- > 0 && event_at(watch, i)->goroutine != detector) {
		if (event_at(watch, i)->kind != WATCH_CLEAR)
			continue;
		if (other && event_at(watch, i)->goroutine != other)
			return;
		other = event_at(watch, i)->goroutine;
		met = begin_of(watch, i);
	}
	if (other && i != SIZE_MAX && event_at(watch, met)->kind == WATCH_SET)
		add_overlap(watch, met, gave_up);
}

static void open_write(struct map_watch *watch, const struct trap *trap)
{
	struct open_write opened = {
		.event = add_event(watch, WATCH_SET, trap->tid, &trap->registers)};
	guint i;

	opened.goroutine = g_array_index(watch->events, struct watch_event, opened.event).goroutine;
	i = open_index(watch, opened.goroutine);
	if (i < watch->open->len) {
		watch->log.unpaired++;
		g_array_remove_index(watch->open, i);
	}
	note_overlaps(watch, opened.event);
	if (watch->open->len < OPEN_WRITES_MAX)
		g_array_append_val(watch->open, opened);
}

/** All threads stand still. What the kernel has not told of yet. */
static struct error *take_untold(struct map_watch *watch, GArray *traps)
{
	struct tracee_event event = {.kind = TRACEE_WATCHPOINT};
	struct trap trap;

	while (event.kind != TRACEE_TIMEOUT && event.kind != TRACEE_ENDED) {
		TRY(tracee_wait(watch->tracee, 0, &event));
		watch->interrupted |= event.kind == TRACEE_SIGNALLED;
		watch->ended |= event.kind == TRACEE_ENDED || event.kind == TRACEE_EXEC;
		if (event.kind == TRACEE_WATCHPOINT && read_trap(watch, event.tid, &trap))
			g_array_append_val(traps, trap);
	}
	return NULL;
}

static void take_in_order(struct map_watch *watch, const GArray *traps)
{
	for (guint i = 0; i < traps->len; i++)
		if (g_array_index(traps, struct trap, i).moment == MOMENT_CLEAR)
			close_write(watch, &g_array_index(traps, struct trap, i));
	for (guint i = 0; i < traps->len; i++)
		if (g_array_index(traps, struct trap, i).moment == MOMENT_SET)
			open_write(watch, &g_array_index(traps, struct trap, i));
}

/** Another write seems to be under way: which are, is settled while nobody moves. */
static struct error *settle(struct map_watch *watch, const struct trap *first)
{
	g_autoptr(GArray) traps = g_array_new(FALSE, FALSE, sizeof(struct trap));

	if (first)
		g_array_append_vals(traps, first, 1);
	TRY(tracee_stop(watch->tracee));
	TRY(take_untold(watch, traps));
	take_in_order(watch, traps);
	return NULL;
}

static struct error *on_trap(struct map_watch *watch, pid_t tid)
{
	struct trap trap;

	if (read_trap(watch, tid, &trap)) {
		if (trap.moment == MOMENT_SET && watch->open->len) {
			TRY(settle(watch, &trap));
			return tracee_resume(watch->tracee);
		}
		if (trap.moment == MOMENT_SET)
			open_write(watch, &trap);
		else
			close_write(watch, &trap);
	}
	return tracee_continue(watch->tracee, tid);
}

void map_watch_give_up(struct map_watch *watch, pid_t tid)
{
	struct user_regs_struct registers;
	scoped(error) struct error *error = tracee_registers(watch->tracee, tid, &registers);
	size_t event;

	if (error)
		return;
	event = add_event(watch, WATCH_GIVE_UP, tid, &registers);
	if (note_overlaps(watch, event) == 0)
		note_met(watch, event);
}

/* The loop */

static bool is_over(struct map_watch *watch, uint64_t now)
{
	if (watch->ended)
		watch->log.end = WATCH_ENDED_PROCESS;
	else if (watch->interrupted)
		watch->log.end = WATCH_ENDED_INTERRUPTED;
	else if (watch->events->len >= watch->request.events_max)
		watch->log.end = WATCH_ENDED_EVENTS;
	else if (now - watch->begin_ns >= watch->request.ns_max)
		watch->log.end = WATCH_ENDED_TIME;
	else
		return false;
	return true;
}

static struct error *on_breakpoint(struct map_watch *watch, pid_t tid,
				   bool (*is_fatal)(struct tracee *, pid_t), pid_t *ret_fatal)
{
	if (!is_fatal(watch->tracee, tid))
		return tracee_resume(watch->tracee);
	*ret_fatal = tid;
	watch->log.end = WATCH_ENDED_FATAL;
	return settle(watch, NULL);
}

static struct error *next(struct map_watch *watch, bool (*is_fatal)(struct tracee *, pid_t),
			  pid_t *ret_fatal)
{
	uint64_t left = watch->request.ns_max - (clock_ns() - watch->begin_ns);
	struct tracee_event event = {0};

	TRY(tracee_wait(watch->tracee, (int)(left / NS_PER_MS) + 1, &event));
	switch (event.kind) {
	case TRACEE_WATCHPOINT:
		return on_trap(watch, event.tid);
	case TRACEE_BREAKPOINT:
		return on_breakpoint(watch, event.tid, is_fatal, ret_fatal);
	case TRACEE_SIGNALLED:
		watch->interrupted = true;
		return NULL;
	case TRACEE_EXEC:
	case TRACEE_ENDED:
		watch->ended = true;
		return NULL;
	default:
		return NULL;
	}
}

struct error *map_watch_run(struct map_watch *watch, bool (*is_fatal)(struct tracee *, pid_t),
			    pid_t *ret_fatal)
{
	struct error *error = NULL;

	*ret_fatal = 0;
	TRY(tracee_watch(watch->tracee, watch->flag, 1));
	watch->begin_ns = clock_ns();
	TRY(tracee_resume(watch->tracee));
	while (!error && !*ret_fatal && !is_over(watch, clock_ns()))
		error = next(watch, is_fatal, ret_fatal);
	watch->log.ns = clock_ns() - watch->begin_ns;
	return error;
}

/* Another look */

static bool begins_write(struct tracee *tracee, const struct plan *plan, pid_t tid)
{
	struct user_regs_struct registers;
	scoped(error) struct error *error = tracee_registers(tracee, tid, &registers);
	enum map_moment moment;

	return !error && moment_at(plan, registers.rip, &moment) && moment == MOMENT_SET;
}

/** @return false when there is nothing more to wait for */
static bool look_at(struct tracee *tracee, const struct plan *plan,
		    const struct tracee_event *event, pid_t *ret_writer, bool *ret_more)
{
	switch (event->kind) {
	case TRACEE_WATCHPOINT:
		if (begins_write(tracee, plan, event->tid))
			*ret_writer = event->tid;
		else
			error_free(tracee_continue(tracee, event->tid));
		*ret_more = *ret_writer != 0;
		return !*ret_more;
	case TRACEE_BREAKPOINT:
		*ret_more = true;
		return false;
	case TRACEE_TIMEOUT:
	case TRACEE_ENDED:
		return false;
	default:
		tracee_put_back(tracee, event);
		return false;
	}
}

struct error *map_watch_await_write(struct tracee *tracee, const struct plan *plan, uint64_t map,
				    pid_t held, unsigned ms, pid_t *ret_writer, bool *ret_more)
{
	uint64_t until = clock_ns() + (uint64_t)ms * NS_PER_MS, now;
	struct tracee_event event = {0};
	struct error *error = NULL;

	*ret_writer = 0;
	*ret_more = false;
	TRY(tracee_watch(tracee, flag_of(plan, map), 1));
	error = tracee_resume_others(tracee, held);
	while (!error && (now = clock_ns()) < until) {
		error = tracee_wait(tracee, (int)((until - now) / NS_PER_MS) + 1, &event);
		if (!error && !look_at(tracee, plan, &event, ret_writer, ret_more))
			break;
	}
	if (!error)
		error = tracee_stop(tracee);
	tracee_unwatch(tracee);
	return error;
}
