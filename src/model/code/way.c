// SPDX-License-Identifier: Apache-2.0
#include "model/code/way.h"

#include <string.h>

#define NODES_MAX     65536
#define GUESSES_MAX   128 /* of one indirect call; those that are nearer to a goal come first */
#define PER_FUNCTION  8   /* ways kept from one function */
#define PER_PREFERRED 16  /* the same, when preferred goals come later */
#define NONE          UINT32_MAX

/** One function on a way, and the node that the way goes on with. */
struct node {
	uint64_t function;
	uint64_t end;
	uint64_t
		asked; // by which call, where the goal is a function of the runtime's or of reflect
	uint32_t goal, next, sibling; // sibling: the next node of the same function
	uint16_t calls;
	bool value;
};

struct of_function {
	uint32_t first, last, count;
};

struct ways {
	struct program *program;
	struct callers *callers;
	struct itabs *itabs;     // NULL before the first question
	GHashTable *methods;     // byte of an itab → GArray of node indexes
	GArray *nodes;           // struct node, nearest goals first
	GHashTable *by_function; // entry → struct of_function *
	GHashTable *handed;      // entry of the maker → GArray of node indexes
	GArray *values;          // node indexes of functions that somebody makes values of
	size_t preferred;
	unsigned steps_max;
};

static struct node *node_at(const struct ways *ways, uint32_t index)
{
	return &g_array_index(ways->nodes, struct node, index);
}

static bool has_goal(const struct ways *ways, const struct of_function *list,
		     const struct node *node)
{
	for (uint32_t i = list->count ? list->first : NONE; i != NONE;
	     i = node_at(ways, i)->sibling)
		if (node_at(ways, i)->goal == node->goal && node_at(ways, i)->asked == node->asked)
			return true;
	return false;
}

static void add(struct ways *ways, struct node node)
{
	gpointer key = GSIZE_TO_POINTER(node.function);
	struct of_function *list = g_hash_table_lookup(ways->by_function, key);
	uint32_t index = ways->nodes->len;
	uint32_t room = node.goal < ways->preferred ? PER_PREFERRED : PER_FUNCTION;

	if (!list) {
		list = g_new0(struct of_function, 1);
		g_hash_table_insert(ways->by_function, key, list);
	}
	if (index >= NODES_MAX || list->count >= room || has_goal(ways, list, &node))
		return;
	node.sibling = NONE;
	g_array_append_val(ways->nodes, node);
	if (list->count++)
		node_at(ways, list->last)->sibling = index;
	else
		list->first = index;
	list->last = index;
}

static void note_handed(struct ways *ways, uint64_t maker, uint32_t index)
{
	gpointer key = GSIZE_TO_POINTER(maker);
	GArray *list = g_hash_table_lookup(ways->handed, key);

	if (!list) {
		list = g_array_new(FALSE, FALSE, sizeof(uint32_t));
		g_hash_table_insert(ways->handed, key, list);
	}
	g_array_append_val(list, index);
}

static bool is_runtime(const struct ways *ways, uint64_t entry)
{
	struct go_function function;
	uint32_t table;

	return program_function(ways->program, entry, &function, &table) &&
	       go_is_runtime_function(function.name);
}

/** Everybody who comes to the function of node @a index in one step. */
static void expand(struct ways *ways, uint32_t index)
{
	struct node node = *node_at(ways, index);
	size_t count;
	const struct caller *callers = callers_of(ways->callers, node.function, &count);
	bool value = false, asks = !node.calls && is_runtime(ways, node.function);

	for (size_t i = 0; i < count; i++) {
		struct go_function from;
		uint32_t table;

		if (!program_function(ways->program, callers[i].end - 1, &from, &table) ||
		    from.entry == node.function || go_is_runtime_function(from.name))
			continue;
		if (callers[i].value)
			note_handed(ways, from.entry, index);
		value |= callers[i].value;
		if (node.calls < ways->steps_max)
			add(ways, (struct node){.function = from.entry,
						.end = callers[i].end,
						.asked = asks ? callers[i].end : node.asked,
						.goal = node.goal,
						.next = index,
						.calls = (uint16_t)(node.calls + 1),
						.value = callers[i].value});
	}
	if (value)
		g_array_append_val(ways->values, index);
}

static void free_array(gpointer array) { g_array_free(array, TRUE); }

struct ways *ways_new(struct program *program, const uint64_t *goals, size_t count,
		      size_t preferred, unsigned steps_max)
{
	struct ways *ways = g_new0(struct ways, 1);

	ways->program = program;
	ways->callers = callers_new(program);
	ways->nodes = g_array_new(FALSE, FALSE, sizeof(struct node));
	ways->by_function = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	ways->handed = g_hash_table_new_full(NULL, NULL, NULL, free_array);
	ways->methods = g_hash_table_new_full(NULL, NULL, NULL, free_array);
	ways->values = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	ways->preferred = preferred;
	ways->steps_max = MIN(steps_max, WAY_STEPS_MAX - 1); // one more comes before them
	for (size_t i = 0; i < count; i++)
		add(ways, (struct node){.function = goals[i], .goal = (uint32_t)i, .next = NONE});
	for (uint32_t i = 0; i < ways->nodes->len; i++)
		expand(ways, i);
	return ways;
}

void ways_free(struct ways *ways)
{
	if (!ways)
		return;
	callers_free(ways->callers);
	itabs_free(ways->itabs);
	g_array_free(ways->nodes, TRUE);
	g_hash_table_destroy(ways->by_function);
	g_hash_table_destroy(ways->handed);
	g_hash_table_destroy(ways->methods);
	g_array_free(ways->values, TRUE);
	g_free(ways);
}

struct callers *ways_callers(struct ways *ways) { return ways->callers; }

/** Who gets the function value that is made before @a end. */
static enum way_kind kind_of_value(struct ways *ways, uint64_t end)
{
	return callers_go_statement(ways->program, end) ? WAY_STARTED : WAY_HANDED;
}

static void lengthen(struct ways *ways, struct way *way, uint32_t index)
{
	while (index != NONE && way->count < WAY_STEPS_MAX) {
		const struct node *node = node_at(ways, index);

		way->goal = node->goal;
		if (node->next != NONE)
			way->steps[way->count++] = (struct way_step){
				node->value ? kind_of_value(ways, node->end) : WAY_CALL, node->end,
				node_at(ways, node->next)->function};
		index = node->next;
	}
}

void ways_from(struct ways *ways, uint64_t entry, GArray *ret)
{
	const struct of_function *list =
		g_hash_table_lookup(ways->by_function, GSIZE_TO_POINTER(entry));

	for (uint32_t i = list && list->count ? list->first : NONE; i != NONE;
	     i = node_at(ways, i)->sibling) {
		struct way way = {0};

		lengthen(ways, &way, i);
		g_array_append_val(ret, way);
	}
}

static void append_step(struct ways *ways, enum way_kind kind, uint64_t end, uint32_t index,
			GArray *ret)
{
	struct way way = {.count = 1};

	way.steps[0] = (struct way_step){kind, end, node_at(ways, index)->function};
	lengthen(ways, &way, index);
	g_array_append_val(ret, way);
}

/** Node indexes by the place in an itab at which the function stands as a method. */
static void note_methods(struct ways *ways, uint32_t index)
{
	size_t count;
	const struct itab_slot *slots =
		itabs_slots_of(ways->itabs, node_at(ways, index)->function, &count);

	for (size_t i = 0; i < count; i++) {
		gpointer key = GSIZE_TO_POINTER((size_t)slots[i].offset);
		GArray *list = g_hash_table_lookup(ways->methods, key);

		if (!list) {
			list = g_array_new(FALSE, FALSE, sizeof(uint32_t));
			g_hash_table_insert(ways->methods, key, list);
		}
		g_array_append_val(list, index);
	}
}

static void open_itabs(struct ways *ways)
{
	if (ways->itabs)
		return;
	ways->itabs = itabs_new(ways->program);
	for (uint32_t i = 0; i < ways->nodes->len; i++)
		note_methods(ways, i);
}

static void append_steps(struct ways *ways, enum way_kind kind, uint64_t end, const GArray *nodes,
			 GArray *ret)
{
	for (guint i = 0; nodes && i < MIN(nodes->len, GUESSES_MAX); i++)
		append_step(ways, kind, end, g_array_index(nodes, uint32_t, i), ret);
}

bool ways_may_be_indirect(struct ways *ways)
{
	if (ways->values->len)
		return true;
	open_itabs(ways);
	return g_hash_table_size(ways->methods) > 0;
}

void ways_through(struct ways *ways, struct flow_value target, uint64_t end, GArray *ret)
{
	enum way_kind kind = WAY_VALUE;

	open_itabs(ways);
	if (target.kind == FLOW_FIELD && itabs_is_method(ways->itabs, target.number)) {
		const GArray *methods =
			g_hash_table_lookup(ways->methods, GSIZE_TO_POINTER((size_t)target.number));

		append_steps(ways, WAY_METHOD, end, methods, ret);
		if (methods)
			return;
		kind = WAY_FAR;
	}
	append_steps(ways, kind, end, ways->values, ret);
}

void ways_handed(struct ways *ways, const struct go_function *function, GArray *ret)
{
	const GArray *list = g_hash_table_lookup(ways->handed, GSIZE_TO_POINTER(function->entry));

	for (guint i = 0; list && i < list->len; i++) {
		uint32_t index = g_array_index(list, uint32_t, i);
		size_t count;
		const struct caller *callers =
			callers_of(ways->callers, node_at(ways, index)->function, &count);

		for (size_t j = 0; j < count; j++)
			if (callers[j].value && callers[j].end > function->entry &&
			    callers[j].end <= function->end)
				append_step(ways, kind_of_value(ways, callers[j].end),
					    callers[j].end, index, ret);
	}
}
