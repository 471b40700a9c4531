// SPDX-License-Identifier: Apache-2.0
// A type that code allocates is named by that code; a type that only reflection makes is listed in the module. So together
// they have every type that an object can be of, but for what reflect puts together at run time.
#include "model/data/object_type.h"

#include "base/sorted.h"
#include "model/code/call_graph.h"
#include "model/data/value_fit.h"

#include <string.h>

#define WORD         8
#define NAMED_MAX    (1u << 20) /* places of code that name a type */
#define LOOKED_AT    64         /* of them, for one type */
#define ELEMENTS_MAX 64         /* of an array whose content is looked at */

/** Code that makes the address of a type. */
struct named_place {
	uint64_t type, end;
};

struct object_types {
	struct program *program;
	GPtrArray *all; // const struct go_type *; NULL before the first question
	GHashTable *seen;
	GArray *places; // struct named_place, by type
};

enum use { USE_ONE = 1, USE_SEVERAL = 2 };

struct object_types *object_types_new(struct program *program)
{
	struct object_types *types = g_new0(struct object_types, 1);

	types->program = program;
	return types;
}

void object_types_free(struct object_types *types)
{
	if (types->all) {
		g_ptr_array_free(types->all, TRUE);
		g_hash_table_unref(types->seen);
		g_array_free(types->places, TRUE);
	}
	g_free(types);
}

static void type_add(const struct go_type *type, void *context)
{
	struct object_types *types = context;

	if (type && g_hash_table_add(types->seen, (void *)(uintptr_t)type))
		g_ptr_array_add(types->all, (void *)(uintptr_t)type);
}

static void place_add(uint64_t end, uint64_t target, void *context)
{
	struct object_types *types = context;
	struct named_place place = {target, end};

	if (target % WORD == 0 && types->places->len < NAMED_MAX)
		g_array_append_val(types->places, place);
}

static void code_types_add(struct object_types *types)
{
	struct program *program = types->program;
	uint64_t last = 0;

	for (size_t i = 0; i < program->module_count; i++)
		call_graph_addresses(program->memory, program->tables[i], program->arch,
				     program->modules[i].types, program->modules[i].etypes,
				     place_add, types);
	g_array_sort(types->places, sorted_compare);
	for (guint i = 0; i < types->places->len; i++) {
		uint64_t address = g_array_index(types->places, struct named_place, i).type;

		if (address != last)
			type_add(types_at(program->types, address), types);
		last = address;
	}
}

const GPtrArray *object_types_all(struct object_types *types)
{
	if (types->all)
		return types->all;
	types->all = g_ptr_array_new();
	types->seen = g_hash_table_new(NULL, NULL);
	types->places = g_array_new(FALSE, FALSE, sizeof(struct named_place));
	types_each(types->program->types, type_add, types);
	code_types_add(types);
	for (guint i = 0; i < types->all->len; i++) { // grows while it is walked
		const struct go_type *type = g_ptr_array_index(types->all, i);

		type_add(type->key, types);
		type_add(type->elem, types);
	}
	return types->all;
}

/** What the code that names a type does with it: enum use, together; 0 when no allocation names it. */
static unsigned uses_of(struct object_types *types, const struct go_type *type)
{
	static const struct {
		const char *prefix;
		enum use use;
	} makers[] = {{"runtime.newobject", USE_ONE},
		      {"runtime.conv", USE_ONE},
		      {"runtime.makeslice", USE_SEVERAL},
		      {"runtime.growslice", USE_SEVERAL},
		      {"runtime.newarray", USE_SEVERAL}};
	const struct named_place *places = (const void *)types->places->data;
	struct program *program = types->program;
	struct go_function function;
	uint64_t at, target;
	unsigned uses = 0;
	uint32_t table;
	size_t count;

	places += sorted_run(places, types->places->len, sizeof(*places), type->address, &count);
	for (size_t i = 0; i < MIN(count, LOOKED_AT); i++) {
		if (!program_function(program, places[i].end, &function, &table) ||
		    !sites_call_after(program->sites, &function, places[i].end, &at, &target) ||
		    !target || !program_function(program, target, &function, &table))
			continue;
		for (size_t j = 0; j < G_N_ELEMENTS(makers); j++)
			if (g_str_has_prefix(function.name, makers[j].prefix))
				uses |= makers[j].use;
	}
	return uses;
}

bool object_holds_as(const struct go_type *holder, const struct go_type *declared,
		     const struct go_type *used)
{
	if (declared->kind != GO_KIND_MAP)
		return false;
	return used ? go_type_map_is(declared, used) : !strchr(holder->full_name, '[');
}

bool object_word_is_boxed(struct program *program, uint64_t word)
{
	const struct go_type *type = NULL;
	uint64_t first, inner;

	if (!memory_u64(program->memory, word - WORD, &first) || !first)
		return false;
	if (types_covers(program->types, first))
		type = types_at(program->types, first);
	if (!type && memory_u64(program->memory, first + WORD, &inner) &&
	    types_covers(program->types, inner))
		type = types_at(program->types, inner);
	return type && type->kind == GO_KIND_MAP;
}

/** The question that types are compared with. */
struct asked {
	struct program *program;
	uint64_t data, size, offset;
	const struct go_type *map;
	bool boxed;
};

/**
 * The allocator gives the smallest slot that is large enough: no object of the next smaller slot's size, which is returned, is in
 * this one (runtime/sizeclasses.go; slots of 24 bytes came with Go 1.16).
 */
static uint64_t smaller_slot(const struct program *program, uint64_t slot)
{
	uint64_t step = slot <= 24    ? 8
			: slot <= 256 ? 16
			: slot <= 512 ? 32
			: slot <= 768 ? 64
				      : 128;

	if (slot == 32 && program->layout->version.minor >= 16)
		return 24;
	return slot <= 1024 ? slot - MIN(step, slot) : slot / 2;
}

static bool holds_there(const struct asked *asked, const struct go_type *type, uint64_t offset)
{
	const struct go_type *leaf;
	char path[256] = "";

	if (!go_type_path(type, offset, path, sizeof(path), &leaf) || !leaf)
		return false;
	return asked->boxed ? leaf->kind == GO_KIND_INTERFACE
			    : object_holds_as(type, leaf, asked->map);
}

static bool fits_one(const struct asked *asked, const struct go_type *type)
{
	return type->size <= asked->size &&
	       type->size > smaller_slot(asked->program, asked->size) &&
	       asked->offset < type->size && holds_there(asked, type, asked->offset) &&
	       value_fits(asked->program, type, asked->data);
}

static bool fits_several(const struct asked *asked, const struct go_type *type)
{
	uint64_t count = asked->size / type->size;

	if (type->kind != GO_KIND_STRUCT || count < 2 ||
	    !holds_there(asked, type, asked->offset % type->size))
		return false;
	for (uint64_t i = 0; i < MIN(count, ELEMENTS_MAX); i++)
		if (!value_fits(asked->program, type, asked->data + i * type->size))
			return false;
	return true;
}

/** Leaves those that are allocated as they would have to be, if there are any. */
static size_t narrow_by_use(struct object_types *types, struct object_guess *guesses, size_t count)
{
	struct object_guess kept[OBJECT_GUESSES_MAX];
	size_t n = 0;

	for (size_t i = 0; count > 1 && i < count; i++) {
		unsigned uses = uses_of(types, guesses[i].type);

		if (!uses || uses & (guesses[i].array ? USE_SEVERAL : USE_ONE))
			kept[n++] = guesses[i];
	}
	if (!n)
		return count;
	memcpy(guesses, kept, n * sizeof(*kept));
	return n;
}

size_t object_types_fit(struct object_types *types, const struct heap_object *object, uint64_t word,
			const struct go_type *map, struct object_guess ret[OBJECT_GUESSES_MAX])
{
	struct asked asked = {
		types->program,      object->data, object->address + object->size - object->data,
		word - object->data, map,          object_word_is_boxed(types->program, word)};
	const GPtrArray *all = object_types_all(types);
	size_t count = 0;

	for (guint i = 0; i < all->len && count < OBJECT_GUESSES_MAX; i++) {
		const struct go_type *type = g_ptr_array_index(all, i);

		if ((type->kind != GO_KIND_STRUCT && type->kind != GO_KIND_ARRAY) || !type->size ||
		    go_type_is_shape(type) || go_type_is_runtimes(type))
			continue;
		if (fits_one(&asked, type))
			ret[count++] = (struct object_guess){type, false};
		else if (fits_several(&asked, type))
			ret[count++] = (struct object_guess){type, true};
	}
	return narrow_by_use(types, ret, count);
}
