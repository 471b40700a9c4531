// SPDX-License-Identifier: Apache-2.0
// By the runtime's own words for a wait (runtime/runtime2.go, waitReasonStrings). A state is what the goroutine was doing
// when it was looked at, no more: who waits for a lock did not hold that lock.
#include "findings/blocked.h"
#include "model/stack/unwind.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_LEAST 10 /* waiting goroutines of one origin */

static const struct {
	const char *prefix; /* of the wait reason; the first row that fits */
	enum blocked_class kind;
} reasons[] = {
	{"chan receive (nil chan)", BLOCKED_FOREVER},
	{"chan send (nil chan)", BLOCKED_FOREVER},
	{"select (no cases)", BLOCKED_FOREVER},
	{"chan ", BLOCKED_CHANNEL},
	{"select", BLOCKED_SELECT},
	{"sync.Mutex", BLOCKED_LOCK},
	{"sync.RWMutex", BLOCKED_LOCK},
	{"sync.WaitGroup", BLOCKED_GROUP},
	{"sync.Cond", BLOCKED_GROUP},
	{"IO wait", BLOCKED_NETWORK},
	{"sleep", BLOCKED_SLEEP},
	{"GC ", BLOCKED_COLLECTOR},
	{"wait for GC cycle", BLOCKED_COLLECTOR},
	{"garbage collection", BLOCKED_COLLECTOR},
	{"stopping the world", BLOCKED_COLLECTOR},
	{"flushing proc caches", BLOCKED_COLLECTOR},
};

static const struct {
	const char *name, *meaning;
} classes[] = {
	[BLOCKED_NOT] = {"running or ready to run",
			 "one of these can be in the middle of a map operation"},
	[BLOCKED_LOCK] = {"waiting for a lock",
			  "somebody else holds it; the waiting one may hold others, and a map that "
			  "it walks"},
	[BLOCKED_CHANNEL] = {"waiting at a channel", "the other end has not come yet"},
	[BLOCKED_SELECT] = {"waiting in a select", "mostly a worker without work"},
	[BLOCKED_NETWORK] = {"waiting for the network",
			     "parked until bytes come or a deadline passes"},
	[BLOCKED_SYSCALL] = {"in a system call or in C",
			     "runs outside Go; it may come back at any time"},
	[BLOCKED_SLEEP] = {"asleep", "its time has not come"},
	[BLOCKED_GROUP] = {"waiting for others to finish",
			   "a WaitGroup or a Cond that is not satisfied"},
	[BLOCKED_COLLECTOR] = {"held by the garbage collector",
			       "stopped in the middle of its own work, which may be a map write"},
	[BLOCKED_FOREVER] = {"waiting for what never comes",
			     "a nil channel or an empty select: it is leaked"},
	[BLOCKED_OTHER] = {"waiting for something else", ""},
};

const char *blocked_name(enum blocked_class kind) { return classes[kind].name; }
const char *blocked_meaning(enum blocked_class kind) { return classes[kind].meaning; }

/** The lock function on its stack; NULL when it is in none. Up to Go 1.19 the reason says "semacquire" for all of them. */
static const char *lock_of(const struct stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		const char *name = stack->frames[i].site->function;

		if (g_str_has_prefix(name, "sync.(*Mutex).Lock") ||
		    g_str_has_prefix(name, "sync.(*RWMutex)."))
			return name;
		if (!stack->frames[i].runtime && !g_str_has_prefix(name, "sync.") &&
		    !g_str_has_prefix(name, "internal/sync."))
			return NULL;
	}
	return NULL;
}

static bool in_group(const struct stack *stack)
{
	for (size_t i = 0; i < stack->count; i++)
		if (g_str_has_prefix(stack->frames[i].site->function, "sync.(*WaitGroup)"))
			return true;
	return false;
}

static enum blocked_class class_of(struct program *program, struct goroutine *goroutine)
{
	const char *reason = goroutine->wait_reason;
	const struct stack *stack;

	if (goroutine->status == GO_STATUS_SYSCALL || goroutine->status == GO_STATUS_DEADEXTRA)
		return BLOCKED_SYSCALL;
	if (goroutine->status != GO_STATUS_WAITING)
		return BLOCKED_NOT;
	for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
		if (g_str_has_prefix(reason, reasons[i].prefix))
			return reasons[i].kind;
	stack = program_stack(program, goroutine);
	return lock_of(stack) ? BLOCKED_LOCK : in_group(stack) ? BLOCKED_GROUP : BLOCKED_OTHER;
}

static uint64_t weight(const struct goroutine *goroutine)
{
	return goroutine->count ? goroutine->count : 1;
}

static void count_row(struct blocked_row *rows, enum blocked_class kind,
		      const struct goroutine *goroutine)
{
	rows[kind].count += weight(goroutine);
	rows[kind].longest_ns = MAX(rows[kind].longest_ns, goroutine->wait_ns);
}

static bool same_place(const struct go_site *a, const struct go_site *b)
{
	return a->line == b->line && g_strcmp0(a->file, b->file) == 0 &&
	       g_strcmp0(a->function, b->function) == 0;
}

static bool is_of_lock(const struct frame *frame)
{
	return frame->runtime || g_str_has_prefix(frame->site->function, "sync.") ||
	       g_str_has_prefix(frame->site->function, "internal/sync.");
}

static void count_crowd(GArray *crowds, const struct goroutine *goroutine, const char *lock)
{
	const struct stack *stack = &goroutine->stack;
	struct blocked_crowd fresh = {.lock = lock,
				      .count = weight(goroutine),
				      .longest_ns = goroutine->wait_ns,
				      .bearing = ""};
	size_t i = 0;

	while (i < stack->count && is_of_lock(&stack->frames[i]))
		i++;
	if (i == stack->count)
		return;
	fresh.frame = &stack->frames[i];
	for (guint j = 0; j < crowds->len; j++) {
		struct blocked_crowd *crowd = &g_array_index(crowds, struct blocked_crowd, j);

		if (!same_place(crowd->frame->site, fresh.frame->site))
			continue;
		crowd->count += fresh.count;
		crowd->longest_ns = MAX(crowd->longest_ns, fresh.longest_ns);
		return;
	}
	g_array_append_val(crowds, fresh);
}

static guint hash_place(gconstpointer data)
{
	const struct go_site *site = data;

	return g_str_hash(site->function) * 31 + (guint)site->line;
}

static gboolean equal_place(gconstpointer a, gconstpointer b) { return same_place(a, b); }

static void count_source(GHashTable *sources, const struct goroutine *goroutine,
			 enum blocked_class kind)
{
	struct blocked_source *source;

	if (!goroutine->created_by.function)
		return;
	source = g_hash_table_lookup(sources, &goroutine->created_by);
	if (!source) {
		source = g_new0(struct blocked_source, 1);
		source->created_by = &goroutine->created_by;
		source->longest_ns = -1;
		g_hash_table_insert(sources, (gpointer)&goroutine->created_by, source);
	}
	source->count += weight(goroutine);
	if (kind != BLOCKED_NOT)
		source->waiting += weight(goroutine);
	source->longest_ns = MAX(source->longest_ns, goroutine->wait_ns);
}

static int fewer(uint64_t a, uint64_t b) { return a < b ? 1 : -(a > b); }

static int by_row(const void *a, const void *b)
{
	return fewer(((const struct blocked_row *)a)->count,
		     ((const struct blocked_row *)b)->count);
}

static int by_crowd(const void *a, const void *b)
{
	return fewer(((const struct blocked_crowd *)a)->count,
		     ((const struct blocked_crowd *)b)->count);
}

static int by_source(const void *a, const void *b)
{
	return fewer(((const struct blocked_source *)a)->waiting,
		     ((const struct blocked_source *)b)->waiting);
}

static void take_crowds(struct blocked *blocked, GArray *crowds)
{
	if (crowds->len)
		qsort(crowds->data, crowds->len, sizeof(struct blocked_crowd), by_crowd);
	for (guint i = 0; i < crowds->len && blocked->crowd_count < BLOCKED_LISTED; i++)
		blocked->crowds[blocked->crowd_count++] =
			g_array_index(crowds, struct blocked_crowd, i);
}

static void take_sources(struct blocked *blocked, GHashTable *sources)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(struct blocked_source));
	GHashTableIter each;
	gpointer source;

	g_hash_table_iter_init(&each, sources);
	while (g_hash_table_iter_next(&each, NULL, &source))
		g_array_append_vals(all, source, 1);
	if (all->len)
		qsort(all->data, all->len, sizeof(struct blocked_source), by_source);
	for (guint i = 0; i < all->len && blocked->source_count < BLOCKED_LISTED; i++)
		if (g_array_index(all, struct blocked_source, i).waiting >= SOURCE_LEAST)
			blocked->sources[blocked->source_count++] =
				g_array_index(all, struct blocked_source, i);
	g_array_free(all, TRUE);
}

struct blocked blocked_find(struct program *program)
{
	struct blocked blocked = {0};
	GArray *crowds = g_array_new(FALSE, FALSE, sizeof(struct blocked_crowd));
	GHashTable *sources = g_hash_table_new_full(hash_place, equal_place, NULL, g_free);

	for (size_t i = 0; i < BLOCKED_CLASSES; i++)
		blocked.rows[i] = (struct blocked_row){(enum blocked_class)i, 0, -1};
	for (size_t i = 0; i < program->live_count; i++) {
		struct goroutine *goroutine = &program->goroutines[i];
		enum blocked_class kind;

		if (goroutine->system)
			continue;
		kind = class_of(program, goroutine);
		count_row(blocked.rows, kind, goroutine);
		if (kind == BLOCKED_LOCK)
			count_crowd(crowds, goroutine, lock_of(program_stack(program, goroutine)));
		count_source(sources, goroutine, kind);
	}
	qsort(blocked.rows, BLOCKED_CLASSES, sizeof(struct blocked_row), by_row);
	while (blocked.row_count < BLOCKED_CLASSES && blocked.rows[blocked.row_count].count)
		blocked.row_count++;
	take_crowds(&blocked, crowds);
	take_sources(&blocked, sources);
	blocked.walks = walks_find(program);
	g_hash_table_destroy(sources);
	g_array_free(crowds, TRUE);
	return blocked;
}
