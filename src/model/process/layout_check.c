// SPDX-License-Identifier: Apache-2.0
#include "model/process/layout_check.h"

#include <glib.h>
#include <string.h>

static const bool is_size[GO_FIELD_COUNT] = {
#define FIELD(name, ...)
#define SIZE(name, ...) [GO_##name] = true,
#include "golang/layout_fields.def"
#undef FIELD
#undef SIZE
};

static bool reads_by(struct program *program, const struct go_layout *layout,
		     struct moduledata *ret_first)
{
	scoped(error) struct error *error = NULL;

	error = moduledata_find(program->image, program->bias, program->memory, layout, ret_first);
	return !error;
}

/** Versions that the build information could not tell apart: newest first, by what can be read. */
static struct error *choose_by_structure(struct program *program, struct moduledata *ret_first)
{
	for (int minor = GO_MINOR_NEWEST; minor >= GO_MINOR_OLDEST; minor--) {
		struct go_version version = {.minor = minor};
		bool exact;

		program->layout = go_layout_find(version, program->arch, &exact);
		if (exact && reads_by(program, program->layout, ret_first)) {
			char why[96];

			snprintf(why, sizeof(why),
				 "the binary does not name its Go version; read as Go 1.%d", minor);
			program_gap(program, "the Go version", why,
				    "whether every structure was read as that version lays it out");
			return NULL;
		}
	}
	return error_new(ERROR_NOT_GO, place_whole(image_path(program->image)),
			 "no Go function table or module data by the layout of any Go version");
}

/** Structures that moved most often; one that differs shows that the row is not this program's. */
static const enum go_field probes[] = {
	GO_G_SIZE,         GO_G_GOID,       GO_G_ATOMICSTATUS,   GO_G_WAITREASON,
	GO_G_STARTPC,      GO_M_PROCID,     GO_M_CURG,           GO_M_ALLLINK,
	GO_MSPAN_ELEMSIZE, GO_MHEAP_ARENAS, GO_MODULEDATA_TYPES,
};

static bool differs_from_dwarf(struct program *program)
{
	for (size_t i = 0; i < G_N_ELEMENTS(probes); i++) {
		int32_t ours = program_offset(program, probes[i]);
		int32_t theirs = debuginfo_layout(program->debuginfo, go_field_name(probes[i]),
						  is_size[probes[i]]);

		if (ours != GO_ABSENT && theirs != GO_ABSENT && ours != theirs)
			return true;
	}
	return false;
}

/** A copy of the row with every field that DWARF states put in. */
static const struct go_layout *corrected(struct program *program)
{
	struct go_layout *layout =
		arena_copy(program->arena, program->layout, sizeof(*program->layout));

	layout->version = program->build.version;
	for (int i = 0; i < GO_FIELD_COUNT; i++) {
		enum go_field field = (enum go_field)i;
		int32_t offset =
			debuginfo_layout(program->debuginfo, go_field_name(field), is_size[field]);

		if (offset != GO_ABSENT)
			layout->offset[i] = offset;
	}
	return layout;
}

static void note_inexact(struct program *program, bool checked)
{
	char why[160];

	snprintf(why, sizeof(why), "%s is not one of the versions mapfault has layouts of; %s",
		 program->build.go_version,
		 checked ? "its DWARF was used instead" : "the nearest one was used");
	program_gap(program, "exact runtime layouts", why,
		    "whether every structure was read as that version lays it out");
}

/** The linker appends the experiments that differ from the release's own: "go1.24.11 X:noswissmap". */
static bool has_classic_maps(const struct program *program)
{
	const char *experiments = strstr(program->build.go_version, " X:");

	return experiments && strstr(experiments, "noswissmap") &&
	       program_offset(program, GO_SWISS_USED) != GO_ABSENT;
}

struct error *layout_choose(struct program *program, struct moduledata *ret_first)
{
	struct go_version version = program->build.version;
	bool exact, own_row;

	if (!version.minor)
		return choose_by_structure(program, ret_first);
	program->layout = go_layout_find(version, program->arch, &exact);
	if (has_classic_maps(program)) {
		struct go_layout classic = go_layout_with_classic_maps(program->layout);

		program->layout = arena_copy(program->arena, &classic, sizeof(classic));
	}
	own_row = version.patch == program->layout->version.patch && version.exact;
	if (program->debuginfo && !(exact && own_row) && differs_from_dwarf(program))
		program->layout = corrected(program);
	if (!exact)
		note_inexact(program, program->debuginfo != NULL);
	return moduledata_find(program->image, program->bias, program->memory, program->layout,
			       ret_first);
}
