// SPDX-License-Identifier: Apache-2.0
// The store of types. Types refer to each other in circles (a list node to itself), so each is
// entered before its parts are read, and the parts wait in a queue: nothing here recurses over
// evidence.
#include "model/data/type.h"

#include "base/limits.h"
#include "model/data/type_store.h"

#define TYPES_MAX       (1u << 20)
#define ARENA_BYTES_MAX (256ull << 20)

#define MODULE(types, i) (&g_array_index((types)->modules, struct moduledata, i))

struct types *types_new(const struct memory *memory, const struct go_layout *layout,
			struct arena *arena)
{
	struct types *types = g_new0(struct types, 1);

	types->memory = memory;
	types->layout = layout;
	types->arena = arena;
	types->modules = g_array_new(FALSE, FALSE, sizeof(struct moduledata));
	types->by_address = g_hash_table_new(g_int64_hash, g_int64_equal);
	types->batch = g_ptr_array_new();
	types->budget = ARENA_BYTES_MAX;
	return types;
}

void types_free(struct types *types)
{
	if (!types)
		return;
	g_array_free(types->modules, TRUE);
	g_hash_table_destroy(types->by_address);
	g_ptr_array_free(types->batch, TRUE);
	g_free(types);
}

void types_add_module(struct types *types, const struct moduledata *module)
{
	g_array_append_val(types->modules, *module);
}

const struct moduledata *types_module(const struct types *types, uint64_t address)
{
	for (guint i = 0; i < types->modules->len; i++)
		if (address >= MODULE(types, i)->types && address < MODULE(types, i)->etypes)
			return MODULE(types, i);
	return NULL;
}

bool types_covers(const struct types *types, uint64_t address)
{
	return types_module(types, address) != NULL;
}

/** A descriptor with a name; what reflect made at run time has none that can be found, but is in no
 * module. */
static bool plausible(const struct types *types, uint64_t address, struct type_descriptor *ret,
		      struct text *ret_name)
{
	if (!type_descriptor_read(types, address, ret))
		return false;
	if (type_string_read(types, ret, ret_name))
		return true;
	*ret_name = (struct text){"", 0};
	return ret->str < 0 && !types_covers(types, address) && ret->kind >= GO_KIND_ARRAY &&
	       !(ret->tflag & TYPE_FLAG_NAMED);
}

/** What the type cannot be without: its key and element are plausible too. */
static bool parts_plausible(const struct types *types, const struct type_descriptor *descriptor)
{
	struct type_descriptor part;
	struct text name;

	return (!descriptor->key || plausible(types, descriptor->key, &part, &name)) &&
	       (!descriptor->elem || plausible(types, descriptor->elem, &part, &name));
}

static struct go_type *type_known(const struct types *types, uint64_t address)
{
	return g_hash_table_lookup(types->by_address, &address);
}

/** Enters the type, its parts still to be read; NULL when it is not one or there is no room left.
 */
static struct go_type *type_enter(struct types *types, uint64_t address)
{
	struct type_descriptor descriptor;
	struct go_type *type = type_known(types, address);
	struct text name;
	const char *copy;

	if (type)
		return type;
	if (g_hash_table_size(types->by_address) >= TYPES_MAX || types->budget <= sizeof(*type) ||
	    !plausible(types, address, &descriptor, &name) || !parts_plausible(types, &descriptor))
		return NULL;
	copy = types_string(types, name);
	if (!copy)
		return NULL;
	types->budget -= MIN(sizeof(*type), types->budget);
	type = arena_take(types->arena, sizeof(*type));
	*type = (struct go_type){
		.address = address,
		.size = descriptor.size,
		.pointer_bytes = descriptor.pointer_bytes,
		.hash = descriptor.hash,
		.kind = descriptor.kind,
		.named = descriptor.tflag & TYPE_FLAG_NAMED,
		.name = copy,
		.length = descriptor.length,
		.map = descriptor.map,
	};
	g_hash_table_insert(types->by_address, &type->address, type);
	g_ptr_array_add(types->batch, type);
	return type;
}

/** One abi.StructField; offset and embedding as the version has them. */
static bool field_read(struct types *types, const struct go_type *type, uint64_t address,
		       struct go_type_field *ret)
{
	uint64_t name_address, type_address, offset;
	struct type_name name;

	if (!memory_u64(types->memory, address, &name_address) ||
	    !memory_u64(types->memory, address + 8, &type_address) ||
	    !memory_u64(types->memory, address + 16, &offset) ||
	    !type_name_read(types, name_address, &name))
		return false;
	if (types->layout->version.minor <
	    19) { // offset<<1 | embedded: reflect/type.go:435@go1.18.10
		name.embedded = offset & 1;
		offset >>= 1;
	}
	ret->name = types_string(types, name.text);
	if (!ret->name || offset > type->size)
		return false;
	ret->embedded = name.embedded;
	ret->offset = offset;
	ret->type = type_enter(types, type_address);
	return true;
}

/** All fields, or none when one of them makes no sense. */
static void fields_read(struct types *types, struct go_type *type,
			const struct type_descriptor *descriptor)
{
	uint64_t count = descriptor->field_count;
	uint64_t bytes = count * sizeof(struct go_type_field);
	struct go_type_field *fields;

	if (!count || types->budget <= bytes ||
	    !memory_view(types->memory, descriptor->fields, count * TYPE_FIELD_BYTES))
		return;
	types->budget -= bytes;
	fields = arena_array(types->arena, count, sizeof(fields[0]));
	for (uint64_t i = 0; i < count; i++)
		if (!field_read(types, type, descriptor->fields + i * TYPE_FIELD_BYTES, &fields[i]))
			return;
	type->fields = fields;
	type->field_count = count;
}

static void type_resolve(struct types *types, struct go_type *type)
{
	struct type_descriptor descriptor;

	if (!type_descriptor_read(types, type->address, &descriptor))
		return;
	if (descriptor.key)
		type->key = type_enter(types, descriptor.key);
	if (descriptor.elem)
		type->elem = type_enter(types, descriptor.elem);
	if (type->kind == GO_KIND_STRUCT)
		fields_read(types, type, &descriptor);
}

const struct go_type *types_at(struct types *types, uint64_t address)
{
	struct go_type *type = type_known(types, address);

	if (type)
		return type;
	g_ptr_array_set_size(types->batch, 0);
	type = type_enter(types, address);
	for (guint i = 0; i < types->batch->len; i++) // grows while it is walked
		type_resolve(types, g_ptr_array_index(types->batch, i));
	for (guint i = 0; i < types->batch->len; i++)
		type_name_qualify(types, g_ptr_array_index(types->batch, i));
	for (guint i = 0; i < types->batch->len; i++)
		type_name_complete(types, g_ptr_array_index(types->batch, i));
	return type;
}

static void visit_at(struct types *types, uint64_t address,
		     void (*visit)(const struct go_type *, void *), void *context)
{
	const struct go_type *type = types_at(types, address);

	if (type)
		visit(type, context);
}

static void each_link(struct types *types, const struct moduledata *module,
		      void (*visit)(const struct go_type *, void *), void *context)
{
	uint64_t count = MIN(module->typelink_count, TYPES_MAX);
	uint32_t offset;

	for (uint64_t i = 0; i < count; i++)
		if (memory_u32(types->memory, module->typelinks + i * 4, &offset) &&
		    offset < module->etypes - module->types)
			visit_at(types, module->types + offset, visit, context);
}

/** moduleTypelinks, runtime/type.go:507@go1.27.2: descriptors one after the other, behind one empty
 * word. */
static void each_descriptor(struct types *types, const struct moduledata *module,
			    void (*visit)(const struct go_type *, void *), void *context)
{
	uint64_t at = module->types + 8, end = module->types + module->typedesclen, bytes;
	struct type_descriptor descriptor;

	while (at < end && type_descriptor_read(types, at, &descriptor) &&
	       type_descriptor_extent(types, &descriptor, &bytes)) {
		visit_at(types, at, visit, context);
		at = (at + bytes + 7) & ~7ull;
	}
}

void types_each(struct types *types, void (*visit)(const struct go_type *, void *), void *context)
{
	for (guint i = 0; i < types->modules->len; i++) {
		struct moduledata module = *MODULE(types, i);

		if (module.typedesclen)
			each_descriptor(types, &module, visit, context);
		else
			each_link(types, &module, visit, context);
	}
}

static const struct go_type_field *field_at(const struct go_type *type, uint64_t offset)
{
	for (size_t i = 0; i < type->field_count; i++) {
		const struct go_type_field *field = &type->fields[i];

		if (field->type && field->offset <= offset &&
		    offset - field->offset < field->type->size)
			return field;
	}
	return NULL;
}

static bool path_append(char *path, size_t size, const char *name, uint64_t index)
{
	size_t used = strnlen(path, size);
	int added;

	if (used == size)
		return false;
	added = name ? snprintf(path + used, size - used, ".%s", name)
		     : snprintf(path + used, size - used, "[%llu]", (unsigned long long)index);
	return added >= 0 && (size_t)added < size - used;
}

bool go_type_is_runtimes(const struct go_type *type)
{
	return !strncmp(type->full_name, "runtime.", strlen("runtime."));
}

bool go_type_path(const struct go_type *type, uint64_t offset, char *ret, size_t size,
		  const struct go_type **ret_type)
{
	for (unsigned depth = 0; type && depth < LIMIT_TYPE_DEPTH; depth++) {
		const struct go_type *elem = type->elem;
		const struct go_type_field *field;

		if (type->kind == GO_KIND_ARRAY && elem && elem->size && offset < type->size) {
			if (!path_append(ret, size, NULL, offset / elem->size))
				return false;
			offset %= elem->size;
			type = elem;
			continue;
		}
		if (type->kind != GO_KIND_STRUCT) {
			*ret_type = type;
			return offset < MAX(type->size, 1);
		}
		field = field_at(type, offset);
		if (!field || !path_append(ret, size, field->name, 0))
			return false;
		offset -= field->offset;
		type = field->type;
	}
	return false;
}

const struct go_type *go_type_holder(const struct go_type *type, uint64_t offset)
{
	const struct go_type *holder = NULL;

	for (unsigned depth = 0; type && depth < LIMIT_TYPE_DEPTH; depth++) {
		const struct go_type_field *field;

		if (type->kind == GO_KIND_ARRAY && type->elem && type->elem->size) {
			type = type->elem;
			offset %= type->size;
			continue;
		}
		if (type->kind != GO_KIND_STRUCT)
			return holder;
		field = field_at(type, offset);
		if (!field)
			return NULL;
		holder = type;
		offset -= field->offset;
		type = field->type;
	}
	return NULL;
}

bool go_type_is_shape(const struct go_type *type)
{
	return strstr(type->full_name, "go.shape.") != NULL;
}

static bool is_same(const struct go_type *a, const struct go_type *b)
{
	return a && b && (a == b || !strcmp(a->full_name, b->full_name));
}

static bool is_alike(const struct go_type *a, const struct go_type *b)
{
	return !a || !b || (a->kind == b->kind && a->size == b->size);
}

bool go_type_map_is(const struct go_type *declared, const struct go_type *used)
{
	if (declared->kind != GO_KIND_MAP)
		return false;
	if (is_same(declared, used) ||
	    (is_same(declared->key, used->key) && is_same(declared->elem, used->elem)))
		return true;
	return go_type_is_shape(used) && is_alike(declared->key, used->key) &&
	       is_alike(declared->elem, used->elem);
}
