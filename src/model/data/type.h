// SPDX-License-Identifier: Apache-2.0
// Go's runtime types: what the type descriptors in the binary (or built by reflect, on the heap)
// say.
#pragma once
#include "base/arena.h"
#include "evidence/process/memory.h"
#include "evidence/binary/moduledata.h"
#include "golang/layout.h"

enum go_kind {
	GO_KIND_INVALID = 0,
	GO_KIND_BOOL = 1,
	GO_KIND_INT = 2, /* ... INT8 3, INT16 4, INT32 5, INT64 6 */
	GO_KIND_INT8 = 3,
	GO_KIND_INT16 = 4,
	GO_KIND_INT32 = 5,
	GO_KIND_INT64 = 6,
	GO_KIND_UINT = 7,
	GO_KIND_UINT8 = 8,
	GO_KIND_UINT16 = 9,
	GO_KIND_UINT32 = 10,
	GO_KIND_UINT64 = 11,
	GO_KIND_UINTPTR = 12,
	GO_KIND_FLOAT32 = 13,
	GO_KIND_FLOAT64 = 14,
	GO_KIND_COMPLEX64 = 15,
	GO_KIND_COMPLEX128 = 16,
	GO_KIND_ARRAY = 17,
	GO_KIND_CHAN = 18,
	GO_KIND_FUNC = 19,
	GO_KIND_INTERFACE = 20,
	GO_KIND_MAP = 21,
	GO_KIND_POINTER = 22,
	GO_KIND_SLICE = 23,
	GO_KIND_STRING = 24,
	GO_KIND_STRUCT = 25,
	GO_KIND_UNSAFE_POINTER = 26,
};

/** Shape of a map type; see golang/ for the two implementations. */
struct go_map_shape {
	bool swiss;
	bool indirect_key, indirect_elem;
	/* classic: bytes of a key and an element as stored (8 when indirect), of a whole bucket */
	uint32_t key_size, elem_size, bucket_size;
	/* Swiss: slot i's key is at keys_offset + i * key_stride in the group, its element likewise */
	uint64_t group_size, keys_offset, key_stride, elems_offset, elem_stride;
};

struct go_type_field {
	const char *name; /**< "entries"; an embedded field has its type's name */
	bool embedded;
	uint64_t offset;            /**< bytes from the start of the struct */
	const struct go_type *type; /**< NULL when unreadable */
};

/** A type; all of one `struct types` with the same address are the same object. */
struct go_type {
	uint64_t address;
	uint64_t size, pointer_bytes;
	uint32_t hash;
	enum go_kind kind;
	bool named;
	/** As reflect prints it: "map[string]*config.Entry". */
	const char *name;
	/**
	 * Name with the full import path where the type has one ("example.com/a/config.Entry");
	 * else as name.
	 */
	const char *full_name;
	const struct go_type *key;          /**< of a map */
	const struct go_type *elem;         /**< of a map, pointer, slice, array or channel */
	uint64_t length;                    /**< of an array */
	const struct go_type_field *fields; /**< of a struct */
	size_t field_count;
	struct go_map_shape map; /**< of a map */
};

struct types;

/** @a layout, @a memory and @a arena are borrowed. Modules are added with types_add_module(). */
struct types *types_new(const struct memory *memory, const struct go_layout *layout,
			struct arena *arena);
void types_free(struct types *types);
void types_add_module(struct types *types, const struct moduledata *module);

/**
 * The type at @a address, read once and kept; NULL when no plausible descriptor stands there (kind,
 * size, name and every type it refers to are checked, to LIMIT_TYPE_DEPTH).
 */
const struct go_type *types_at(struct types *types, uint64_t address);
/** True when @a address lies in a module's type data: a cheap first test for scans. */
bool types_covers(const struct types *types, uint64_t address);
/** Every type that the modules list (typelinks, or the descriptor area from 1.27 on). */
void types_each(struct types *types, void (*visit)(const struct go_type *, void *), void *context);
/** One of the runtime's own records (goroutines, their deferred calls, timers): they lead to everything, and own nothing. */
bool go_type_is_runtimes(const struct go_type *type);
/**
 * The field, embedded ones entered, that holds byte @a offset of @a type; appends ".a.b" to a
 * GString-free buffer.
 */
bool go_type_path(const struct go_type *type, uint64_t offset, char *ret, size_t size,
		  const struct go_type **ret_type);
/**
 * The struct, of @a type or embedded in it, whose field holds byte @a offset; NULL when it is no field.
 */
const struct go_type *go_type_holder(const struct go_type *type, uint64_t offset);
/** Code for all instances of a generic type has types by shape; no value is of one. */
bool go_type_is_shape(const struct go_type *type);
/** Can code that has the map type @a used (maybe by shape, or after a conversion) have got a map declared as @a declared? */
bool go_type_map_is(const struct go_type *declared, const struct go_type *used);
