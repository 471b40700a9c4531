// SPDX-License-Identifier: Apache-2.0
#include "reproduce/local_types.h"

#include "reproduce/linked_name.h"

#include <glib.h>

#define BYTES_VARIED 4 /* of a key that is an array of small integers */

struct local_types {
	struct arena *arena;
	struct names *names;
	struct notes *notes;
	GHashTable *by_name;  // "main.store" → struct local_type
	GHashTable *declared; // local names
	GString *declarations;
};

struct local_type {
	const char *name;
	const struct shape *underlying; // NULL until a text asked for it
};

struct local_types *local_types_new(struct arena *arena, struct names *names, struct notes *notes)
{
	struct local_types *types = arena_take(arena, sizeof(*types));

	*types = (struct local_types){.arena = arena,
				      .names = names,
				      .notes = notes,
				      .by_name = g_hash_table_new(g_str_hash, g_str_equal),
				      .declared = g_hash_table_new(g_str_hash, g_str_equal),
				      .declarations = g_string_new(NULL)};
	return types;
}

void local_types_free(struct local_types *types)
{
	if (!types)
		return;
	g_hash_table_destroy(types->by_name);
	g_hash_table_destroy(types->declared);
	g_string_free(types->declarations, TRUE);
}

static struct local_type *type_of(struct local_types *types, const char *qualified)
{
	const char *plain = linked_name_plain(types->arena, qualified);
	const char *base = linked_package_base(plain), *dot = strrchr(base, '.');
	struct local_type *type = g_hash_table_lookup(types->by_name, base);

	if (type)
		return type;
	type = arena_take(types->arena, sizeof(*type));
	type->name = names_take_type(types->names, dot ? dot + 1 : base);
	g_hash_table_insert(types->by_name, (gpointer)base, type);
	return type;
}

/* Types print their package's name, functions its import path, and the two may differ
 * (gopkg.in/ini.v1 is package ini): the type of a method is one that was met, if its own name is. */
const char *local_types_name(struct local_types *types, const char *qualified)
{
	const char *plain = linked_name_plain(types->arena, qualified), *dot = strrchr(plain, '.');
	GHashTableIter all;
	gpointer name, type;

	if (g_hash_table_contains(types->by_name, linked_package_base(plain)))
		return type_of(types, qualified)->name;
	g_hash_table_iter_init(&all, types->by_name);
	while (dot && g_hash_table_iter_next(&all, &name, &type))
		if (g_str_equal(strrchr(name, '.') ? strrchr(name, '.') : "", dot))
			return ((struct local_type *)type)->name;
	return type_of(types, qualified)->name;
}

bool local_types_declare(struct local_types *types, const char *name, const char *body)
{
	if (!g_hash_table_add(types->declared, (gpointer)name))
		return false;
	g_string_append_printf(types->declarations, "type %s %s\n\n", name, body);
	return true;
}

const char *local_types_declarations(const struct local_types *types)
{
	return types->declarations->str;
}

/* The runtime chooses its map functions by the size and kind of the key. */
static const char *key_by_map_function(const char *map_function)
{
	static const char *const rows[][2] = {
		{"_faststr", "string"}, {"_fast64ptr", "*int"}, {"_fast64", "int64"},
		{"_fast32ptr", "*int"}, {"_fast32", "int32"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (g_str_has_suffix(map_function, rows[i][0]))
			return rows[i][1];
	return *map_function ? "struct { n int64; s string }" : "string";
}

static void named_declare(struct local_types *types, const struct shape *shape,
			  struct local_type *type, const char *map_function)
{
	const char *plain = linked_package_base(linked_name_plain(types->arena, shape->name));
	const char *known = shape_known_type(plain);
	const char *text = known          ? known
			   : map_function ? key_by_map_function(map_function)
					  : "struct { n int }";

	type->underlying = shape_parse(types->arena, text);
	if (!known)
		notes_add(types->notes,
			  "the report does not say what a %s is: the local type %s is the nearest "
			  "that fits",
			  plain, type->name);
	local_types_declare(types, type->name, local_types_text(types, type->underlying, NULL));
}

static const char *named_text(struct local_types *types, const struct shape *shape,
			      const char *map_function)
{
	struct local_type *type = type_of(types, shape->name);

	if (!type->underlying && !g_hash_table_contains(types->declared, type->name))
		named_declare(types, shape, type, map_function);
	return type->name;
}

static const char *func_text(struct local_types *types, const struct shape *shape)
{
	g_autoptr(GString) text = g_string_new("func(");
	size_t parameters = shape->field_count - shape->result_count;

	for (size_t i = 0; i < shape->field_count; i++) {
		const char *one = local_types_text(types, shape->fields[i].type, NULL);

		if (i == parameters)
			g_string_append(text, shape->result_count > 1 ? ") (" : ") ");
		g_string_append_printf(text, "%s%s%s", i && i != parameters ? ", " : "",
				       shape->variadic && i + 1 == parameters ? "..." : "", one);
	}
	if (shape->result_count != 1)
		g_string_append_c(text, ')');
	return arena_string(types->arena, text_of(text->str));
}

/* Embedded fields get a name: promotion plays no part here. */
static const char *struct_text(struct local_types *types, const struct shape *shape)
{
	g_autoptr(GString) text = g_string_new("struct{");

	for (size_t i = 0; i < shape->field_count; i++) {
		const char *name = shape->fields[i].name;
		bool taken = !*name || g_str_equal(name, "_");

		for (size_t j = 0; j < i; j++)
			taken |= g_str_equal(name, shape->fields[j].name);
		g_string_append_printf(text, "%s%s %s", i ? "; " : " ",
				       taken ? arena_format(types->arena, "field%zu", i)
					     : names_member(types->names, name),
				       local_types_text(types, shape->fields[i].type, NULL));
	}
	g_string_append(text, shape->field_count ? " }" : "}");
	return arena_string(types->arena, text_of(text->str));
}

const char *local_types_text(struct local_types *types, const struct shape *shape,
			     const char *map_function)
{
	struct arena *arena = types->arena;
	const char *element = "";

	if (shape->element && shape->kind != SHAPE_MAP)
		element = local_types_text(types, shape->element,
					   shape->kind == SHAPE_ARRAY ? map_function : NULL);
	switch (shape->kind) {
	case SHAPE_BASIC:
		return shape->name;
	case SHAPE_NAMED:
		return named_text(types, shape, map_function);
	case SHAPE_POINTER:
		return arena_format(arena, "*%s", element);
	case SHAPE_SLICE:
		return arena_format(arena, "[]%s", element);
	case SHAPE_ARRAY:
		return arena_format(arena, "[%u]%s", shape->length, element);
	case SHAPE_CHAN:
		return arena_format(arena, "%s(%s)", shape->name, element);
	case SHAPE_FUNC:
		return func_text(types, shape);
	case SHAPE_STRUCT:
		return struct_text(types, shape);
	case SHAPE_INTERFACE:
		return "interface{}";
	case SHAPE_MAP:
		return arena_format(
			arena, "map[%s]%s",
			local_types_text(types, shape->key, map_function ? map_function : ""),
			local_types_text(types, shape->element, NULL));
	}
	return "interface{}";
}

const struct shape *local_types_underlying(struct local_types *types, const struct shape *shape)
{
	const struct shape *underlying = NULL;

	if (shape->kind == SHAPE_NAMED)
		underlying = type_of(types, shape->name)->underlying;
	return underlying ? underlying : shape;
}

const struct shape *local_types_map(struct local_types *types, const struct shape *named,
				    const char *map_function)
{
	struct local_type *type = type_of(types, named->name);
	bool fast = strstr(map_function, "_fast");
	const char *map = arena_format(types->arena, "map[%s]interface {}",
				       fast            ? key_by_map_function(map_function)
				       : *map_function ? "interface {}"
						       : "string");

	if (!type->underlying) {
		type->underlying = shape_parse(types->arena, map);
		local_types_declare(types, type->name,
				    local_types_text(types, type->underlying, NULL));
		notes_add(types->notes,
			  "the report does not say what the keys and values of a %s are: %s is the "
			  "nearest",
			  named->name, map);
	}
	return type->underlying;
}

static const char *array_key(struct local_types *types, const struct shape *array, const char *type,
			     const char *n)
{
	const struct shape *element = local_types_underlying(types, array->element);
	bool small = element->kind == SHAPE_BASIC && g_str_has_suffix(element->name, "int8");
	g_autoptr(GString) text = g_string_new(type);

	g_string_append_c(text, '{');
	for (unsigned i = 0; i < MIN(array->length, small ? BYTES_VARIED : 1); i++) {
		const char *part = i ? arena_format(types->arena, "(%s >> %u)", n, 8 * i) : n;

		g_string_append_printf(text, "%s%s", i ? ", " : "",
				       local_types_key(types, array->element, part));
	}
	g_string_append_c(text, '}');
	return arena_string(types->arena, text_of(text->str));
}

static const char *struct_key(struct local_types *types, const struct shape *shape,
			      const char *type, const char *n)
{
	g_autoptr(GString) text = g_string_new(type);

	g_string_append_c(text, '{');
	for (size_t i = 0; i < shape->field_count; i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "",
				       local_types_key(types, shape->fields[i].type, n));
	g_string_append_c(text, '}');
	return arena_string(types->arena, text_of(text->str));
}

static const char *basic_key(struct arena *arena, const char *basic, const char *type,
			     const char *n)
{
	if (g_str_equal(basic, "bool"))
		return arena_format(arena, "%s(%s%%2 == 0)", type, n);
	if (g_str_equal(basic, "string"))
		return arena_format(arena, "%s(strconv.Itoa(%s))", type, n);
	if (g_str_has_prefix(basic, "complex"))
		return arena_format(arena, "%s(complex(float64(%s), 0))", type, n);
	if (g_str_equal(basic, "error"))
		return arena_format(arena, "fmt.Errorf(\"%%d\", %s)", n);
	return arena_format(arena, "%s(%s)", type, n);
}

const char *local_types_key(struct local_types *types, const struct shape *shape, const char *n)
{
	const struct shape *under = local_types_underlying(types, shape);
	const char *type = local_types_text(types, shape, NULL);
	struct arena *arena = types->arena;

	switch (under->kind) {
	case SHAPE_BASIC:
		return basic_key(arena, under->name, type, n);
	case SHAPE_POINTER:
		return arena_format(arena, "(%s)(new(%s))", type,
				    local_types_text(types, under->element, NULL));
	case SHAPE_CHAN:
		return arena_format(arena, "make(%s)", type);
	case SHAPE_ARRAY:
		return array_key(types, under, type, n);
	case SHAPE_STRUCT:
		return struct_key(types, under, type, n);
	case SHAPE_INTERFACE:
		return arena_format(arena, "%s(%s)", type, n);
	default:
		return "nil";
	}
}
