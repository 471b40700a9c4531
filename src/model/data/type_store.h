// SPDX-License-Identifier: Apache-2.0
// Type descriptors as they stand in memory, and the store of those already read, as the files of
// the type reader share them.
#pragma once
#include "model/data/type.h"

#include <glib.h>

struct types {
	const struct memory *memory;
	const struct go_layout *layout;
	struct arena *arena;
	GArray *modules; // struct moduledata
	GHashTable *by_address;
	GPtrArray *batch; // struct go_type added by the current call, in order
	uint64_t budget;  // bytes that may still be taken: shared parts are read once per referrer
};

/**
 * The fixed part of a descriptor, abi.Type, with what its kind adds. Addresses are in the process.
 */
struct type_descriptor {
	uint64_t address, size, pointer_bytes;
	uint32_t hash;
	uint8_t tflag;
	enum go_kind kind;
	int32_t str;                  // nameOff
	uint64_t elem, key;           // of a map; elem also of pointer, slice, array, channel
	uint64_t length;              // of an array
	uint64_t fields, field_count; // of a struct
	uint64_t parts;               // functions: parameters and results; interfaces: methods
	uint64_t bytes; // of the fixed and the kind's own part: the uncommon type follows
	struct go_map_shape map;
};

#define TYPE_FLAG_UNCOMMON   1
#define TYPE_FLAG_EXTRA_STAR 2
#define TYPE_FLAG_NAMED      4

#define TYPE_FIELD_BYTES    24
#define TYPE_METHOD_BYTES   16
#define TYPE_UNCOMMON_BYTES 16

/**
 * False when what stands at @a address cannot be a descriptor: kind, sizes, alignments, map shape.
 */
bool type_descriptor_read(const struct types *types, uint64_t address, struct type_descriptor *ret);
/** Bytes up to the next descriptor in 1.27's descriptor area; false when they cannot be counted. */
bool type_descriptor_extent(const struct types *types, const struct type_descriptor *descriptor,
			    uint64_t *ret);

/** A name as the linker encodes it. */
struct type_name {
	struct text text;
	bool embedded; // 1.19+
};

/** The name that starts at @a address; false when it is not there or too long. */
bool type_name_read(const struct types *types, uint64_t address, struct type_name *ret);
/**
 * The descriptor's own string, "*main.T" as "main.T" where the flag says so; false for types made
 * by reflect.
 */
bool type_string_read(const struct types *types, const struct type_descriptor *descriptor,
		      struct text *ret);
/** The import path of a type with an uncommon part; empty when it has none. */
struct text type_package_path(const struct types *types, const struct type_descriptor *descriptor);
/** Writes the full_name of a named type that has an import path. */
void type_name_qualify(struct types *types, struct go_type *type);
/**
 * Writes full_name of @a type and of those that it is built from, after type_name_qualify() of them
 * all; also the name, where reflect made the type.
 */
void type_name_complete(struct types *types, struct go_type *type);

/** The module whose type data hold @a address; NULL when none. */
const struct moduledata *types_module(const struct types *types, uint64_t address);
/** A copy in the arena; NULL when the budget is used up. */
char *types_string(struct types *types, struct text text);
