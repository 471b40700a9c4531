// SPDX-License-Identifier: Apache-2.0
// Pointers are not followed: where they lead is compared with what the heap and the modules have there.
#include "model/data/value_fit.h"

#include "base/limits.h"
#include "model/data/heap.h"
#include "model/stack/map_recover.h"

#include <glib.h>

#define WORD         8
#define ELEMENTS_MAX 256 /* of one array that are looked at */

/** How many bytes of one thing there are from @a address on; 0: none. */
static uint64_t extent_of(struct program *program, uint64_t address, bool *ret_pointers)
{
	struct heap_object object;

	*ret_pointers = true;
	if (!heap_object_at(program, address, &object))
		return memory_extent(program->memory, address);
	*ret_pointers = object.pointers;
	return address < object.data ? 0 : object.address + object.size - address;
}

/** Does a pointer lead to @a size bytes, in which pointers may stand where @a pointers? */
static bool target_fits(struct program *program, uint64_t pointer, uint64_t size, bool pointers)
{
	bool may_point;
	uint64_t extent = extent_of(program, pointer, &may_point);

	return extent && extent >= size && (may_point || !pointers);
}

/** No Go type but the runtime's own has a pointer to code. */
static bool is_code(const struct program *program, uint64_t address)
{
	for (size_t i = 0; i < program->module_count; i++) {
		const struct moduledata *module = &program->modules[i];

		if (address >= module->pclntab.minpc && address < module->pclntab.maxpc)
			return true;
	}
	return false;
}

static bool pointer_fits(struct program *program, const struct go_type *elem, uint64_t pointer)
{
	return !pointer ||
	       (!is_code(program, pointer) &&
		target_fits(program, pointer, elem ? elem->size : 0, elem && elem->pointer_bytes));
}

static bool function_fits(struct program *program, uint64_t closure)
{
	struct go_function function;
	uint32_t table;
	uint64_t entry;

	return !closure ||
	       (memory_u64(program->memory, closure, &entry) &&
		program_function(program, entry, &function, &table) && function.entry == entry);
}

static bool string_fits(struct program *program, uint64_t data, uint64_t length)
{
	return !length || (data && target_fits(program, data, length, false));
}

static bool slice_fits(struct program *program, const struct go_type *type, uint64_t address)
{
	uint64_t data, length, capacity, bytes;
	const struct go_type *elem = type->elem;

	if (!memory_u64(program->memory, address, &data) ||
	    !memory_u64(program->memory, address + WORD, &length) ||
	    !memory_u64(program->memory, address + 2 * WORD, &capacity) || length > capacity)
		return false;
	if (!capacity || !elem || !elem->size)
		return true;
	return data && !__builtin_mul_overflow(capacity, elem->size, &bytes) &&
	       target_fits(program, data, bytes, elem->pointer_bytes);
}

/** The first word is the type itself, or an itab whose second word is. */
static bool interface_fits(struct program *program, uint64_t word, uint64_t data)
{
	uint64_t type;

	if (!word)
		return !data;
	if (types_covers(program->types, word) && types_at(program->types, word))
		return true;
	return memory_u64(program->memory, word + WORD, &type) &&
	       types_covers(program->types, type) && types_at(program->types, type);
}

static bool parts_fit(struct program *program, const struct go_type *type, uint64_t address,
		      unsigned depth);

static bool part_fits(struct program *program, const struct go_type *type, uint64_t address,
		      unsigned depth)
{
	uint64_t word = 0, next = 0;
	uint8_t byte;

	if (type->kind == GO_KIND_BOOL)
		return memory_u8(program->memory, address, &byte) && byte <= 1;
	if (type->kind == GO_KIND_STRUCT || type->kind == GO_KIND_ARRAY)
		return depth < LIMIT_TYPE_DEPTH && parts_fit(program, type, address, depth + 1);
	if (!type->pointer_bytes)
		return memory_extent(program->memory, address) >= type->size;
	if (!memory_u64(program->memory, address, &word) ||
	    (type->size > WORD && !memory_u64(program->memory, address + WORD, &next)))
		return false;
	switch (type->kind) {
	case GO_KIND_STRING:
		return string_fits(program, word, next);
	case GO_KIND_INTERFACE:
		return interface_fits(program, word, next);
	case GO_KIND_SLICE:
		return slice_fits(program, type, address);
	case GO_KIND_FUNC:
		return function_fits(program, word);
	case GO_KIND_MAP:
		return !word || map_is_heap_object(program, word);
	case GO_KIND_POINTER:
		return pointer_fits(program, type->elem, word);
	default: // a channel, an unsafe.Pointer
		return pointer_fits(program, NULL, word);
	}
}

static bool parts_fit(struct program *program, const struct go_type *type, uint64_t address,
		      unsigned depth)
{
	uint64_t count = type->kind == GO_KIND_ARRAY ? MIN(type->length, ELEMENTS_MAX) : 0;

	for (uint64_t i = 0; i < count; i++)
		if (!type->elem ||
		    !part_fits(program, type->elem, address + i * type->elem->size, depth))
			return false;
	for (size_t i = 0; i < type->field_count; i++) {
		const struct go_type_field *field = &type->fields[i];

		if (!field->type ||
		    !part_fits(program, field->type, address + field->offset, depth))
			return false;
	}
	return true;
}

bool value_fits(struct program *program, const struct go_type *type, uint64_t address)
{
	return part_fits(program, type, address, 0);
}
