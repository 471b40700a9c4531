// SPDX-License-Identifier: Apache-2.0
// Every question that DWARF is asked, of a file of anyone's making.
#include "evidence/debug/debuginfo.h"
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct questions {
	struct debuginfo *debuginfo;
	unsigned left;
};

static void local(const struct debuginfo_variable *variable, void *context)
{
	if (strlen(variable->name) == SIZE_MAX)
		abort();
}

static bool member(const struct debuginfo_variable *variable, void *context)
{
	local(variable, NULL);
	return true;
}

static bool global(const struct debuginfo_variable *variable, void *context)
{
	struct questions *questions = context;
	struct debuginfo_variable same;
	struct debuginfo_type type;

	debuginfo_global_at(questions->debuginfo, variable->address, &same);
	debuginfo_global_named(questions->debuginfo, variable->name, &same);
	debuginfo_type_at(questions->debuginfo, variable->type, &type);
	debuginfo_members(questions->debuginfo, variable->type, member, NULL);
	return --questions->left > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file file = fuzz_file_open(data, size);
	struct questions questions = {.left = 64};
	struct debuginfo_variable found;
	struct image *image = NULL;
	struct error *error = image_open(file.path, &image);

	if (!error)
		error = debuginfo_open(image, &questions.debuginfo);
	if (!error && questions.debuginfo) {
		debuginfo_global_named(questions.debuginfo, "main.registry", &found);
		debuginfo_globals(questions.debuginfo, global, &questions);
		debuginfo_layout(questions.debuginfo, "outer.inner.deep", false);
		for (uint64_t pc = 0x401000; pc < 0x401080; pc++) {
			struct debuginfo_frame frame = {pc, 0xc000001000};

			error_free(debuginfo_locals(questions.debuginfo, &frame, local, NULL));
			error_free(debuginfo_closure(questions.debuginfo, pc, local, NULL));
		}
	}
	error_free(error);
	debuginfo_close(questions.debuginfo);
	image_close(image);
	fuzz_file_close(&file);
	return 0;
}
