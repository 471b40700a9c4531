// SPDX-License-Identifier: Apache-2.0
#include "doctor/container.h"

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
