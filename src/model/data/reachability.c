// SPDX-License-Identifier: Apache-2.0
#include "model/data/reachability.h"

#include "model/data/heap.h"

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
	GHashTable *by_code;      // function entry → 1: no, 2: yes
	GHashTable *barren;       // what does not lead there → within how many pointers
	uint64_t words;           // looked at so far
	// of the search at work
	GHashTable *seen;   // where an extent came from → pointers left to follow
	GArray *now, *next; // struct extent
	unsigned left;      // pointers to follow from what is entered now
	bool found, cut;
};

struct extent {
	uint64_t from, to;
};

static void exclude(struct reachability *reachability, uint64_t address)
{
	g_hash_table_insert(reachability->barren, GSIZE_TO_POINTER(address),
			    GUINT_TO_POINTER(UINT_MAX));
}

/** The runtime's own structures lead everywhere, and the program's code nowhere through them. */
static void exclude_runtime(struct reachability *reachability)
{
	const struct program *program = reachability->program;

	for (size_t i = 0; i < program->goroutine_count; i++)
		exclude(reachability, program->goroutines[i].address);
	for (size_t i = 0; i < program->thread_count; i++) {
		exclude(reachability, program->threads[i].address);
		exclude(reachability, program->threads[i].g0);
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
	reachability->by_code = g_hash_table_new(NULL, NULL);
	reachability->barren = g_hash_table_new(NULL, NULL);
	reachability->seen = g_hash_table_new(NULL, NULL);
	reachability->now = g_array_new(FALSE, FALSE, sizeof(struct extent));
	reachability->next = g_array_new(FALSE, FALSE, sizeof(struct extent));
	exclude_runtime(reachability);
	return reachability;
}

void reachability_free(struct reachability *reachability)
{
	if (!reachability)
		return;
	g_hash_table_destroy(reachability->by_code);
	g_hash_table_destroy(reachability->barren);
	g_hash_table_destroy(reachability->seen);
	g_array_free(reachability->now, TRUE);
	g_array_free(reachability->next, TRUE);
	g_free(reachability);
}

static bool is_barren(const struct reachability *reachability, gpointer key, unsigned left)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(reachability->barren, key)) >= left;
}

static void enter(struct reachability *search, uint64_t from, uint64_t to)
{
	struct extent extent = {from, MIN(to, from + OBJECT_SCAN_BYTES)};

	g_array_append_val(search->next, extent);
}

static void enter_object(struct reachability *search, uint64_t object, uint64_t from, uint64_t to)
{
	gpointer key = GSIZE_TO_POINTER(object);

	if (!search->left || is_barren(search, key, search->left) ||
	    g_hash_table_contains(search->seen, key))
		return;
	if (g_hash_table_size(search->seen) >= OBJECTS_MAX) {
		search->cut = true;
		return;
	}
	g_hash_table_insert(search->seen, key, GUINT_TO_POINTER(search->left));
	enter(search, from, to);
}

static void follow_word(struct reachability *search, uint64_t value)
{
	struct heap_object object;

	if (value < POINTER_MIN)
		return;
	if (!heap_object_at(search->program, value, &object)) {
		if (program_in_data(search->program, value))
			enter_object(search, value, value, value + STATIC_BYTES);
		return;
	}
	if (!object.allocated)
		return;
	if (object.address == search->object)
		search->found = true;
	else if (object.pointers)
		enter_object(search, object.address, object.data, object.address + object.size);
}

static void follow_words(struct reachability *search, uint64_t from, uint64_t to)
{
	const struct memory *memory = search->program->memory;
	uint64_t value;

	from = (from + WORD - 1) & ~(WORD - 1);
	if (to <= from)
		return;
	search->words += (to - from) / WORD;
	// the address itself is told faster than what each word is
	if (search->words > WORDS_MAX || memory_holds(memory, from, to - from, search->address))
		search->found = true;
	for (uint64_t at = from; at + WORD <= to && !search->found; at += WORD)
		if (memory_u64(memory, at, &value))
			follow_word(search, value);
}

static void next_level(struct reachability *search)
{
	GArray *done = search->now;

	search->now = search->next;
	search->next = done;
	g_array_set_size(search->next, 0);
	for (guint i = 0; i < search->now->len && !search->found; i++) {
		const struct extent *extent = &g_array_index(search->now, struct extent, i);

		follow_words(search, extent->from, extent->to);
	}
}

static void search_begin(struct reachability *search, unsigned hops)
{
	search->left = hops;
	search->found = search->cut = false;
	g_array_set_size(search->next, 0);
	if (g_hash_table_size(search->seen))
		g_hash_table_remove_all(search->seen);
}

/** Searches overlap: what led nowhere once is not followed again. */
static void note_barren(gpointer key, gpointer left, gpointer context)
{
	struct reachability *reachability = context;

	if (!is_barren(reachability, key, GPOINTER_TO_UINT(left)))
		g_hash_table_insert(reachability->barren, key, left);
}

static bool search_finish(struct reachability *search)
{
	while (search->left && !search->found && search->next->len) {
		search->left--;
		next_level(search);
	}
	if (!search->found && !search->cut)
		g_hash_table_foreach(search->seen, note_barren, search);
	return search->found;
}

bool reachability_from_stack(struct reachability *reachability, const struct goroutine *goroutine,
			     unsigned hops)
{
	search_begin(reachability, hops);
	if (goroutine->live_sp && goroutine->live_sp < goroutine->stack_hi)
		enter(reachability, goroutine->live_sp, goroutine->stack_hi);
	return search_finish(reachability);
}

bool reachability_from_code(struct reachability *reachability, const struct go_function *function,
			    unsigned hops)
{
	gpointer key = GSIZE_TO_POINTER(function->entry);
	gpointer known = g_hash_table_lookup(reachability->by_code, key);
	const uint64_t *variables;
	size_t count;
	bool found;

	if (known)
		return GPOINTER_TO_INT(known) == 2;
	search_begin(reachability, hops);
	variables = sites_data_references(reachability->program->sites, function, &count);
	for (size_t i = 0; i < count; i++)
		if (program_in_data(reachability->program, variables[i]))
			enter(reachability, variables[i], variables[i] + VARIABLE_BYTES);
	found = search_finish(reachability);
	g_hash_table_insert(reachability->by_code, key, GINT_TO_POINTER(found ? 2 : 1));
	return found;
}
