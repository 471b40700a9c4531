// SPDX-License-Identifier: Apache-2.0
// A range calls the runtime once to begin and once for each entry (cmd/compile/internal/walk/range.go@1.22.12). Code from
// which control comes to the second call and does not have to pass the first again is within the body.
#include "findings/walk.h"

#include "model/code/control.h"
#include "model/code/site.h"
#include "model/stack/unwind.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_SEARCHED 24 /* innermost first: a walk in a frame further out is a main loop's */
#define PLACES_MAX      64
#define BEGINNINGS_MAX  16 /* ranges of one function */

/* Functions of the library that go through a map, and may call others for each entry. */
static const struct {
	const char *prefix, *way;
} walkers[] = {
	{"encoding/json.mapEncoder.encode", "in encoding/json, which writes the map out"},
	{"encoding/json.(*mapEncoder).encode", "in encoding/json, which writes the map out"},
	{"encoding/json/v2.makeMapArshaler.", "in encoding/json, at an entry of the map"},
	{"encoding/gob.(*Encoder).encodeMap", "in encoding/gob, which writes the map out"},
	{"internal/fmtsort.Sort", "in fmt, which prints the map"},
	{"maps.All[", "in what is called for each entry of maps.All"},
	{"maps.Keys[", "in what is called for each entry of maps.Keys"},
	{"maps.Values[", "in what is called for each entry of maps.Values"},
	{"maps.DeleteFunc[", "in what maps.DeleteFunc calls for each entry"},
	{"maps.EqualFunc[", "in what maps.EqualFunc calls for each entry"},
};

/** What a frame at a place says. */
struct walk_place {
	const char *way; /**< NULL: that nothing walks there */
	const struct go_type
		*type; /**< of the map; NULL when the function has ranges over several types */
};

struct search {
	struct program *program;
	struct code *code;
	GHashTable *places; /**< struct go_site of a frame → struct walk_place */
	GArray *found;      /**< struct walk */
};

static bool begins(const struct map_site *site)
{
	return site->function->map_argument != MAP_ARGUMENT_NONE;
}

/** The calls of @a function that begin a range; and the type that they agree on. */
static size_t beginnings(const struct map_site *sites, size_t count, uint64_t *ret_pcs,
			 const struct go_type **ret_type)
{
	size_t n = 0;

	*ret_type = NULL;
	for (size_t i = 0; i < count; i++) {
		if (sites[i].function->operation != MAP_ITERATE || !begins(&sites[i]))
			continue;
		if (n == BEGINNINGS_MAX)
			return 0;
		*ret_type = n && *ret_type != sites[i].type ? NULL : sites[i].type;
		ret_pcs[n++] = sites[i].call_pc;
	}
	return n;
}

/** Is the frame's PC within the body of a range of its function? */
static bool in_range(const struct search *search, const struct frame *frame,
		     const struct go_type **ret)
{
	const struct go_function *function = frame->function;
	uint64_t stops[BEGINNINGS_MAX];
	size_t count, n;
	const struct map_site *sites = sites_in(search->program->sites, function, &count);
	struct control *control;
	bool found = false;
	GArray *ahead;

	n = beginnings(sites, count, stops, ret);
	if (!n)
		return false;
	control = control_read(search->program, search->code, function);
	ahead = control_ahead_until(control, frame->pc, stops, n);
	// "anywhere" is said of jumps through tables; then nothing is known
	for (size_t i = 0; i < count && !control_is_ahead(ahead, function->entry); i++)
		found |= sites[i].function->operation == MAP_ITERATE && !begins(&sites[i]) &&
			 control_is_ahead(ahead, sites[i].call_pc);
	g_array_free(ahead, TRUE);
	control_free(control);
	return found;
}

static struct walk_place place_of(const struct search *search, const struct frame *frame)
{
	struct walk_place place = {0};

	for (size_t i = 0; i < G_N_ELEMENTS(walkers); i++)
		if (g_str_has_prefix(frame->site->function, walkers[i].prefix))
			place.way = walkers[i].way;
	if (!place.way && search->program->sites && frame->pc && !frame->site->inlined &&
	    !go_is_library_function(frame->function->name) && in_range(search, frame, &place.type))
		place.way = "in the body of a range";
	return place;
}

static const struct walk_place *place_at(struct search *search, const struct frame *frame)
{
	gpointer key = (gpointer)(uintptr_t)frame->site;
	struct walk_place *place = g_hash_table_lookup(search->places, key);

	if (place)
		return place;
	place = g_new(struct walk_place, 1);
	*place = place_of(search, frame);
	g_hash_table_insert(search->places, key, place);
	return place;
}

/** The innermost frame from @a i on that is the user's own; that frame itself when there is none. */
static const struct go_site *user_site(const struct stack *stack, size_t i)
{
	size_t user = i;

	while (user < stack->count && go_is_library_function(stack->frames[user].site->function))
		user++;
	return stack->frames[user < stack->count ? user : i].site;
}

static bool same_walk(const struct walk *a, const struct walk *b)
{
	return a->way == b->way && a->type == b->type && a->site->line == b->site->line &&
	       g_str_equal(a->site->function, b->site->function);
}

static void add(GArray *found, const struct walk *walk)
{
	for (guint i = 0; i < found->len; i++) {
		struct walk *known = &g_array_index(found, struct walk, i);

		if (!same_walk(known, walk))
			continue;
		known->count += walk->count;
		known->longest_ns = MAX(known->longest_ns, walk->longest_ns);
		return;
	}
	if (found->len < PLACES_MAX)
		g_array_append_vals(found, walk, 1);
}

static void look_at(struct search *search, struct goroutine *goroutine)
{
	const struct stack *stack = program_stack(search->program, goroutine);
	struct walk walk = {.goroutine = goroutine,
			    .count = MAX(goroutine->count, 1u),
			    .longest_ns = goroutine->wait_ns};

	for (size_t i = 0; i < MIN(stack->count, FRAMES_SEARCHED) && !walk.site; i++) {
		const struct walk_place *place = place_at(search, &stack->frames[i]);

		walk.way = place->way;
		walk.type = place->type;
		walk.site = place->way ? user_site(stack, i) : NULL;
	}
	if (walk.site)
		add(search->found, &walk);
}

static int by_count(const void *a, const void *b)
{
	const struct walk *x = a, *y = b;

	return x->count < y->count ? 1 : -(x->count > y->count);
}

struct walks walks_find(struct program *program)
{
	struct search search = {
		.program = program,
		.code = code_new(program->arch),
		.places = g_hash_table_new_full(NULL, NULL, NULL, g_free),
		.found = g_array_new(FALSE, FALSE, sizeof(struct walk)),
	};
	struct walks walks = {0};

	for (size_t i = 0; i < program->live_count; i++)
		if (!program->goroutines[i].system)
			look_at(&search, &program->goroutines[i]);
	if (search.found->len)
		qsort(search.found->data, search.found->len, sizeof(struct walk), by_count);
	walks.count = MIN(search.found->len, WALKS_LISTED);
	if (walks.count)
		memcpy(walks.items, search.found->data, walks.count * sizeof(struct walk));
	g_array_free(search.found, TRUE);
	g_hash_table_destroy(search.places);
	code_free(search.code);
	return walks;
}
