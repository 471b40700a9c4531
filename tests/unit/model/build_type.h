// SPDX-License-Identifier: Apache-2.0
// Type descriptors in a space, whose module's type data starts where the space does.
#pragma once
#include "space.h"

static inline int space_minor(const struct space *s) { return s->program.layout->version.minor; }

/** reflect/type.go: length in two bytes, high one first, to 1.16; a uvarint from 1.17 on. */
static inline uint64_t name_put(struct space *s, const char *name, bool embedded)
{
	uint64_t at = space_take(s, strlen(name) + 8);
	uint64_t text = at + (space_minor(s) < 17 ? 3 : 2);

	space_u8(s, at, embedded && space_minor(s) >= 19 ? 8 : 0);
	space_u8(s, text - 1, (uint8_t)strlen(name));
	space_write(s, text, name, strlen(name));
	return at;
}

static inline uint64_t type_put(struct space *s, enum go_kind kind, uint64_t size, const char *name,
				const char *package)
{
	uint64_t at = space_take(s, 256);
	uint64_t uncommon = at + (kind == GO_KIND_STRUCT ? 80 : 48);

	space_field(s, at, GO_TYPE_SIZE, size, 8);
	space_field(s, at, GO_TYPE_KIND, kind, 1);
	space_field(s, at, GO_TYPE_STR, name_put(s, name, false) - SPACE_START, 4);
	space_field(s, at, GO_TYPE_TFLAG, package ? 1 | 4 : 0, 1);
	space_u8(s, at + 21, 8); // align, fieldAlign
	space_u8(s, at + 22, 8);
	if (package)
		space_u64(s, uncommon, name_put(s, package, false) - SPACE_START);
	return at;
}

static inline void field_put(struct space *s, uint64_t at, const char *name, uint64_t type,
			     uint64_t offset, bool embedded)
{
	space_u64(s, at, name_put(s, name, embedded));
	space_u64(s, at + 8, type);
	space_u64(s, at + 16, space_minor(s) < 19 ? offset << 1 | embedded : offset);
}

/** The shape of a map whose keys are eight bytes and whose elements are pointers to larger ones. */
static inline void map_shape_put(struct space *s, uint64_t at)
{
	if (space_minor(s) < 24) {
		space_field(s, at, GO_MAPTYPE_KEYSIZE, 8, 1);
		space_field(s, at, GO_MAPTYPE_ELEMSIZE, 8, 1);
		space_field(s, at, GO_MAPTYPE_BUCKETSIZE, 144, 2);
		if (space_minor(s) < 12)
			space_field(s, at, GO_MAPTYPE_INDIRECTELEM, 1, 1);
		else
			space_field(s, at, GO_MAPTYPE_FLAGS, 2, 4);
		return;
	}
	space_field(s, at, GO_MAPTYPE_GROUPSIZE, 136, 8);
	space_field(s, at, GO_MAPTYPE_FLAGS, 8, 4);
	if (space_minor(s) < 27) {
		space_field(s, at, GO_MAPTYPE_SLOTSIZE, 16, 8);
		space_field(s, at, GO_MAPTYPE_ELEMOFF, 8, 8);
		return;
	}
	space_field(s, at, GO_MAPTYPE_KEYSOFF, 8, 8);
	space_field(s, at, GO_MAPTYPE_KEYSTRIDE, 16, 8);
	space_field(s, at, GO_MAPTYPE_ELEMSOFF, 16, 8);
	space_field(s, at, GO_MAPTYPE_ELEMSTRIDE, 16, 8);
}
