// SPDX-License-Identifier: Apache-2.0
// A file that describes containers, of whatever kind: each of its documents is offered to every examiner.
#include "doctor/container.h"
#include "doctor/tree.h"

static bool examine_document(struct examination *examination, struct branch document)
{
	return examine_pod(examination, document) || examine_docker(examination, document) ||
	       examine_oci(examination, document) || examine_compose(examination, document);
}

static bool examine_tree(struct examination *examination, const struct tree *tree)
{
	bool found = false;
	const char *key;

	for (size_t i = 0; i < tree_documents(tree); i++) {
		struct branch document = tree_document(tree, i);
		struct branch items =
			branch_is_list(document) ? document : branch_at(document, "items");

		if (!branch_count(items))
			found |= examine_document(examination, document);
		for (size_t j = 0; j < branch_count(items); j++)
			found |= examine_document(examination, branch_item(items, j, &key));
	}
	return found;
}

struct error *examine_container_file(struct examination *examination, const char *path)
{
	g_autoptr(GMappedFile) file = NULL;
	g_autoptr(GError) problem = NULL;
	scoped(tree) struct tree *tree = NULL;

	file = g_mapped_file_new(path, FALSE, &problem);
	if (!file)
		return error_new(ERROR_NOT_FOUND, place_whole(path), "%s", problem->message);
	TRY(tree_read(
		path,
		(struct text){g_mapped_file_get_contents(file), g_mapped_file_get_length(file)},
		&tree));
	if (examine_tree(examination, tree))
		return NULL;
	return error_with_hint(error_new(ERROR_UNRECOGNISED, place_whole(path),
					 "describes no container that mapfault knows"),
			       "give a systemd unit, a pod or workload, a compose file, `docker "
			       "inspect`'s output or "
			       "an OCI config.json");
}
