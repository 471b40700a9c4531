// SPDX-License-Identifier: Apache-2.0
// Breadth first, so the first way found to a word is a shortest one. Every object is entered once
// for each type it is seen as. Nothing in memory is trusted: a length or pointer that cannot be
// read ends its branch.
#include "model/data/reach.h"

#include "base/limits.h"
#include "model/data/heap.h"
#include "model/data/map.h"

#define ELEMENTS_MAX 1024 /* of one slice, array or map that are looked into */
#define WORD         sizeof(uint64_t)
#define DEPTH_MAX    LIMIT_TYPE_DEPTH
#define LOCAL_NODES  (REACH_NODES_MAX / 4) /* kept for what only locals lead to */

/** What stands at a node's address. */
enum node_kind {
	NODE_VALUE,    // a value of the type
	NODE_ELEMENTS, // several, as a slice points to: paths carry an index
	NODE_MAP,      // a map's header, not the pointer to it
};

/** The outermost struct around a value; type is NULL when there is none. */
struct whole {
	const struct go_type *type;
	uint64_t address;
};

struct node {
	uint64_t address;
	const struct go_type *type;
	uint64_t count;   // of elements, for what a slice points to; else 1
	uint32_t parent;  // NO_INDEX for a root
	const char *step; // a root's name, or what follows the parent's path
	const char *suffix;
	const char *via;
	const char *holder; // of elements and maps: the struct whose field leads to them; else ""
	struct whole whole; // likewise
	unsigned hops;
	enum node_kind kind;
};

struct reach {
	struct program *program;
	struct arena *arena;
	bool (*visit)(struct reach *, const struct reach_edge *, void *);
	void *context;
	GArray *nodes;
	GHashTable *seen;
	GHashTable *debug_types, *type_names;
	GString *step; // inside the current node
	GString *path;
	uint32_t current, next; // nodes looked into, and the first one that is not
	uint32_t room;          // nodes that may be entered for now
	bool done, full;
};

/** Where a value stands that is being looked into. */
struct spot {
	const struct go_type *type;
	uint64_t address;
	const char *holder, *via;
	unsigned depth;
	struct whole whole;
	bool nested; // in a struct
};

static void value_scan(struct reach *reach, struct spot spot);

struct reach *reach_new(struct program *program,
			bool (*visit)(struct reach *, const struct reach_edge *, void *),
			void *context)
{
	struct reach *reach = g_new0(struct reach, 1);

	reach->program = program;
	reach->arena = arena_new();
	reach->visit = visit;
	reach->context = context;
	reach->nodes = g_array_new(FALSE, FALSE, sizeof(struct node));
	reach->room = REACH_NODES_MAX;
	reach->seen = g_hash_table_new(NULL, NULL);
	reach->debug_types = g_hash_table_new(NULL, NULL);
	reach->type_names = g_hash_table_new(g_str_hash, g_str_equal);
	reach->step = g_string_new(NULL);
	reach->path = g_string_new(NULL);
	return reach;
}

void reach_free(struct reach *reach)
{
	if (!reach)
		return;
	g_string_free(reach->path, TRUE);
	g_string_free(reach->step, TRUE);
	g_hash_table_unref(reach->type_names);
	g_hash_table_unref(reach->debug_types);
	g_hash_table_unref(reach->seen);
	g_array_unref(reach->nodes);
	arena_free(reach->arena);
	g_free(reach);
}

struct program *reach_program(struct reach *reach) { return reach->program; }
struct arena *reach_arena(struct reach *reach) { return reach->arena; }
GHashTable *reach_debug_types(struct reach *reach) { return reach->debug_types; }
GHashTable *reach_type_names(struct reach *reach) { return reach->type_names; }

static struct node *node_at(struct reach *reach, uint32_t index)
{
	return &g_array_index(reach->nodes, struct node, index);
}

/** True the first time that this address is seen as this type. */
static bool first_visit(struct reach *reach, uint64_t address, const struct go_type *type)
{
	uint64_t key = address ^ ((uint64_t)(uintptr_t)type * 0x9e3779b97f4a7c15ull);

	return g_hash_table_add(reach->seen, GSIZE_TO_POINTER(key));
}

static void node_add(struct reach *reach, struct node node)
{
	if (!node.type || !node.type->pointer_bytes || node.hops > REACH_HOPS_MAX)
		return;
	if (reach->nodes->len >= reach->room) {
		reach->full = true;
		return;
	}
	if (first_visit(reach, node.address, node.type))
		g_array_append_val(reach->nodes, node);
}

void reach_root(struct reach *reach, const char *name, const char *suffix, const char *via,
		const struct go_type *type, uint64_t address)
{
	node_add(reach, (struct node){.address = address,
				      .type = type,
				      .count = 1,
				      .parent = NO_INDEX,
				      .step = arena_string(reach->arena, text_of(name)),
				      .suffix = arena_string(reach->arena, text_of(suffix)),
				      .via = via,
				      .holder = ""});
}

/** Tells the visitor of a pointer; when it leads on, what it points to is entered later. */
static void edge_follow(struct reach *reach, const struct spot *spot, uint64_t target,
			const struct go_type *type, uint64_t count, enum node_kind kind)
{
	const struct node *node = node_at(reach, reach->current);
	struct reach_edge edge = {.word = spot->address,
				  .target = target,
				  .type = type,
				  .holder = spot->holder,
				  .whole = spot->whole.type,
				  .whole_at = spot->whole.address,
				  .via = spot->via,
				  .hops = node->hops};
	struct node next = {.address = target,
			    .type = type,
			    .count = count,
			    .parent = reach->current,
			    .via = "pointer",
			    .holder = kind == NODE_VALUE ? "" : spot->holder,
			    .whole = kind == NODE_VALUE ? (struct whole){0} : spot->whole,
			    .hops = node->hops + 1,
			    .kind = kind};

	if (!target)
		return;
	if (!reach->visit(reach, &edge, reach->context)) {
		reach->done = true;
		return;
	}
	next.step = arena_string(reach->arena, (struct text){reach->step->str, reach->step->len});
	node_add(reach, next);
}

static void slice_scan(struct reach *reach, const struct spot *spot)
{
	const struct go_type *elem = spot->type->elem;
	uint64_t data, count;

	if (memory_u64(reach->program->memory, spot->address, &data) &&
	    memory_u64(reach->program->memory, spot->address + WORD, &count) && count)
		edge_follow(reach, spot, data, elem, MIN(count, (uint64_t)ELEMENTS_MAX),
			    NODE_ELEMENTS);
}

static bool type_is_direct(const struct go_type *type)
{
	return type->kind == GO_KIND_POINTER || type->kind == GO_KIND_MAP ||
	       type->kind == GO_KIND_CHAN || type->kind == GO_KIND_FUNC ||
	       type->kind == GO_KIND_UNSAFE_POINTER;
}

/** An interface's first word is the type itself, or an itab whose second word is. */
static const struct go_type *interface_type(struct program *program, uint64_t word)
{
	uint64_t inner;

	if (types_covers(program->types, word)) {
		const struct go_type *type = types_at(program->types, word);

		if (type)
			return type;
	}
	return memory_u64(program->memory, word + WORD, &inner) &&
			       types_covers(program->types, inner)
		       ? types_at(program->types, inner)
		       : NULL;
}

static void interface_scan(struct reach *reach, const struct spot *spot)
{
	uint64_t word, data;
	struct spot inner = *spot;

	if (!memory_u64(reach->program->memory, spot->address, &word) || !word ||
	    !memory_u64(reach->program->memory, spot->address + WORD, &data))
		return;
	inner.type = interface_type(reach->program, word);
	inner.address += WORD;
	inner.depth++;
	if (!inner.type)
		return;
	if (type_is_direct(inner.type))
		value_scan(reach, inner);
	else
		edge_follow(reach, &inner, data, inner.type, 1, NODE_VALUE);
}

static void struct_scan(struct reach *reach, const struct spot *spot)
{
	struct whole whole = spot->nested ? spot->whole : (struct whole){spot->type, spot->address};
	gsize length = reach->step->len;

	if (go_type_is_runtimes(spot->type))
		return;
	for (size_t i = 0; i < spot->type->field_count && !reach->done; i++) {
		const struct go_type_field *field = &spot->type->fields[i];

		if (!field->type || !field->type->pointer_bytes)
			continue;
		g_string_append_c(reach->step, '.');
		g_string_append(reach->step, field->name);
		value_scan(reach, (struct spot){field->type, spot->address + field->offset,
						spot->type->full_name, "field", spot->depth + 1,
						whole, true});
		g_string_truncate(reach->step, length);
	}
}

/** "[12]". By hand: it is done for every element that a walk looks into. */
static void append_index(GString *step, uint64_t index)
{
	char digits[24];
	size_t at = sizeof(digits);

	digits[--at] = ']';
	do
		digits[--at] = (char)('0' + index % 10);
	while (index /= 10);
	digits[--at] = '[';
	g_string_append_len(step, digits + at, (gssize)(sizeof(digits) - at));
}

static void elements_scan(struct reach *reach, const struct spot *spot, const struct go_type *elem,
			  uint64_t count)
{
	gsize length = reach->step->len;

	for (uint64_t i = 0; i < MIN(count, (uint64_t)ELEMENTS_MAX) && !reach->done; i++) {
		append_index(reach->step, i);
		value_scan(reach, (struct spot){elem, spot->address + i * elem->size, spot->holder,
						"element", spot->depth + 1, spot->whole, false});
		g_string_truncate(reach->step, length);
	}
}

struct closure {
	struct reach *reach;
	uint64_t object;
	const char *function;
	unsigned hops;
};

static void capture_add(const struct debuginfo_variable *variable, void *context)
{
	struct closure *closure = context;
	struct reach *reach = closure->reach;
	const char *name = variable->name + (variable->name[0] == '&');
	const struct go_type *type = reach_debug_type(reach, variable->type);

	// the path starts anew: a closure has no expression, its variables do
	node_add(reach, (struct node){
				.address = closure->object + variable->address,
				.type = type,
				.count = 1,
				.parent = NO_INDEX,
				.step = arena_string(reach->arena, text_of(name)),
				.suffix = arena_format(reach->arena, " (captured by %s)",
						       closure->function),
				.via = "closure",
				.holder = "",
				.hops = closure->hops + 1,
			});
}

/** A func value points to an object whose first word is the code; what is captured follows it. */
static void func_scan(struct reach *reach, const struct spot *spot)
{
	struct program *program = reach->program;
	struct closure closure = {.reach = reach};
	struct go_function function;
	uint32_t table;
	uint64_t pc;

	if (!program->debuginfo || !memory_u64(program->memory, spot->address, &closure.object) ||
	    !memory_u64(program->memory, closure.object, &pc) ||
	    !program_function(program, pc, &function, &table) || function.entry != pc ||
	    !first_visit(reach, closure.object, spot->type))
		return;
	closure.function = function.name;
	closure.hops = node_at(reach, reach->current)->hops;

	scoped(error) struct error *error =
		debuginfo_closure(program->debuginfo, pc - program->bias, capture_add, &closure);
}

/** Looks into one value for pointers; values nest no deeper than types do. */
static void value_scan(struct reach *reach, struct spot spot)
{
	uint64_t target;

	if (reach->done || !spot.type || !spot.type->pointer_bytes || spot.depth > DEPTH_MAX)
		return;
	switch (spot.type->kind) {
	case GO_KIND_POINTER:
		if (memory_u64(reach->program->memory, spot.address, &target))
			edge_follow(reach, &spot, target, spot.type->elem, 1, NODE_VALUE);
		return;
	case GO_KIND_MAP:
		if (memory_u64(reach->program->memory, spot.address, &target))
			edge_follow(reach, &spot, target, spot.type, 1, NODE_MAP);
		return;
	case GO_KIND_SLICE:
		slice_scan(reach, &spot);
		return;
	case GO_KIND_INTERFACE:
		interface_scan(reach, &spot);
		return;
	case GO_KIND_FUNC:
		func_scan(reach, &spot);
		return;
	case GO_KIND_ARRAY:
		if (spot.type->elem)
			elements_scan(reach, &spot, spot.type->elem, spot.type->length);
		return;
	case GO_KIND_STRUCT:
		struct_scan(reach, &spot);
		return;
	default:
		return;
	}
}

struct map_scan {
	struct reach *reach;
	const struct node *map;
	size_t left;
};

static bool element_scan(uint64_t key, uint64_t elem, void *context)
{
	struct map_scan *scan = context;

	g_string_assign(scan->reach->step, "[...]");
	value_scan(scan->reach, (struct spot){scan->map->type->elem, elem, scan->map->holder,
					      "map element", 1, scan->map->whole, false});
	return --scan->left && !scan->reach->done;
}

static void map_scan(struct reach *reach, const struct node *node)
{
	struct map_scan scan = {reach, node, ELEMENTS_MAX};
	struct go_map map;

	if (node->type->elem && node->type->elem->pointer_bytes &&
	    map_read(reach->program, node->address, &map))
		map_entries(reach->program, &map, node->type, element_scan, &scan);
}

static void node_scan(struct reach *reach, uint32_t index)
{
	const struct node node = *node_at(reach, index);
	struct spot spot = {node.type, node.address, node.holder, node.via, 0, node.whole, false};

	reach->current = index;
	g_string_truncate(reach->step, 0);
	if (node.kind == NODE_MAP)
		map_scan(reach, &node);
	else if (node.kind == NODE_ELEMENTS)
		elements_scan(reach, &spot, node.type, node.count);
	else
		value_scan(reach, spot);
}

bool reach_walk(struct reach *reach)
{
	while (reach->next < reach->nodes->len && !reach->done)
		node_scan(reach, reach->next++);
	return !reach->full;
}

bool reach_walk_program(struct reach *reach)
{
	reach->room = REACH_NODES_MAX - LOCAL_NODES;
	if (reach->program->debuginfo)
		reach_globals(reach);
	else
		reach_code_globals(reach);
	reach_walk(reach);
	reach->room = REACH_NODES_MAX;
	if (!reach->done)
		reach_program_locals(reach);
	return reach_walk(reach);
}

const char *reach_path(struct reach *reach)
{
	const char *steps[REACH_HOPS_MAX + 2], *suffix = "";
	size_t count = 0;

	for (uint32_t at = reach->current; at != NO_INDEX && count < G_N_ELEMENTS(steps);) {
		const struct node *node = node_at(reach, at);

		steps[count++] = node->step;
		at = node->parent;
		if (at == NO_INDEX)
			suffix = node->suffix;
	}
	g_string_truncate(reach->path, 0);
	while (count)
		g_string_append(reach->path, steps[--count]);
	g_string_append(reach->path, reach->step->str);
	g_string_append(reach->path, suffix);
	return reach->path->str;
}
