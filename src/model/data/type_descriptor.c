// SPDX-License-Identifier: Apache-2.0
// One type descriptor's bytes. Sizes of the kinds' own parts have not changed from 1.9 to 1.27
// (runtime/type.go:329-406@go1.9.7, internal/abi/type.go:219-590@go1.27.2) but for maps, which the
// layout has. Alignments stand behind tflag in all of them.
#include "model/data/type_store.h"

#include "base/limits.h"

#define TYPE_BYTES_MAX (1ull << 52) // of a value: the runtime itself has *[1<<50 - 1]byte
#define ALIGNMENT_MAX  64
#define FUNC_VARIADIC  0x8000u
#define SLOTS          8 // of a bucket and of a group

static uint64_t word(const struct types *types, uint64_t base, int32_t offset)
{
	uint64_t value = 0;

	if (offset != GO_ABSENT)
		memory_u64(types->memory, base + (uint64_t)offset, &value);
	return value;
}

static uint64_t small(const struct types *types, uint64_t base, enum go_field field, unsigned size)
{
	int32_t offset = types->layout->offset[field];
	uint8_t bytes[4] = {0};

	if (offset == GO_ABSENT)
		return 0;
	memory_read(types->memory, base + (uint64_t)offset, bytes, size);
	return bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
	       (uint64_t)bytes[3] << 24;
}

static bool has(const struct types *types, enum go_field field)
{
	return types->layout->offset[field] != GO_ABSENT;
}

static bool alignment_sane(uint8_t alignment)
{
	return alignment && alignment <= ALIGNMENT_MAX && !(alignment & (alignment - 1));
}

static bool header_read(const struct types *types, struct type_descriptor *d)
{
	uint8_t raw[64];
	const int32_t *at = types->layout->offset;
	int32_t size = at[GO_TYPE_HEADER_SIZE];
	uint8_t alignment, field_alignment;

	if (size <= 0 || (size_t)size > sizeof(raw) || (d->address & 7) ||
	    !memory_read(types->memory, d->address, raw, (uint64_t)size))
		return false;
	d->size = word(types, d->address, at[GO_TYPE_SIZE]);
	d->pointer_bytes = word(types, d->address, at[GO_TYPE_PTRDATA]);
	d->hash = (uint32_t)small(types, d->address, GO_TYPE_HASH, 4);
	d->str = (int32_t)small(types, d->address, GO_TYPE_STR, 4);
	d->tflag = raw[at[GO_TYPE_TFLAG]];
	d->kind = raw[at[GO_TYPE_KIND]] & 0x1f;
	d->bytes = (uint64_t)size;
	alignment = raw[at[GO_TYPE_TFLAG] + 1];
	field_alignment = raw[at[GO_TYPE_TFLAG] + 2];
	return d->kind > GO_KIND_INVALID && d->kind <= GO_KIND_UNSAFE_POINTER &&
	       d->size < TYPE_BYTES_MAX && d->pointer_bytes <= d->size &&
	       alignment_sane(alignment) && alignment_sane(field_alignment) &&
	       d->size % alignment == 0;
}

static struct go_map_shape classic_shape(const struct types *types, uint64_t at)
{
	uint64_t flags = small(types, at, GO_MAPTYPE_FLAGS, 4);
	bool in_flags = !has(types, GO_MAPTYPE_INDIRECTKEY); // 1.12+

	return (struct go_map_shape){
		.indirect_key = in_flags ? flags & 1 : small(types, at, GO_MAPTYPE_INDIRECTKEY, 1),
		.indirect_elem =
			in_flags ? flags & 2 : small(types, at, GO_MAPTYPE_INDIRECTELEM, 1),
		.key_size = (uint32_t)small(types, at, GO_MAPTYPE_KEYSIZE, 1),
		.elem_size = (uint32_t)small(types, at, GO_MAPTYPE_ELEMSIZE, 1),
		.bucket_size = (uint32_t)small(types, at, GO_MAPTYPE_BUCKETSIZE, 2),
	};
}

static struct go_map_shape swiss_shape(const struct types *types, uint64_t at)
{
	const int32_t *offset = types->layout->offset;
	uint64_t flags = small(types, at, GO_MAPTYPE_FLAGS, 4);
	struct go_map_shape shape = {
		.swiss = true,
		.indirect_key = flags & 4,
		.indirect_elem = flags & 8,
		.group_size = word(types, at, offset[GO_MAPTYPE_GROUPSIZE]),
	};

	if (has(types, GO_MAPTYPE_KEYSTRIDE)) { // 1.27+
		shape.keys_offset = word(types, at, offset[GO_MAPTYPE_KEYSOFF]);
		shape.key_stride = word(types, at, offset[GO_MAPTYPE_KEYSTRIDE]);
		shape.elems_offset = word(types, at, offset[GO_MAPTYPE_ELEMSOFF]);
		shape.elem_stride = word(types, at, offset[GO_MAPTYPE_ELEMSTRIDE]);
		return shape;
	}
	shape.keys_offset = sizeof(uint64_t); // behind the control word
	shape.key_stride = shape.elem_stride = word(types, at, offset[GO_MAPTYPE_SLOTSIZE]);
	shape.elems_offset = shape.keys_offset + word(types, at, offset[GO_MAPTYPE_ELEMOFF]);
	return shape;
}

/** Eight control or hash bytes, eight keys and eight elements fit. */
static bool shape_sane(const struct go_map_shape *map)
{
	const uint64_t max = UINT32_MAX;

	if (!map->swiss)
		return map->bucket_size >=
		       SLOTS + SLOTS * (map->key_size + map->elem_size) + sizeof(uint64_t);
	return map->group_size >= SLOTS && map->group_size <= max && map->keys_offset >= SLOTS &&
	       map->keys_offset <= map->group_size && map->elems_offset <= map->group_size &&
	       map->key_stride <= max && map->elem_stride <= max &&
	       map->keys_offset + (SLOTS - 1) * map->key_stride <= map->group_size &&
	       map->elems_offset + (SLOTS - 1) * map->elem_stride <= map->group_size;
}

static bool map_read_parts(const struct types *types, struct type_descriptor *d)
{
	const int32_t *at = types->layout->offset;

	d->key = word(types, d->address, at[GO_MAPTYPE_KEY]);
	d->elem = word(types, d->address, at[GO_MAPTYPE_ELEM]);
	d->map = has(types, GO_MAPTYPE_GROUPSIZE) ? swiss_shape(types, d->address)
						  : classic_shape(types, d->address);
	d->bytes = (uint64_t)at[GO_MAPTYPE_TYPE_SIZE];
	return d->key && d->elem && shape_sane(&d->map);
}

static bool struct_read_parts(const struct types *types, struct type_descriptor *d, int32_t base)
{
	d->fields = word(types, d->address, base + 8);
	d->field_count = word(types, d->address, base + 16);
	d->bytes = (uint64_t)base + 32;
	return d->field_count <= UINT16_MAX;
}

/** Counts of functions and interfaces: only their number matters, to find the uncommon part. */
static bool parts_read(const struct types *types, struct type_descriptor *d, int32_t base)
{
	uint16_t in = 0, out = 0;

	if (d->kind == GO_KIND_INTERFACE) {
		d->parts = word(types, d->address, base + 16);
		d->bytes = (uint64_t)base + 32;
		return d->parts <= UINT16_MAX;
	}
	memory_u16(types->memory, d->address + (uint64_t)base, &in);
	memory_u16(types->memory, d->address + (uint64_t)base + 2, &out);
	d->parts = (uint64_t)in + (out & ~FUNC_VARIADIC);
	d->bytes = (uint64_t)base + 8;
	return true;
}

static bool kind_read(const struct types *types, struct type_descriptor *d)
{
	int32_t base = types->layout->offset[GO_TYPE_HEADER_SIZE];

	switch (d->kind) {
	case GO_KIND_ARRAY:
		d->length = word(types, d->address, base + 16);
		d->elem = word(types, d->address, base);
		d->bytes = (uint64_t)base + 24;
		return d->elem && d->length <= TYPE_BYTES_MAX;
	case GO_KIND_CHAN:
	case GO_KIND_POINTER:
	case GO_KIND_SLICE:
		d->elem = word(types, d->address, base);
		d->bytes = (uint64_t)base + (d->kind == GO_KIND_CHAN ? 16 : 8);
		return d->elem;
	case GO_KIND_MAP:
		return map_read_parts(types, d);
	case GO_KIND_STRUCT:
		return struct_read_parts(types, d, base);
	case GO_KIND_FUNC:
	case GO_KIND_INTERFACE:
		return parts_read(types, d, base);
	default:
		return true;
	}
}

bool type_descriptor_read(const struct types *types, uint64_t address, struct type_descriptor *ret)
{
	struct type_descriptor descriptor = {.address = address};

	if (!header_read(types, &descriptor) || !kind_read(types, &descriptor))
		return false;
	*ret = descriptor;
	return true;
}

bool type_descriptor_extent(const struct types *types, const struct type_descriptor *descriptor,
			    uint64_t *ret)
{
	uint64_t bytes = descriptor->bytes;
	uint16_t methods = 0;

	if (descriptor->tflag & TYPE_FLAG_UNCOMMON) {
		if (!memory_u16(types->memory, descriptor->address + bytes + 4, &methods))
			return false;
		bytes += TYPE_UNCOMMON_BYTES;
	}
	if (descriptor->kind == GO_KIND_STRUCT)
		bytes += descriptor->field_count * TYPE_FIELD_BYTES;
	else
		bytes += descriptor->parts * 8; // a pointer, or an abi.Imethod
	*ret = bytes + (uint64_t)methods * TYPE_METHOD_BYTES;
	return true;
}
