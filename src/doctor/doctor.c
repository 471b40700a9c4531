// SPDX-License-Identifier: Apache-2.0
// Which examiners a request calls for. A pod or a compose file may be meant for another machine: this one's settings
// are then no part of the answer.
#include "doctor/examination.h"

static const char *const unit_suffixes[] = {".service", ".socket", ".scope", ".slice"};

static bool is_unit(const char *path)
{
	for (size_t i = 0; i < G_N_ELEMENTS(unit_suffixes); i++)
		if (g_str_has_suffix(path, unit_suffixes[i]))
			return true;
	return false;
}

/** Nothing was named: what would be started from here, in the environment that this program has. */
static void examine_shell(struct examination *examination)
{
	static const char shell[] = "this shell";
	const char *soft = proc_core_limit(examination, "/proc/self/limits");

	examination->subject = "shell";
	if (!*examination->root)
		examine_traceback(examination, g_getenv("GOTRACEBACK"), "export GOTRACEBACK=crash",
				  shell);
	if (soft)
		examine_core_limit(examination, "ulimit -c", soft, "ulimit -c unlimited", shell);
}

static bool concerns_machine(const struct doctor_request *request)
{
	bool any = request->path_count == 0 || request->pid || *request->root;

	for (size_t i = 0; i < request->path_count; i++)
		any |= is_unit(request->paths[i]);
	return any;
}

static struct error *examine_path(struct examination *examination, const char *path)
{
	examination->version = (struct go_version){0};
	return is_unit(path) ? examine_unit(examination, path)
			     : examine_container_file(examination, path);
}

struct error *doctor_examine(const struct doctor_request *request, struct diagnosis *ret)
{
	struct examination examination = {.diagnosis = ret,
					  .root = request->root,
					  .subject = "machine",
					  .core_directory = ""};

	ret->arena = arena_new();
	if (request->pid)
		examination.core_bytes = proc_core_bytes(&examination, request->pid);
	if (concerns_machine(request))
		examine_machine(&examination);
	if (request->pid)
		TRY(examine_process(&examination, request->pid));
	for (size_t i = 0; i < request->path_count; i++)
		TRY(examine_path(&examination, request->paths[i]));
	if (!request->pid && !request->path_count)
		examine_shell(&examination);
	examination.subject = "machine";
	examine_disk(&examination);
	return NULL;
}
