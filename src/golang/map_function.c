// SPDX-License-Identifier: Apache-2.0
// Every function of the runtime, of reflect and of the Swiss map package through which a map is
// used, from Go 1.9 to the newest, by the name that the pclntab gives it. That name is the
// linker's: a function pushed by go:linkname has the name it was pushed to
// (runtime.reflect_mapassign is reflect.mapassign, internal/runtime/maps.runtime_mapassign is
// runtime.mapassign).
//
// Arguments were read from the sources of each release (runtime/hashmap*.go 1.9 and 1.10,
// runtime/map*.go 1.11 to 1.23, runtime/map*.go and internal/runtime/maps/*.go 1.24 and later); no
// function changed the place of its type or map between releases. Not told here:
//  - makemap's map argument is a place that escape analysis found, often NULL: left out;
//  - maps.clone, keys and values take the map in an interface, whose two words are type and map;
//  - reflect.mapiterinit returns its iterator before 1.18 and takes it since: left out;
//  - runtime.mapiterinit and mapiternext are, since 1.24, only for packages that link to them, and
//    their iterator is not a maps.Iter; the (*Iter) method below them on the stack has the real
//    one.
#include "golang/map_function.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define NONE          MAP_ARGUMENT_NONE
#define USER          true
#define INNER         false

/* clang-format off: one row a line */
/** Sorted by name, as strcmp does. Columns: name, operation, type, map, iterator, caller. */
static const struct go_map_function functions[] = {
	{"internal/reflectlite.maplen", MAP_READ, NONE, 0, NONE, USER},
	{"internal/runtime/maps.(*Iter).Init", MAP_ITERATE, 1, 2, 0, INNER},
	{"internal/runtime/maps.(*Iter).Next", MAP_ITERATE, NONE, NONE, 0, INNER},
	{"internal/runtime/maps.(*Iter).grownKeyElem", MAP_ITERATE, NONE, NONE, 0, INNER},
	{"internal/runtime/maps.(*Iter).nextDirIdx", MAP_ITERATE, NONE, NONE, 0, INNER},
	{"internal/runtime/maps.(*Map).Clear", MAP_CLEAR, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).Clone", MAP_CLONE, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).Delete", MAP_DELETE, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).Get", MAP_READ, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).Put", MAP_ASSIGN, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).PutSlot", MAP_ASSIGN, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).clearSmall", MAP_CLEAR, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).deleteSmall", MAP_DELETE, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).directorySet", MAP_GROW, NONE, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).getWithKey", MAP_READ, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).getWithKeySmall", MAP_READ, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).getWithoutKey", MAP_READ, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).getWithoutKeySmallFastStr", MAP_READ, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).growToSmall", MAP_GROW, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).growToTable", MAP_GROW, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).installTableSplit", MAP_GROW, NONE, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).putSlotSmall", MAP_ASSIGN, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).putSlotSmallFast32", MAP_ASSIGN, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).putSlotSmallFast64", MAP_ASSIGN, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).putSlotSmallFastPtr", MAP_ASSIGN, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).putSlotSmallFastStr", MAP_ASSIGN, 1, 0, NONE, INNER},
	{"internal/runtime/maps.(*Map).replaceTable", MAP_GROW, NONE, 0, NONE, INNER},
	{"internal/runtime/maps.(*table).Clear", MAP_CLEAR, 1, NONE, NONE, INNER},
	{"internal/runtime/maps.(*table).Delete", MAP_DELETE, 1, 2, NONE, INNER},
	{"internal/runtime/maps.(*table).Get", MAP_READ, 1, 2, NONE, INNER},
	{"internal/runtime/maps.(*table).PutSlot", MAP_ASSIGN, 1, 2, NONE, INNER},
	{"internal/runtime/maps.(*table).clone", MAP_CLONE, 1, NONE, NONE, INNER},
	{"internal/runtime/maps.(*table).getWithKey", MAP_READ, 1, NONE, NONE, INNER},
	{"internal/runtime/maps.(*table).getWithoutKey", MAP_READ, 1, NONE, NONE, INNER},
	{"internal/runtime/maps.(*table).grow", MAP_GROW, 1, 2, NONE, INNER},
	{"internal/runtime/maps.(*table).pruneTombstones", MAP_GROW, 1, 2, NONE, INNER},
	{"internal/runtime/maps.(*table).rehash", MAP_GROW, 1, 2, NONE, INNER},
	{"internal/runtime/maps.(*table).reset", MAP_GROW, 1, NONE, NONE, INNER},
	{"internal/runtime/maps.(*table).resetGrowthLeft", MAP_GROW, NONE, NONE, NONE, INNER},
	{"internal/runtime/maps.(*table).split", MAP_GROW, 1, 2, NONE, INNER},
	{"internal/runtime/maps.(*table).uncheckedPutSlot", MAP_GROW, 1, NONE, NONE, INNER},
	{"internal/runtime/maps.(*table).uncheckedPutSlotForAssign", MAP_ASSIGN, 1, NONE, NONE,
	 INNER},
	{"internal/runtime/maps.(*table).uncheckedPutSlotForAssignFast32", MAP_ASSIGN, 1, NONE,
	 NONE, INNER},
	{"internal/runtime/maps.(*table).uncheckedPutSlotForAssignFast64", MAP_ASSIGN, 1, NONE,
	 NONE, INNER},
	{"internal/runtime/maps.(*table).uncheckedPutSlotForAssignFastPtr", MAP_ASSIGN, 1, NONE,
	 NONE, INNER},
	{"internal/runtime/maps.(*table).uncheckedPutSlotForAssignFastStr", MAP_ASSIGN, 1, NONE,
	 NONE, INNER},
	{"internal/runtime/maps.NewEmptyMap", MAP_MAKE, NONE, NONE, NONE, INNER},
	{"internal/runtime/maps.NewMap", MAP_MAKE, 0, NONE, NONE, INNER},
	{"internal/runtime/maps.cloneGroup", MAP_CLONE, 0, NONE, NONE, INNER},
	{"internal/runtime/maps.newGroups", MAP_MAKE, 0, NONE, NONE, INNER},
	{"internal/runtime/maps.newTable", MAP_MAKE, 0, NONE, NONE, INNER},
	{"maps.clone", MAP_CLONE, NONE, NONE, NONE, USER},
	{"maps.keys", MAP_READ, NONE, NONE, NONE, USER},
	{"maps.values", MAP_READ, NONE, NONE, NONE, USER},
	{"reflect.makemap", MAP_MAKE, 0, NONE, NONE, USER},
	{"reflect.mapIterNext", MAP_ITERATE, NONE, NONE, 0, USER},
	{"reflect.mapIterStart", MAP_ITERATE, 0, 1, 2, USER},
	{"reflect.mapaccess", MAP_READ, 0, 1, NONE, USER},
	{"reflect.mapaccess_faststr", MAP_READ, 0, 1, NONE, USER},
	{"reflect.mapassign", MAP_ASSIGN, 0, 1, NONE, USER},
	{"reflect.mapassign0", MAP_ASSIGN, 0, 1, NONE, USER},
	{"reflect.mapassign_faststr", MAP_ASSIGN, 0, 1, NONE, USER},
	{"reflect.mapassign_faststr0", MAP_ASSIGN, 0, 1, NONE, USER},
	{"reflect.mapclear", MAP_CLEAR, 0, 1, NONE, USER},
	{"reflect.mapdelete", MAP_DELETE, 0, 1, NONE, USER},
	{"reflect.mapdelete_faststr", MAP_DELETE, 0, 1, NONE, USER},
	{"reflect.mapiterelem", MAP_ITERATE, NONE, NONE, 0, USER},
	{"reflect.mapiterinit", MAP_ITERATE, 0, 1, NONE, USER},
	{"reflect.mapiterkey", MAP_ITERATE, NONE, NONE, 0, USER},
	{"reflect.mapiternext", MAP_ITERATE, NONE, NONE, 0, USER},
	{"reflect.mapitervalue", MAP_ITERATE, NONE, NONE, 0, USER},
	{"reflect.maplen", MAP_READ, NONE, 0, NONE, USER},
	{"runtime.(*hmap).createOverflow", MAP_GROW, NONE, 0, NONE, INNER},
	{"runtime.(*hmap).incrnoverflow", MAP_GROW, NONE, 0, NONE, INNER},
	{"runtime.(*hmap).newoverflow", MAP_GROW, 1, 0, NONE, INNER},
	{"runtime.advanceEvacuationMark", MAP_GROW, 1, 0, NONE, INNER},
	{"runtime.copyKeys", MAP_READ, 0, 1, NONE, INNER},
	{"runtime.copyValues", MAP_READ, 0, 1, NONE, INNER},
	{"runtime.evacuate", MAP_GROW, 0, 1, NONE, INNER},
	{"runtime.evacuate_fast32", MAP_GROW, 0, 1, NONE, INNER},
	{"runtime.evacuate_fast64", MAP_GROW, 0, 1, NONE, INNER},
	{"runtime.evacuate_faststr", MAP_GROW, 0, 1, NONE, INNER},
	{"runtime.growWork", MAP_GROW, 0, 1, NONE, INNER},
	{"runtime.growWork_fast32", MAP_GROW, 0, 1, NONE, INNER},
	{"runtime.growWork_fast64", MAP_GROW, 0, 1, NONE, INNER},
	{"runtime.growWork_faststr", MAP_GROW, 0, 1, NONE, INNER},
	{"runtime.hashGrow", MAP_GROW, 0, 1, NONE, INNER},
	{"runtime.makeBucketArray", MAP_MAKE, 0, NONE, NONE, INNER},
	{"runtime.makemap", MAP_MAKE, 0, NONE, NONE, USER},
	{"runtime.makemap64", MAP_MAKE, 0, NONE, NONE, USER},
	{"runtime.makemap_small", MAP_MAKE, NONE, NONE, NONE, USER},
	{"runtime.mapIterNext", MAP_ITERATE, NONE, NONE, 0, USER},
	{"runtime.mapIterStart", MAP_ITERATE, 0, 1, 2, USER},
	{"runtime.mapaccess1", MAP_READ, 0, 1, NONE, USER},
	{"runtime.mapaccess1_fast32", MAP_READ, 0, 1, NONE, USER},
	{"runtime.mapaccess1_fast64", MAP_READ, 0, 1, NONE, USER},
	{"runtime.mapaccess1_faststr", MAP_READ, 0, 1, NONE, USER},
	{"runtime.mapaccess1_fat", MAP_READ, 0, 1, NONE, USER},
	{"runtime.mapaccess2", MAP_READ, 0, 1, NONE, USER},
	{"runtime.mapaccess2_fast32", MAP_READ, 0, 1, NONE, USER},
	{"runtime.mapaccess2_fast64", MAP_READ, 0, 1, NONE, USER},
	{"runtime.mapaccess2_faststr", MAP_READ, 0, 1, NONE, USER},
	{"runtime.mapaccess2_fat", MAP_READ, 0, 1, NONE, USER},
	{"runtime.mapaccessK", MAP_READ, 0, 1, NONE, INNER},
	{"runtime.mapassign", MAP_ASSIGN, 0, 1, NONE, USER},
	{"runtime.mapassign_fast32", MAP_ASSIGN, 0, 1, NONE, USER},
	{"runtime.mapassign_fast32ptr", MAP_ASSIGN, 0, 1, NONE, USER},
	{"runtime.mapassign_fast64", MAP_ASSIGN, 0, 1, NONE, USER},
	{"runtime.mapassign_fast64ptr", MAP_ASSIGN, 0, 1, NONE, USER},
	{"runtime.mapassign_faststr", MAP_ASSIGN, 0, 1, NONE, USER},
	{"runtime.mapclear", MAP_CLEAR, 0, 1, NONE, USER},
	{"runtime.mapclone2", MAP_CLONE, 0, 1, NONE, INNER},
	{"runtime.mapdelete", MAP_DELETE, 0, 1, NONE, USER},
	{"runtime.mapdelete_fast32", MAP_DELETE, 0, 1, NONE, USER},
	{"runtime.mapdelete_fast64", MAP_DELETE, 0, 1, NONE, USER},
	{"runtime.mapdelete_faststr", MAP_DELETE, 0, 1, NONE, USER},
	{"runtime.mapiterinit", MAP_ITERATE, 0, 1, 2, USER},
	{"runtime.mapiternext", MAP_ITERATE, NONE, NONE, 0, USER},
	{"runtime.moveToBmap", MAP_CLONE, 0, NONE, NONE, INNER},
};
/* clang-format on */

static int function_compare(const void *name, const void *function)
{
	return strcmp(name, ((const struct go_map_function *)function)->name);
}

const struct go_map_function *go_map_function_find(const char *name)
{
	return bsearch(name, functions, LENGTH(functions), sizeof(functions[0]), function_compare);
}

const struct go_map_function *go_map_functions(size_t *ret_count)
{
	*ret_count = LENGTH(functions);
	return functions;
}

static const char *const operation_names[] = {
	[MAP_READ] = "read",   [MAP_ASSIGN] = "assign",   [MAP_DELETE] = "delete",
	[MAP_CLEAR] = "clear", [MAP_ITERATE] = "iterate", [MAP_CLONE] = "clone",
	[MAP_MAKE] = "make",   [MAP_GROW] = "grow",       [MAP_WRITE] = "write",
};

const char *map_operation_name(enum map_operation operation) { return operation_names[operation]; }

bool map_operation_writes(enum map_operation operation)
{
	return operation == MAP_ASSIGN || operation == MAP_DELETE || operation == MAP_CLEAR ||
	       operation == MAP_GROW || operation == MAP_WRITE;
}

bool go_map_function_holds_flag(const struct go_map_function *function, bool swiss)
{
	static const char *const swiss_methods[] = {
		"internal/runtime/maps.(*Map).Clear",
		"internal/runtime/maps.(*Map).Delete",
		"internal/runtime/maps.(*Map).PutSlot",
	};
	struct text name = text_of(function->name);

	if (text_starts(name, "runtime.mapassign"))
		return true;
	if (!swiss)
		return text_starts(name, "runtime.mapdelete") || text_is(name, "runtime.mapclear");
	for (size_t i = 0; i < LENGTH(swiss_methods); i++)
		if (text_is(name, swiss_methods[i]))
			return true;
	return false;
}
