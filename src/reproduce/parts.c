// SPDX-License-Identifier: Apache-2.0
#include "reproduce/parts.h"

#include "reproduce/linked_name.h"

#include <glib.h>

#define GO_WITH_CLEAR 21 /* the builtin clear, package maps */

/* json refuses maps with keys of other kinds before it walks them. */
static bool json_takes(struct local_types *types, const struct shape *map)
{
	const struct shape *key = local_types_underlying(types, map->key);

	return key->kind == SHAPE_BASIC &&
	       (g_str_equal(key->name, "string") || strstr(key->name, "int"));
}

/* gob refuses local structs, whose fields are not exported, before it walks, and pointers that are nil at the first. */
static bool gob_takes_type(struct local_types *types, const struct shape *shape)
{
	const struct shape *under = local_types_underlying(types, shape);

	switch (under->kind) {
	case SHAPE_BASIC:
		return !g_str_equal(under->name, "error");
	case SHAPE_SLICE:
	case SHAPE_ARRAY:
		return gob_takes_type(types, under->element);
	case SHAPE_MAP:
		return gob_takes_type(types, under->key) && gob_takes_type(types, under->element);
	default:
		return false;
	}
}

static bool gob_takes(struct local_types *types, const struct shape *map)
{
	return gob_takes_type(types, map->key) && gob_takes_type(types, map->element);
}

/* Code of Go's own library that walks a map, and what makes it do so. Before the release that is named it
 * gathered the keys first and then read each value: most crashes of such a walk are of a read. */
static const struct walker {
	const char *package, *call;
	unsigned minor_since;
	bool (*takes)(struct local_types *types, const struct shape *map); // NULL: every map
} walkers[] = {
	{"encoding/json", "json.Marshal(%s)", 17, json_takes},
	{"fmt", "fmt.Fprint(ioutil.Discard, %s)", 12, NULL},
	{"internal/fmtsort", "fmt.Fprint(ioutil.Discard, %s)", 12, NULL},
	{"encoding/gob", "gob.NewEncoder(ioutil.Discard).Encode(%s)", 18, gob_takes},
};

static const struct walker *walker_of(const char *package, unsigned go_minor)
{
	for (size_t i = 0; i < G_N_ELEMENTS(walkers); i++)
		if (g_str_equal(walkers[i].package, package) && go_minor >= walkers[i].minor_since)
			return &walkers[i];
	return NULL;
}

static const char *walker_call(const struct parts_input *input, const char *package)
{
	const struct walker *walker = walker_of(package, input->go_minor);

	if (!walker || (walker->takes && !walker->takes(input->types, input->map)))
		return NULL;
	return walker->call;
}

/* The library's code that works for a caller: a walker, or package maps. */
static bool is_library(const char *package)
{
	return walker_of(package, UINT_MAX) || g_str_equal(package, "maps") ||
	       g_str_equal(package, "iter") || g_str_equal(package, "slices");
}

struct origin {
	struct linked_name name; // of the function that a person would call this side's
	const char *walker;      // a library call that reaches the map for it
	unsigned line;
};

static struct origin origin_of(const struct parts_input *input, const struct verdict_side *side)
{
	struct arena *arena = input->arena;
	struct origin origin = {linked_name_parse(arena, side->site.function), NULL,
				side->site.line};
	size_t i = 0;

	if (!is_library(origin.name.package))
		return origin;
	if (side->operation == REPRODUCE_ITERATE)
		origin.walker = walker_call(input, origin.name.package);
	for (; i < side->frame_count; i++) {
		struct linked_name name = linked_name_parse(arena, side->frames[i].function);

		if (!*name.function || linked_name_is_standard(name.package))
			continue;
		origin.name = name;
		origin.line = side->frames[i].line;
		break;
	}
	return origin;
}

static const char *receiver_of(struct arena *arena, const struct linked_name *name)
{
	return arena_format(arena, "%s.%s", linked_package_base(name->package), name->receiver);
}

/* A method of the map's own type, as http.Header has them. */
static bool is_of_map(const struct parts_input *input, const char *receiver)
{
	return g_str_equal(local_types_name(input->types, receiver), input->map_type);
}

const char *parts_receiver(const struct parts_input *input)
{
	for (size_t i = 0; i < 2; i++) {
		struct linked_name name = origin_of(input, &input->verdict->sides[i]).name;
		const char *receiver = receiver_of(input->arena, &name);

		if (*name.receiver && !name.closure && !is_of_map(input, receiver))
			return receiver;
	}
	return "";
}

const char *operation_text(struct arena *arena, enum reproduced_operation operation,
			   const char *map, const char *key, const char *value, const char *mark,
			   unsigned go_minor)
{
	switch (operation) {
	case REPRODUCE_READ:
		return arena_format(arena, "_, ok := %s[%s] %s\n_ = ok\n", map, key, mark);
	case REPRODUCE_ASSIGN:
		return arena_format(arena, "%s[%s] = %s %s\n", map, key, value, mark);
	case REPRODUCE_DELETE:
		return arena_format(arena, "delete(%s, %s) %s\n", map, key, mark);
	case REPRODUCE_CLEAR:
		if (go_minor >= GO_WITH_CLEAR)
			return arena_format(arena, "clear(%s) %s\n", map, mark);
		return arena_format(arena, "for k := range %s { %s\n\tdelete(%s, k)\n}\n", map,
				    mark, map);
	case REPRODUCE_CLONE:
		if (go_minor >= GO_WITH_CLEAR)
			return arena_format(arena, "maps.Clone(%s) %s\n", map, mark);
		break;
	case REPRODUCE_ITERATE:
		break;
	}
	return arena_format(arena, "for range %s { %s\n}\n", map, mark);
}

struct side_plan {
	const struct parts_input *input;
	const struct verdict_side *side;
	struct origin origin;
	const char *mark;
};

static const char *body(const struct side_plan *plan, const char *map)
{
	struct arena *arena = plan->input->arena;

	if (plan->origin.walker) {
		const char *before = plan->origin.walker, *hole = strstr(before, "%s");

		return arena_format(arena, "%.*s%s%s %s\n", (int)(hole - before), before, map,
				    hole + 2, plan->mark);
	}
	return operation_text(arena, plan->side->operation, map, "keys[n]", "value", plan->mark,
			      plan->input->go_minor);
}

static void closure_plan(const struct side_plan *plan, struct part *ret)
{
	const struct linked_name *name = &plan->origin.name;

	ret->closure = true;
	ret->outer = *name->function ? name->function : "outer";
	ret->label = "func1";
	ret->call = body(plan, plan->input->sharing->map);
}

/* How a function that is no method of the holder gets at the map. */
struct access {
	const char *parameter, *argument, *map;
};

static struct access access_plan(const struct parts_input *input)
{
	if (!input->sharing->local)
		return (struct access){"", "", input->sharing->map};
	return (struct access){arena_format(input->arena, "m %s, ", input->map_type),
			       arena_format(input->arena, "%s, ", input->sharing->map), "m"};
}

static void function_plan(const struct side_plan *plan, struct part *ret)
{
	const struct parts_input *input = plan->input;
	struct access access = access_plan(input);
	const char *name = names_take(
		input->names, *plan->origin.name.function ? plan->origin.name.function : "writer");

	ret->label = name;
	ret->linked_name = arena_format(input->arena, "main.%s", name);
	ret->head = arena_format(input->arena, "func %s(%s", name, access.parameter);
	ret->body = body(plan, access.map);
	ret->call_head = arena_format(input->arena, "%s(%s", name, access.argument);
}

/* ".entries[...]" begins with the field of that name. */
static bool names_field(const char *tail, const char *name)
{
	size_t n = strlen(name);

	return *tail == '.' && strncmp(tail + 1, name, n) == 0 &&
	       (tail[n + 1] == '\0' || strchr(".[", tail[n + 1]));
}

/* The receiver is what the method reaches the map through: the struct that holds it, the map itself, or
 * neither. */
static void method_plan(const struct side_plan *plan, struct part *ret)
{
	const struct parts_input *input = plan->input;
	struct arena *arena = input->arena;
	const struct linked_name *name = &plan->origin.name;
	struct access access = access_plan(input);
	const char *qualified = receiver_of(arena, name);
	const char *type = local_types_name(input->types, qualified);
	const char *method = names_member(input->names, name->function);
	const char *call = arena_format(arena, "new(%s)", type), *pointer = "*";

	if (is_of_map(input, qualified)) {
		access = (struct access){"", "", "x"};
		call = input->sharing->map;
		pointer = "";
	} else if (g_str_equal(type, input->sharing->holder_type)) {
		access = (struct access){"", "", arena_format(arena, "x%s", input->sharing->tail)};
		call = input->sharing->holder;
	} else {
		local_types_declare(input->types, type, "struct{}");
	}
	if (names_field(input->sharing->tail, method))
		method = arena_format(arena, "%s_", method);
	ret->label = method;
	ret->linked_name =
		arena_format(arena, *pointer ? "main.(*%s).%s" : "main.%s.%s", type, method);
	ret->head =
		arena_format(arena, "func (x %s%s) %s(%s", pointer, type, method, access.parameter);
	ret->body = body(plan, access.map);
	ret->call_head = arena_format(arena, "%s.%s(%s", call, method, access.argument);
}

static void part_plan(const struct side_plan *plan, struct part *ret)
{
	ret->may_panic = plan->origin.walker != NULL;
	if (plan->origin.name.closure)
		closure_plan(plan, ret);
	else if (*plan->origin.name.receiver)
		method_plan(plan, ret);
	else
		function_plan(plan, ret);
}

static bool same_function(const struct side_plan plans[2])
{
	const struct linked_name *a = &plans[0].origin.name, *b = &plans[1].origin.name;

	return !a->closure && !b->closure && *a->function && g_str_equal(a->package, b->package) &&
	       g_str_equal(a->receiver, b->receiver) && g_str_equal(a->function, b->function);
}

static bool same_operation(const struct side_plan plans[2])
{
	return plans[0].side->operation == plans[1].side->operation &&
	       plans[0].origin.line == plans[1].origin.line;
}

static void write_function(struct arena *arena, struct part *part)
{
	part->declaration = "";
	if (part->closure)
		return;
	part->declaration =
		arena_format(arena, "//go:noinline\n%sn int) {\n%s}\n\n", part->head, part->body);
	part->call = arena_format(arena, "%sn)\n", part->call_head);
}

/* Both operations stand in one function, which is told whose turn it is. */
static void write_merged(struct arena *arena, struct part parts[2])
{
	parts[0].declaration = arena_format(
		arena, "//go:noinline\n%sside, n int) {\nif side == 0 {\n%sreturn\n}\n%s}\n\n",
		parts[0].head, parts[0].body, parts[1].body);
	parts[1] = parts[0];
	parts[0].call = arena_format(arena, "%s0, n)\n", parts[0].call_head);
	parts[1].call = arena_format(arena, "%s1, n)\n", parts[0].call_head);
	parts[1].declaration = "";
}

void parts_plan(const struct parts_input *input, struct part ret[2])
{
	struct side_plan plans[2];
	bool one;

	for (size_t i = 0; i < 2; i++)
		plans[i] = (struct side_plan){input, &input->verdict->sides[i],
					      origin_of(input, &input->verdict->sides[i]),
					      i == 0 ? MARK_DETECTOR : MARK_OTHER};
	one = same_function(plans);
	if (one && same_operation(plans)) {
		plans[0].mark = MARK_BOTH;
		part_plan(&plans[0], &ret[0]);
		write_function(input->arena, &ret[0]);
		ret[1] = ret[0];
		ret[1].declaration = "";
		return;
	}
	part_plan(&plans[0], &ret[0]);
	part_plan(&plans[1], &ret[1]);
	if (one) {
		write_merged(input->arena, ret);
		return;
	}
	write_function(input->arena, &ret[0]);
	write_function(input->arena, &ret[1]);
}
