// SPDX-License-Identifier: Apache-2.0
#include "doctor/container.h"

#include "doctor/tree.h"

#include <errno.h>

const char *environment_value(const struct examination *examination, struct branch environment,
			      const char *name)
{
	const char *found = NULL, *key;
	size_t n = strlen(name);

	for (size_t i = 0; i < branch_count(environment); i++) {
		struct branch item = branch_item(environment, i, &key);
		const char *text = branch_text(item), *named = branch_text_at(item, "name");

		if (named && g_str_equal(named, name))
			found = branch_text_at(item, "value");
		else if (text && *key && g_str_equal(key, name))
			found = text;
		else if (text && !*key && !strncmp(text, name, n) && text[n] == '=')
			found = text + n + 1;
	}
	return found ? KEEP(examination, "%s", found) : NULL;
}

bool branch_is_true(struct branch branch, const char *path)
{
	const char *text = branch_text_at(branch, path);

	return text && !g_ascii_strcasecmp(text, "true");
}

bool branch_has_word(struct branch branch, const char *path, const char *word)
{
	struct branch list = branch_at(branch, path);
	const char *key;

	for (size_t i = 0; i < branch_count(list); i++) {
		const char *text = branch_text(branch_item(list, i, &key));

		if (text && !g_ascii_strcasecmp(text, word))
			return true;
	}
	return false;
}

void examine_core_place(struct examination *examination, bool read_only, const char *volume,
			const char *set, const char *set_in)
{
	struct check check = {.concern = CONCERN_CORE,
			      .setting = "volume for cores",
			      .value = volume,
			      .set = set,
			      .set_in = set_in};

	if (volume) {
		check.means = "a core that the kernel writes there outlives the container";
		check.set = check.set_in = NULL;
	} else if (read_only) {
		check.outcome = OUTCOME_LOST;
		check.means =
			"its file system is read-only and has no volume for cores: a core "
			"that the machine's kernel.core_pattern sends to a path is not written";
	} else {
		check.outcome = OUTCOME_UNSURE;
		check.means = "where kernel.core_pattern of the machine names a path, it is one "
			      "inside the container, and what is written there goes when the "
			      "container goes; see `mapfault doctor` on that machine";
	}
	check_add(examination, &check);
}

void examine_attach(struct examination *examination, bool may, const char *set, const char *set_in)
{
	struct check check = {.concern = CONCERN_LIVE,
			      .outcome = may ? OUTCOME_KEPT : OUTCOME_UNSURE,
			      .setting = "SYS_PTRACE",
			      .value = may ? "granted" : "not granted",
			      .means = may ? "a tool in it may attach to the process"
					   : "only root of the machine may attach to the process",
			      .set = may ? "" : set,
			      .set_in = may ? "" : set_in};

	check_add(examination, &check);
}

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
