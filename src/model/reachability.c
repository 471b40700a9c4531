// SPDX-License-Identifier: Apache-2.0
#include "model/reachability.h"

#include "model/heap.h"

#include <glib.h>

#define OBJECTS_MAX       20000      /* of one search */
#define WORDS_MAX         (1u << 24) /* of all searches; what is not looked at counts as leading there */
#define OBJECT_SCAN_BYTES (1u << 20)
#define VARIABLE_BYTES    8   /* the variable itself, when it is a pointer or a map */
#define STATIC_BYTES      128 /* of an object that the compiler laid out in the data segment */
#define POINTER_MIN       4096
#define WORD              sizeof(uint64_t)

struct reachability {
	struct program *program;
	uint64_t address, object; // what is searched for, and the object that holds it
	GHashTable *runtime;      // addresses of the runtime's own structures
	GHashTable *by_code;      // function entry → 1: no, 2: yes
	GHashTable *barren;       // what does not lead there → within how many pointers
	uint64_t words;           // looked at so far
};

/** One search. */
struct flood {
	struct reachability *reachability;
	GHashTable *seen;   // where an extent came from → pointers left to follow
	GArray *now, *next; // struct extent
	unsigned left;      // pointers to follow from what is entered now
	bool found, cut;
};

struct extent {
	uint64_t from, to;
};

static void exclude_runtime(struct reachability *reachability)
{
	const struct program *program = reachability->program;

	for (size_t i = 0; i < program->goroutine_count; i++)
		g_hash_table_add(reachability->runtime,
				 GSIZE_TO_POINTER(program->goroutines[i].address));
	for (size_t i = 0; i < program->thread_count; i++) {
		g_hash_table_add(reachability->runtime,
				 GSIZE_TO_POINTER(program->threads[i].address));
		g_hash_table_add(reachability->runtime, GSIZE_TO_POINTER(program->threads[i].g0));
	}
}

struct reachability *reachability_new(struct program *program, uint64_t address)
{
	struct reachability *reachability = g_new0(struct reachability, 1);
	struct heap_object object;

	reachability->program = program;
	reachability->address = reachability->object = address;
	if (heap_object_at(program, address, &object))
		reachability->object = object.address;
	reachability->runtime = g_hash_table_new(NULL, NULL);
	reachability->by_code = g_hash_table_new(NULL, NULL);
	reachability->barren = g_hash_table_new(NULL, NULL);
	exclude_runtime(reachability);
	return reachability;
}

void reachability_free(struct reachability *reachability)
{
	if (!reachability)
		return;
	g_hash_table_destroy(reachability->runtime);
	g_hash_table_destroy(reachability->by_code);
	g_hash_table_destroy(reachability->barren);
	g_free(reachability);
}

static bool in_data(const struct program *program, uint64_t address)
{
	for (size_t i = 0; i < program->module_count; i++) {
		const struct moduledata *module = &program->modules[i];

		if ((address >= module->data && address < module->edata) ||
		    (address >= module->bss && address < module->ebss))
			return true;
	}
	return false;
}

static bool is_barren(const struct reachability *reachability, gpointer key, unsigned left)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(reachability->barren, key)) >= left;
}

static void enter(struct flood *flood, uint64_t from, uint64_t to)
{
	struct extent extent = {from, MIN(to, from + OBJECT_SCAN_BYTES)};

	g_array_append_val(flood->next, extent);
}

static void enter_object(struct flood *flood, uint64_t object, uint64_t from, uint64_t to)
{
	gpointer key = GSIZE_TO_POINTER(object);

	if (!flood->left || is_barren(flood->reachability, key, flood->left) ||
	    g_hash_table_contains(flood->seen, key))
		return;
	if (g_hash_table_size(flood->seen) >= OBJECTS_MAX) {
		flood->cut = true;
		return;
	}
	g_hash_table_insert(flood->seen, key, GUINT_TO_POINTER(flood->left));
	enter(flood, from, to);
}

static void follow_word(struct flood *flood, uint64_t value)
{
	const struct reachability *reachability = flood->reachability;
	struct heap_object object;

	if (value < POINTER_MIN)
		return;
	if (value == reachability->address) {
		flood->found = true;
		return;
	}
	if (!heap_object_at(reachability->program, value, &object)) {
		if (in_data(reachability->program, value))
			enter_object(flood, value, value, value + STATIC_BYTES);
		return;
	}
	if (!object.allocated ||
	    g_hash_table_contains(reachability->runtime, GSIZE_TO_POINTER(object.address)))
		return;
	if (object.address == reachability->object)
		flood->found = true;
	else if (object.pointers)
		enter_object(flood, object.address, object.data, object.address + object.size);
}

static void follow_words(struct flood *flood, uint64_t from, uint64_t to)
{
	uint64_t value;

	flood->reachability->words += (to - from) / WORD;
	if (flood->reachability->words > WORDS_MAX)
		flood->found = true;
	for (uint64_t at = (from + WORD - 1) & ~(WORD - 1); at + WORD <= to && !flood->found;
	     at += WORD)
		if (memory_u64(flood->reachability->program->memory, at, &value))
			follow_word(flood, value);
}

static void next_level(struct flood *flood)
{
	GArray *done = flood->now;

	flood->now = flood->next;
	flood->next = done;
	g_array_set_size(flood->next, 0);
	for (guint i = 0; i < flood->now->len && !flood->found; i++) {
		const struct extent *extent = &g_array_index(flood->now, struct extent, i);

		follow_words(flood, extent->from, extent->to);
	}
}

static struct flood flood_begin(struct reachability *reachability, unsigned hops)
{
	return (struct flood){
		.reachability = reachability,
		.left = hops,
		.seen = g_hash_table_new(NULL, NULL),
		.now = g_array_new(FALSE, FALSE, sizeof(struct extent)),
		.next = g_array_new(FALSE, FALSE, sizeof(struct extent)),
	};
}

/** Searches overlap: what led nowhere once is not followed again. */
static void note_barren(gpointer key, gpointer left, gpointer context)
{
	struct reachability *reachability = context;

	if (!is_barren(reachability, key, GPOINTER_TO_UINT(left)))
		g_hash_table_insert(reachability->barren, key, left);
}

static bool flood_finish(struct flood *flood)
{
	while (flood->left && !flood->found && flood->next->len) {
		flood->left--;
		next_level(flood);
	}
	if (!flood->found && !flood->cut)
		g_hash_table_foreach(flood->seen, note_barren, flood->reachability);
	g_array_free(flood->now, TRUE);
	g_array_free(flood->next, TRUE);
	g_hash_table_destroy(flood->seen);
	return flood->found;
}

bool reachability_from_stack(struct reachability *reachability, const struct goroutine *goroutine,
			     unsigned hops)
{
	struct flood flood = flood_begin(reachability, hops);

	if (goroutine->live_sp && goroutine->live_sp < goroutine->stack_hi)
		enter(&flood, goroutine->live_sp, goroutine->stack_hi);
	return flood_finish(&flood);
}

bool reachability_from_code(struct reachability *reachability, const struct go_function *function,
			    unsigned hops)
{
	gpointer key = GSIZE_TO_POINTER(function->entry);
	gpointer known = g_hash_table_lookup(reachability->by_code, key);
	struct flood flood;
	const uint64_t *variables;
	size_t count;
	bool found;

	if (known)
		return GPOINTER_TO_INT(known) == 2;
	flood = flood_begin(reachability, hops);
	variables = sites_data_references(reachability->program->sites, function, &count);
	for (size_t i = 0; i < count; i++)
		if (in_data(reachability->program, variables[i]))
			enter(&flood, variables[i], variables[i] + VARIABLE_BYTES);
	found = flood_finish(&flood);
	g_hash_table_insert(reachability->by_code, key, GINT_TO_POINTER(found ? 2 : 1));
	return found;
}
