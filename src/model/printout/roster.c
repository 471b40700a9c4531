// SPDX-License-Identifier: Apache-2.0
#include "model/printout/roster.h"

#include "model/printout/printout_goroutine.h"

#include <glib.h>

static bool is_system(const struct dump *dump, const struct dump_goroutine *goroutine)
{
	return goroutine->flags & DUMP_GOROUTINE_SYSTEM_STACK ||
	       printout_is_system(dump, dump_group(dump, goroutine->group));
}

/** What is asked of every goroutine, found once for each group. */
static uint8_t *systems_of(const struct dump *dump)
{
	size_t n = dump_group_count(dump);
	uint8_t *system = g_new(uint8_t, n + 1);

	for (size_t i = 0; i < n; i++)
		system[i] = printout_is_system(dump, dump_group(dump, i));
	return system;
}

/** Not told of elsewhere, nor in the past: accesses that raced are of goroutines that went on. */
static bool is_alive(const struct dump *dump, const struct dump_goroutine *goroutine)
{
	return !(goroutine->flags & (DUMP_GOROUTINE_ANCESTOR | DUMP_GOROUTINE_AGAIN)) &&
	       dump_section(dump, goroutine->section)->form != DUMP_FORM_RACE;
}

bool roster_wants(const struct dump *dump, const struct roster_filter *filter, size_t goroutine)
{
	const struct dump_goroutine *one = dump_goroutine(dump, goroutine);

	if (!is_alive(dump, one))
		return false;
	if (filter->id)
		return one->id == filter->id;
	return filter->system || !is_system(dump, one);
}

static guint class_hash(gconstpointer key)
{
	const struct dump_goroutine *one = key;

	return (one->group * 2654435761u) ^ (one->state * 40503u) ^ one->section;
}

static gboolean class_equal(gconstpointer a, gconstpointer b)
{
	const struct dump_goroutine *x = a, *y = b;

	return x->group == y->group && x->state == y->state && x->section == y->section;
}

static void class_add(struct roster_class *class, const struct dump_goroutine *one)
{
	if (class->count == 0)
		class->wait_min = one->minutes;
	class->count += one->count;
	if (class->id_count < ROSTER_IDS && one->id)
		class->ids[class->id_count++] = one->id;
	class->wait_min = MIN(class->wait_min, one->minutes);
	class->wait_max = MAX(class->wait_max, one->minutes);
}

static int by_size(const void *a, const void *b, void *context)
{
	const struct roster_class *x = a, *y = b;
	const struct dump *dump = context;
	uint16_t section_x = dump_goroutine(dump, x->first)->section;
	uint16_t section_y = dump_goroutine(dump, y->first)->section;

	if (section_x != section_y)
		return section_x < section_y ? -1 : 1;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->first < y->first ? -1 : x->first > y->first;
}

struct roster *roster_new(const struct dump *dump, const struct roster_filter *filter)
{
	g_autoptr(GHashTable) index = g_hash_table_new(class_hash, class_equal);
	GArray *classes = g_array_new(FALSE, TRUE, sizeof(struct roster_class));
	struct roster *roster = g_new0(struct roster, 1);
	g_autofree uint8_t *system = systems_of(dump);

	for (size_t i = 0; i < dump_goroutine_count(dump); i++) {
		const struct dump_goroutine *one = dump_goroutine(dump, i);
		bool own = system[one->group] || one->flags & DUMP_GOROUTINE_SYSTEM_STACK;
		gpointer number = NULL;

		if (!is_alive(dump, one) || (filter->id && one->id != filter->id))
			continue;
		if (own && !filter->system && !filter->id) {
			roster->left_out += one->count;
			continue;
		}
		if (!g_hash_table_lookup_extended(index, one, NULL, &number)) {
			number = GUINT_TO_POINTER(classes->len);
			g_array_set_size(classes, classes->len + 1);
			g_array_index(classes, struct roster_class, classes->len - 1).first =
				(uint32_t)i;
			g_hash_table_insert(index, (gpointer)one, number);
		}
		class_add(&g_array_index(classes, struct roster_class, GPOINTER_TO_UINT(number)),
			  one);
		roster->goroutines += one->count;
	}
	g_array_sort_with_data(classes, by_size, (gpointer)dump);
	roster->dump = dump;
	roster->class_count = classes->len;
	roster->classes = (struct roster_class *)(gpointer)g_array_free(classes, FALSE);
	return roster;
}

void roster_free(struct roster *roster)
{
	if (!roster)
		return;
	g_free(roster->classes);
	g_free(roster);
}

/* One goroutine */

static struct stack stack_of(const struct dump *dump, const struct dump_group *group,
			     const struct dump_goroutine *printed, struct arena *arena)
{
	struct stack stack = {.count = group->frame_count, .broken = printout_broken(group)};
	struct dump_call *calls = arena_array(arena, group->frame_count, sizeof(*calls));
	struct go_site *sites = arena_array(arena, group->frame_count, sizeof(*sites));

	dump_calls(dump, printed, calls, group->frame_count);
	stack.frames = arena_array(arena, group->frame_count, sizeof(*stack.frames));
	for (size_t i = 0; i < stack.count; i++) {
		sites[i] = printout_site(dump_frame_at(dump, group, i), arena);
		stack.frames[i].site = &sites[i];
		stack.frames[i].pc = calls[i].pc ? calls[i].pc : sites[i].pc;
		stack.frames[i].runtime = go_is_runtime_function(sites[i].function);
	}
	return stack;
}

struct goroutine roster_goroutine(const struct dump *dump, size_t index, struct arena *arena)
{
	const struct dump_goroutine *printed = dump_goroutine(dump, index);
	const struct dump_group *group = dump_group(dump, printed->group);
	struct goroutine ret = printout_goroutine(dump, index, arena);

	ret.stack = stack_of(dump, group, printed, arena);
	if (group->created_by != DUMP_NO_FRAME)
		ret.created_by = printout_site(dump_frame(dump, group->created_by), arena);
	return ret;
}

/* Gaps */

static const struct {
	const char *what, *why, *would_decide;
} gap_words[DUMP_GAP_KINDS] = {
	[DUMP_GAP_ORPHAN_LINES] = {"lines of stacks", "no goroutine's stack goes on there",
				   "which goroutine they belong to"},
	[DUMP_GAP_NO_HEADER] = {"headers of goroutines",
				"the text begins within a stack, or lines are lost",
				"whose stacks these are, and their states"},
	[DUMP_GAP_CUT] = {"the end of stacks", "the text breaks off within them",
			  "the callers, and the goroutines printed after"},
	[DUMP_GAP_ELIDED] = {"frames of deep stacks", "the runtime prints the first and last only",
			     "the callers in between"},
	[DUMP_GAP_UNAVAILABLE] = {"stacks of running goroutines",
				  "the runtime does not print those of other threads",
				  "what they were doing"},
	[DUMP_GAP_LONG_LINES] = {"the rest of long lines", "lines are read up to 16 MiB",
				 "what stood there"},
	[DUMP_GAP_CALLS] = {"arguments of goroutines",
			    "there are too many to keep; each stack's first has them",
			    "which objects they worked on"},
	[DUMP_GAP_LIMIT] = {"goroutines and messages", "more than any sound program has",
			    "what they say"},
	[DUMP_GAP_DAMAGED] = {"the end of the file", "the compressed stream is cut off or damaged",
			      "the goroutines printed there"},
	[DUMP_GAP_FEWER] = {"goroutines of the profile", "there are fewer than its total",
			    "where they are"},
	[DUMP_GAP_SECTIONS] = {"deaths told of", "there are more than are kept apart",
			       "which goroutine belongs to which"},
};

struct gap *roster_gaps(const struct dump *dump, struct arena *arena, size_t *ret_count)
{
	struct gap *gaps = arena_array(arena, DUMP_GAP_KINDS, sizeof(*gaps));
	size_t n = 0;

	for (size_t i = 0; i < DUMP_GAP_KINDS; i++) {
		const struct dump_gap *gap = dump_gap(dump, (enum dump_gap_kind)i);

		if (gap->count == 0 || !gap_words[i].what)
			continue;
		gaps[n++] = (struct gap){
			arena_format(arena, "%s, %llu times from line %llu (byte %llu) on",
				     gap_words[i].what, (unsigned long long)gap->count,
				     (unsigned long long)gap->first.line,
				     (unsigned long long)gap->first.offset),
			gap_words[i].why, gap_words[i].would_decide};
	}
	*ret_count = n;
	return gaps;
}
