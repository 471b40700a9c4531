// SPDX-License-Identifier: Apache-2.0
// Names of types: as the linker encodes them, and with the import path that reflect leaves out.
#include "model/data/type_store.h"

#include "base/limits.h"

#include <glib.h>

#define NAME_EMBEDDED     8 // in the name's flags, 1.19+ (reflect/type.go@go1.19.13)
#define MINOR_NAME_VARINT 17
#define MINOR_NAME_EMBEDS 19
#define NAME_PREFIX_MAX   11
#define NAME_EXTENT_MAX   (LIMIT_NAME_BYTES + NAME_PREFIX_MAX)

/** Length of the name and of what stands before it; false when malformed. */
static bool name_length(const struct types *types, const uint8_t *at, uint64_t left,
			uint64_t *ret_length, uint64_t *ret_prefix)
{
	uint64_t length = 0;

	if (types->layout->version.minor < MINOR_NAME_VARINT) { // runtime/type.go:422@go1.9.7
		if (left < 3)
			return false;
		*ret_length = (uint64_t)at[1] << 8 | at[2];
		*ret_prefix = 3;
		return true;
	}
	for (uint64_t i = 1; i < NAME_PREFIX_MAX && i < left; i++) {
		length |= (uint64_t)(at[i] & 0x7f) << (7 * (i - 1));
		if (!(at[i] & 0x80)) {
			*ret_length = length;
			*ret_prefix = i + 1;
			return true;
		}
	}
	return false;
}

bool type_name_read(const struct types *types, uint64_t address, struct type_name *ret)
{
	uint64_t extent = MIN(memory_extent(types->memory, address), NAME_EXTENT_MAX);
	uint64_t length, prefix;
	const uint8_t *view = memory_view(types->memory, address, extent);

	if (!view || !name_length(types, view, extent, &length, &prefix) ||
	    length > LIMIT_NAME_BYTES || extent - prefix < length)
		return false;
	ret->text = (struct text){(const char *)view + prefix, length};
	ret->embedded =
		types->layout->version.minor >= MINOR_NAME_EMBEDS && (view[0] & NAME_EMBEDDED);
	return true;
}

/** Resolves a nameOff of the module that holds @a type; negative ones live in the runtime's own
 * table. */
static bool name_at_offset(const struct types *types, uint64_t type, int32_t offset,
			   struct type_name *ret)
{
	const struct moduledata *module = types_module(types, type);

	return module && offset > 0 && (uint64_t)offset < module->etypes - module->types &&
	       type_name_read(types, module->types + (uint64_t)offset, ret);
}

static bool printable(struct text text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	return text.n > 0;
}

bool type_string_read(const struct types *types, const struct type_descriptor *descriptor,
		      struct text *ret)
{
	struct type_name name;

	if (!name_at_offset(types, descriptor->address, descriptor->str, &name) ||
	    !printable(name.text))
		return false;
	if (descriptor->tflag & TYPE_FLAG_EXTRA_STAR) {
		if (name.text.p[0] != '*' || name.text.n == 1)
			return false;
		name.text.p++;
		name.text.n--;
	}
	*ret = name.text;
	return true;
}

struct text type_package_path(const struct types *types, const struct type_descriptor *descriptor)
{
	struct type_name name;
	uint32_t offset;

	if (!(descriptor->tflag & TYPE_FLAG_UNCOMMON) ||
	    !memory_u32(types->memory, descriptor->address + descriptor->bytes, &offset) ||
	    !name_at_offset(types, descriptor->address, (int32_t)offset, &name) ||
	    !printable(name.text))
		return (struct text){"", 0};
	return name.text;
}

/** What follows the package in "config.Entry[int,a.b/c.T]": dots in brackets are of type arguments.
 */
static const char *base_name(const char *name)
{
	size_t i = strlen(name);
	int brackets = 0;

	while (i > 0 && (name[i - 1] != '.' || brackets)) {
		i--;
		brackets += (name[i] == ']') - (name[i] == '[');
	}
	return name + i;
}

char *types_string(struct types *types, struct text text)
{
	if (types->budget <= text.n)
		return NULL;
	types->budget -= text.n + 1;
	return arena_string(types->arena, text);
}

static const char *full_name(struct types *types, struct go_type *type, unsigned depth);

static const char *full_or_unknown(struct types *types, const struct go_type *type, unsigned depth)
{
	return type ? full_name(types, (struct go_type *)type, depth) : "?";
}

/** "map[K]V", "*T" ... from the parts; NULL for kinds that name no other type this way. */
static GString *composite(struct types *types, const struct go_type *type, unsigned depth)
{
	GString *text = g_string_new(NULL);

	switch (type->kind) {
	case GO_KIND_MAP:
		g_string_append_printf(text, "map[%s]", full_or_unknown(types, type->key, depth));
		break;
	case GO_KIND_POINTER:
		g_string_append_c(text, '*');
		break;
	case GO_KIND_SLICE:
		g_string_append(text, "[]");
		break;
	case GO_KIND_ARRAY:
		g_string_append_printf(text, "[%llu]", (unsigned long long)type->length);
		break;
	case GO_KIND_CHAN: // the direction is in the name: "<-chan T", "chan<- T"
		g_string_append_len(text, type->name[0] ? type->name : "chan",
				    type->name[0] ? (gssize)strcspn(type->name, " ") : 4);
		g_string_append_c(text, ' ');
		break;
	default:
		g_string_free(text, TRUE);
		return NULL;
	}
	return g_string_append(text, full_or_unknown(types, type->elem, depth));
}

/** @a depth bounds the recursion; a type under construction is known by its plain name meanwhile.
 */
static const char *full_name(struct types *types, struct go_type *type, unsigned depth)
{
	GString *text;
	const char *copy = NULL;

	if (type->full_name)
		return type->full_name;
	type->full_name = type->name;
	if (type->named || depth == 0)
		return type->full_name;
	text = composite(types, type, depth - 1);
	if (!text)
		return type->full_name;
	if (text->len <= LIMIT_NAME_BYTES)
		copy = types_string(types, (struct text){text->str, text->len});
	if (copy)
		type->full_name = copy;
	g_string_free(text, TRUE);
	return type->full_name;
}

void type_name_qualify(struct types *types, struct go_type *type)
{
	struct type_descriptor descriptor;
	struct text path;
	uint64_t bytes;

	if (!type->named || !type_descriptor_read(types, type->address, &descriptor))
		return;
	path = type_package_path(types, &descriptor);
	bytes = path.n + strlen(type->name) + 2;
	if (!path.n || types->budget <= bytes)
		return;
	types->budget -= bytes;
	type->full_name =
		arena_format(types->arena, "%.*s.%s", TEXT_ARGUMENTS(path), base_name(type->name));
}

void type_name_complete(struct types *types, struct go_type *type)
{
	full_name(types, type, LIMIT_TYPE_DEPTH);
	if (type->name[0])
		return;
	if (!type->full_name[0])
		type->full_name = type->kind == GO_KIND_STRUCT ? "struct {...}" : "func(...)";
	type->name = type->full_name;
}
