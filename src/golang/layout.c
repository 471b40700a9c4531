// SPDX-License-Identifier: Apache-2.0
// The generated table of runtime layouts and the search in it. It knows one patch release per
// minor: within a minor the structures read here have not moved (docs/HOWTO_ADD_GO_VERSION.md,
// "Patch releases").
#include "golang/layout.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct go_layout layouts[] = {
#include "golang/layout_table.inc"
};

static const char *const field_names[GO_FIELD_COUNT] = {
#define FIELD(name, path, ...) [GO_##name] = path,
#define SIZE(name, path, ...)  [GO_##name] = path,
#include "golang/layout_fields.def"
#undef FIELD
#undef SIZE
};

/** How far two minors are apart; an unknown version is taken for the newest. */
static int minor_distance(const struct go_layout *layout, int minor)
{
	int wanted = minor ? minor : GO_MINOR_NEWEST;

	return abs(layout->version.minor - wanted);
}

const struct go_layout *go_layout_find(struct go_version version, enum go_arch arch, bool *exact)
{
	const struct go_layout *nearest = NULL;

	for (size_t i = 0; i < LENGTH(layouts); i++) {
		const struct go_layout *layout = &layouts[i];

		if (layout->arch != arch)
			continue;
		if (!nearest ||
		    minor_distance(layout, version.minor) < minor_distance(nearest, version.minor))
			nearest = layout;
	}
	*exact = nearest->version.minor == version.minor;
	return nearest;
}

#define CLASSIC_MAPS_UNTIL 23

struct go_layout go_layout_with_classic_maps(const struct go_layout *layout)
{
	struct go_layout classic = *layout;
	bool exact;
	const struct go_layout *maps = go_layout_find(
		(struct go_version){.minor = CLASSIC_MAPS_UNTIL}, layout->arch, &exact);

	for (int i = GO_HMAP_COUNT; i <= GO_ITER_M; i++)
		classic.offset[i] = maps->offset[i];
	for (int i = GO_MAPTYPE_KEY; i <= GO_MAPTYPE_TYPE_SIZE; i++)
		classic.offset[i] = maps->offset[i];
	return classic;
}

const char *go_field_name(enum go_field field) { return field_names[field]; }
