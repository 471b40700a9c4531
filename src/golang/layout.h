// SPDX-License-Identifier: Apache-2.0
// Where the Go runtime keeps what: offsets and sizes of runtime structures, one row per Go minor
// and architecture, generated from real toolchains by tools/layouts (see
// docs/HOWTO_ADD_GO_VERSION.md).
#pragma once
#include "golang/version.h"

#include <stdint.h>

/**
 * Every offset and size that the project uses. golang/layout_fields.def lists them as FIELD(NAME,
 * alternatives, "struct.field") and SIZE(NAME, "struct"); the generator reads the same file.
 */
enum go_field {
#define FIELD(name, ...) GO_##name,
#define SIZE(name, ...)  GO_##name,
#include "golang/layout_fields.def"
#undef FIELD
#undef SIZE
	GO_FIELD_COUNT
};

#define GO_ABSENT (-1) /**< this Go version has no such field */

struct go_layout {
	struct go_version version; /**< the release that the row was read from */
	enum go_arch arch;
	int32_t offset[GO_FIELD_COUNT]; /**< bytes, or GO_ABSENT */
};

/**
 * The row of @a version's minor, else the nearest one.
 * @param exact  set to whether the minor has a row of its own; a caller that gets false owes the
 *               user a gap
 */
const struct go_layout *go_layout_find(struct go_version version, enum go_arch arch, bool *exact);
/**
 * The same row with the maps of Go 1.23: what GOEXPERIMENT=noswissmap builds with 1.24 and 1.25. What those
 * added to the structures stands at their end and is not read.
 */
struct go_layout go_layout_with_classic_maps(const struct go_layout *layout);
/** "runtime.g.goid": for messages and for the check against DWARF. */
const char *go_field_name(enum go_field field);
