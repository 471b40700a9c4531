// SPDX-License-Identifier: Apache-2.0
// Prints every type that a Go binary lists and all that those refer to, one fact a line, for
// comparison with what reflect says in the program itself:
//   type NAME | FULL NAME | SIZE
//   field NAME | FIELD | OFFSET | TYPE | embedded
//   map NAME | KEY | ELEM
#include "evidence/binary/buildinfo.h"
#include "model/data/type.h"

#include <glib.h>
#include <inttypes.h>

static const char *name_of(const struct go_type *type) { return type ? type->name : "?"; }

static void print_type(const struct go_type *type, void *context)
{
	GHashTable *seen = context;

	if (!type || !g_hash_table_add(seen, (gpointer)type))
		return;
	printf("type %s | %s | %" PRIu64 "\n", type->name, type->full_name, type->size);
	if (type->kind == GO_KIND_MAP)
		printf("map %s | %s | %s\n", type->name, name_of(type->key), name_of(type->elem));
	for (size_t i = 0; i < type->field_count; i++) {
		const struct go_type_field *field = &type->fields[i];

		printf("field %s | %s | %" PRIu64 " | %s | %d\n", type->name, field->name,
		       field->offset, name_of(field->type), field->embedded);
	}
	print_type(type->key, seen); // depth: that of the program's own types
	print_type(type->elem, seen);
	for (size_t i = 0; i < type->field_count; i++)
		print_type(type->fields[i].type, seen);
}

static struct error *list(struct image *image, struct memory *memory, struct arena *arena)
{
	GHashTable *seen = g_hash_table_new(NULL, NULL);
	const struct go_layout *layout;
	struct moduledata module;
	struct buildinfo info;
	struct types *types;
	bool exact;

	image_add_to(image, 0, memory);
	TRY(buildinfo_read(image, 0, memory, arena, &info));
	layout = go_layout_find(info.version, image_arch(image), &exact);
	TRY(moduledata_find(image, 0, memory, layout, &module));
	types = types_new(memory, layout, arena);
	types_add_module(types, &module);
	types_each(types, print_type, seen);
	types_free(types);
	g_hash_table_destroy(seen);
	return NULL;
}

int main(int argc, char **argv)
{
	struct memory *memory = memory_new();
	struct arena *arena = arena_new();
	struct image *image = NULL;
	struct error *error;

	if (argc != 2) {
		fprintf(stderr, "usage: typelist BINARY\n");
		return 2;
	}
	error = image_open(argv[1], &image);
	if (!error)
		error = list(image, memory, arena);
	if (error)
		fprintf(stderr, "typelist: %s\n", error_text(error));
	image_close(image);
	memory_free(memory);
	arena_free(arena);
	error_free(error);
	return error ? 3 : 0;
}
