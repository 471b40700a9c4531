// SPDX-License-Identifier: Apache-2.0
#include "doctor/examination.h"
#include "evidence/binary/buildinfo.h"
#include "evidence/binary/image.h"

static void not_read(struct examination *examination, const char *shown, struct error *error)
{
	struct check check = {.concern = CONCERN_BINARY,
			      .outcome = OUTCOME_UNSURE,
			      .setting = "program",
			      .value = shown,
			      .means = KEEP(examination, "%s", error_text(error))};

	check_add(examination, &check);
	error_free(error);
}

static void tell(struct examination *examination, const struct image *image,
		 const struct buildinfo *build, const char *shown)
{
	struct image_range section;
	bool dwarf = image_section(image, ".debug_info", &section) ||
		     image_section(image, ".zdebug_info", &section);
	struct check check = {.concern = CONCERN_BINARY, .setting = "program", .value = shown};

	if (!build->version.minor) {
		check.outcome = OUTCOME_UNSURE;
		check.means = "no Go toolchain's mark is in it: what follows holds for Go programs";
		check_add(examination, &check);
		return;
	}
	examination->version = build->version;
	check.means = KEEP(examination, "built with %s; %s", build->go_version,
			   dwarf ? "it has debug information: names of variables too"
				 : "it has no debug information: functions, lines and map types "
				   "are known all the same, names of local variables are not");
	check_add(examination, &check);
}

void examine_program(struct examination *examination, const char *path, const char *shown)
{
	scoped(image) struct image *image = NULL;
	struct memory *memory;
	struct buildinfo build = {0};
	struct error *error = image_open(path, &image);

	if (error) {
		not_read(examination, shown, error);
		return;
	}
	memory = memory_new();
	image_add_to(image, 0, memory);
	error = buildinfo_read(image, 0, memory, examination->diagnosis->arena, &build);
	if (error)
		not_read(examination, shown, error);
	else
		tell(examination, image, &build, shown);
	memory_free(memory);
}
