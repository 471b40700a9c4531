// SPDX-License-Identifier: Apache-2.0
// DWARF's types as Go types. From Go 1.11 on DWARF says where a type's descriptor stands; a type
// without a descriptor (never allocated, never in an interface) is made from its members.
#include "base/limits.h"
#include "model/data/reach.h"

#define SYNTHETIC_DEPTH 16
#define FIELDS_MAX      4096

static const struct go_type *type_make(struct reach *reach, uint64_t handle, unsigned depth);

static void name_add(const struct go_type *type, void *context)
{
	const struct go_type *both[] = {type, type->kind == GO_KIND_POINTER ? type->elem : NULL};

	for (size_t i = 0; i < G_N_ELEMENTS(both); i++)
		if (both[i])
			g_hash_table_insert(context, (void *)(uintptr_t)both[i]->full_name,
					    (void *)(uintptr_t)both[i]);
}

/** By name among the types that the modules list: Go 1.9 and 1.10 do not say where a descriptor stands. */
static const struct go_type *descriptor_named(struct reach *reach, const char *name)
{
	GHashTable *names = reach_type_names(reach);

	if (g_hash_table_size(names) == 0)
		types_each(reach_program(reach)->types, name_add, names);
	return g_hash_table_lookup(names, name);
}

/** The program's own descriptor, when it is the type that DWARF names. */
static const struct go_type *descriptor_find(struct reach *reach, const struct debuginfo_type *said)
{
	struct program *program = reach_program(reach);
	const struct go_type *type = NULL;

	if (said->runtime_type && program->module_count)
		type = types_at(program->types, program->modules[0].types + said->runtime_type);
	else if (said->kind == GO_KIND_MAP)
		type = descriptor_named(reach, said->name);
	return type && (unsigned)type->kind == said->kind &&
			       (type->size == said->size || type->kind == GO_KIND_MAP)
		       ? type
		       : NULL;
}

struct fields {
	struct reach *reach;
	GArray *list; // struct go_type_field
	unsigned depth;
	uint64_t size;
	bool pointers;
};

static bool field_add(const struct debuginfo_variable *member, void *context)
{
	struct fields *fields = context;
	struct go_type_field field = {
		.name = arena_string(reach_arena(fields->reach), text_of(member->name)),
		.offset = member->address};

	if (field.offset >= fields->size || fields->list->len >= FIELDS_MAX)
		return false;
	field.type = type_make(fields->reach, member->type, fields->depth + 1);
	fields->pointers |= field.type && field.type->pointer_bytes;
	g_array_append_val(fields->list, field);
	return true;
}

static void struct_fill(struct reach *reach, uint64_t handle, unsigned depth, struct go_type *type)
{
	struct fields fields = {.reach = reach,
				.list = g_array_new(FALSE, FALSE, sizeof(struct go_type_field)),
				.depth = depth,
				.size = type->size};

	debuginfo_members(reach_program(reach)->debuginfo, handle, field_add, &fields);
	type->field_count = fields.list->len;
	if (type->field_count)
		type->fields = arena_copy(reach_arena(reach), fields.list->data,
					  type->field_count * sizeof(struct go_type_field));
	type->pointer_bytes = fields.pointers ? type->size : 0;
	g_array_free(fields.list, TRUE);
}

static bool kind_has_pointer(enum go_kind kind)
{
	return kind >= GO_KIND_CHAN && kind != GO_KIND_STRUCT && kind != GO_KIND_STRING;
}

static const struct go_type *type_make(struct reach *reach, uint64_t handle, unsigned depth)
{
	struct program *program = reach_program(reach);
	GHashTable *known = reach_debug_types(reach);
	struct debuginfo_type said;
	void *found;

	if (g_hash_table_lookup_extended(known, GSIZE_TO_POINTER(handle), NULL, &found))
		return found;
	if (depth > SYNTHETIC_DEPTH || !debuginfo_type_at(program->debuginfo, handle, &said))
		return NULL;

	const struct go_type *own = descriptor_find(reach, &said);

	if (own || said.kind == GO_KIND_MAP || !said.kind) {
		// a map cannot be read without its descriptor's layout
		g_hash_table_insert(known, GSIZE_TO_POINTER(handle), (void *)(uintptr_t)own);
		return own;
	}

	struct go_type *type = arena_take(reach_arena(reach), sizeof(*type));

	*type = (struct go_type){.size = said.size, .kind = said.kind, .length = said.length};
	type->name = type->full_name = arena_string(reach_arena(reach), text_of(said.name));
	type->pointer_bytes = kind_has_pointer(type->kind) ? said.size : 0;
	g_hash_table_insert(known, GSIZE_TO_POINTER(handle), type);
	if (type->kind == GO_KIND_STRUCT)
		struct_fill(reach, handle, depth, type);
	else if (type->kind == GO_KIND_POINTER || type->kind == GO_KIND_SLICE ||
		 type->kind == GO_KIND_ARRAY)
		type->elem = type_make(reach, said.elem, depth + 1);
	if (type->kind == GO_KIND_ARRAY)
		type->pointer_bytes = type->elem && type->elem->pointer_bytes ? type->size : 0;
	return type;
}

const struct go_type *reach_debug_type(struct reach *reach, uint64_t type)
{
	return type_make(reach, type, 0);
}
