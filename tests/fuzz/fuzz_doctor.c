// SPDX-License-Identifier: Apache-2.0
// Unit files and descriptions of containers: the same bytes as either.
#include "doctor/container.h"
#include "doctor/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void examine(const struct tree *tree)
{
	struct diagnosis diagnosis = {.arena = arena_new()};
	struct examination examination = {
		.diagnosis = &diagnosis, .root = "/proc/self/fdinfo/none", .core_directory = ""};

	for (size_t i = 0; i < tree_documents(tree); i++) {
		examine_pod(&examination, tree_document(tree, i));
		examine_docker(&examination, tree_document(tree, i));
		examine_compose(&examination, tree_document(tree, i));
		examine_oci(&examination, tree_document(tree, i));
	}
	diagnosis_done(&diagnosis);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	scoped(tree) struct tree *tree = NULL;
	scoped(error) struct error *error = NULL;
	struct ini ini;

	ini_init(&ini);
	ini_add(&ini, text);
	ini_value(&ini, "Service", "LimitCORE");
	ini_done(&ini);
	error = tree_read("fuzz", (struct text){(const char *)data, size}, &tree);
	if (!error)
		examine(tree);
	return 0;
}
