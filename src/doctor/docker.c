// SPDX-License-Identifier: Apache-2.0
// Containers on one machine: `docker inspect` (and podman's), compose files, and the config.json of an OCI runtime.
#include "doctor/container.h"

static const char run_env[] = "docker run -e GOTRACEBACK=crash ...";
static const char run_limit[] = "docker run --ulimit core=-1 ...";
static const char run_volume[] = "docker run -v /var/crash:/var/crash ...";
static const char run_ptrace[] = "docker run --cap-add SYS_PTRACE ...";
static const char the_command[] = "the command that starts the container";

static const char compose_env[] = "environment:\n  GOTRACEBACK: crash";
static const char compose_limit[] = "ulimits:\n  core: -1";
static const char compose_volume[] = "volumes:\n- /var/crash:/var/crash";
static const char compose_ptrace[] = "cap_add: [SYS_PTRACE]";

static const char oci_env[] = "\"env\": [\"GOTRACEBACK=crash\"]";
static const char oci_limit[] =
	"\"rlimits\": [{\"type\": \"RLIMIT_CORE\", \"hard\": 18446744073709551615, "
	"\"soft\": 18446744073709551615}]";
static const char oci_volume[] = "{\"destination\": \"/var/crash\", \"type\": \"bind\", "
				 "\"source\": \"/var/crash\", \"options\": [\"rbind\", \"rw\"]}";
static const char oci_ptrace[] = "\"CAP_SYS_PTRACE\"";

/** -1, as Docker writes it, and the largest number are "unlimited". */
static const char *limit_words(const char *limit)
{
	if (limit && (g_str_equal(limit, "-1") || g_str_equal(limit, "18446744073709551615")))
		return "unlimited";
	return limit;
}

static void examine_limit(struct examination *examination, const char *limit, const char *line,
			  const char *set_in)
{
	if (limit) {
		examine_core_limit(examination, "core limit", limit_words(limit), line, set_in);
		return;
	}
	check_add(examination,
		  &(struct check){.concern = CONCERN_CORE,
				  .outcome = OUTCOME_UNSURE,
				  .setting = "core limit",
				  .means = "not set: it is the container runtime's own",
				  .set = line,
				  .set_in = set_in});
}

static bool is_core_path(const char *path)
{
	return path && (strstr(path, "core") || strstr(path, "crash") || strstr(path, "dump"));
}

/** A mount for cores among a list of {Destination} or "source:target"; NULL when there is none. */
static const char *mount_for_cores(struct branch mounts, const char *member)
{
	const char *key;

	for (size_t i = 0; i < branch_count(mounts); i++) {
		struct branch mount = branch_item(mounts, i, &key);
		const char *path = branch_text_at(mount, member), *text = branch_text(mount);
		const char *colon = text ? strchr(text, ':') : NULL;

		if (!path && text)
			path = colon ? colon + 1 : text;
		if (is_core_path(path))
			return path;
	}
	return NULL;
}

/** An entry of a list of {@a name: "core", ...}: its @a wanted; NULL when there is none. */
static const char *named_limit(struct branch list, const char *name, const char *value,
			       const char *wanted)
{
	const char *key;

	for (size_t i = 0; i < branch_count(list); i++) {
		struct branch item = branch_item(list, i, &key);
		const char *found = branch_text_at(item, name);

		if (found && g_str_equal(found, value))
			return branch_text_at(item, wanted);
	}
	return NULL;
}

/** Drivers that keep nothing, or let go of lines when they are slow. */
static void examine_log(struct examination *examination, const char *driver, const char *mode)
{
	struct check check = {.concern = CONCERN_TEXT, .setting = "log driver", .value = driver};

	if (driver && g_str_equal(driver, "none")) {
		check.outcome = OUTCOME_LOST;
		check.means = "the crash text is kept nowhere";
		check.set = "--log-driver local";
		check.set_in = the_command;
	} else if (mode && g_str_equal(mode, "non-blocking")) {
		check.outcome = OUTCOME_UNSURE;
		check.means = "in non-blocking mode lines are dropped when a dump comes faster "
			      "than the driver takes it";
		check.set = "--log-opt mode=blocking";
		check.set_in = the_command;
	} else {
		return;
	}
	check_add(examination, &check);
}

static void examine_removal(struct examination *examination, struct branch container)
{
	if (!branch_is_true(container, "HostConfig.AutoRemove"))
		return;
	check_add(examination,
		  &(struct check){.concern = CONCERN_TEXT,
				  .outcome = OUTCOME_LOST,
				  .setting = "AutoRemove",
				  .value = "true",
				  .means = "the container is removed when it ends, with "
					   "its log and what it wrote",
				  .set = "docker run ... # without --rm",
				  .set_in = the_command});
}

bool examine_docker(struct examination *examination, struct branch document)
{
	struct branch host = branch_at(document, "HostConfig");
	const char *name = branch_text_at(document, "Name");

	if (!branch_exists(host) || !branch_exists(branch_at(document, "Config")))
		return false;
	examination->subject =
		KEEP(examination, "container %s", name ? name + (*name == '/') : "?");
	examine_traceback(
		examination,
		environment_value(examination, branch_at(document, "Config.Env"), "GOTRACEBACK"),
		run_env, the_command);
	examine_limit(examination, named_limit(branch_at(host, "Ulimits"), "Name", "core", "Soft"),
		      run_limit, the_command);
	examine_core_place(examination, branch_is_true(host, "ReadonlyRootfs"),
			   mount_for_cores(branch_at(document, "Mounts"), "Destination"),
			   run_volume, the_command);
	examine_log(examination, branch_text_at(host, "LogConfig.Type"),
		    branch_text_at(host, "LogConfig.Config.mode"));
	examine_removal(examination, document);
	examine_attach(examination,
		       branch_has_word(host, "CapAdd", "SYS_PTRACE") ||
			       branch_has_word(host, "CapAdd", "CAP_SYS_PTRACE") ||
			       branch_is_true(host, "Privileged"),
		       run_ptrace, the_command);
	return true;
}

static void examine_service(struct examination *examination, const char *name,
			    struct branch service)
{
	struct branch core = branch_at(service, "ulimits.core");
	const char *limit = branch_text(core);
	const char *set_in = KEEP(examination, "service %s of the compose file", name);

	examination->subject = KEEP(examination, "service %s", name);
	examine_traceback(
		examination,
		environment_value(examination, branch_at(service, "environment"), "GOTRACEBACK"),
		compose_env, set_in);
	examine_limit(examination, limit ? limit : branch_text_at(core, "soft"), compose_limit,
		      set_in);
	examine_core_place(examination, branch_is_true(service, "read_only"),
			   mount_for_cores(branch_at(service, "volumes"), "target"), compose_volume,
			   set_in);
	examine_log(examination, branch_text_at(service, "logging.driver"),
		    branch_text_at(service, "logging.options.mode"));
	examine_attach(examination,
		       branch_has_word(service, "cap_add", "SYS_PTRACE") ||
			       branch_has_word(service, "cap_add", "CAP_SYS_PTRACE") ||
			       branch_is_true(service, "privileged"),
		       compose_ptrace, set_in);
}

bool examine_compose(struct examination *examination, struct branch document)
{
	struct branch services = branch_at(document, "services");
	const char *name;

	if (!branch_count(services) || branch_is_list(services))
		return false;
	for (size_t i = 0; i < branch_count(services); i++) {
		struct branch service = branch_item(services, i, &name);

		examine_service(examination, name, service);
	}
	return true;
}

bool examine_oci(struct examination *examination, struct branch document)
{
	struct branch process = branch_at(document, "process");
	static const char set_in[] = "config.json of the bundle";

	if (!branch_exists(branch_at(document, "ociVersion")) || !branch_exists(process))
		return false;
	examination->subject = "bundle";
	examine_traceback(examination,
			  environment_value(examination, branch_at(process, "env"), "GOTRACEBACK"),
			  oci_env, set_in);
	examine_limit(examination,
		      named_limit(branch_at(process, "rlimits"), "type", "RLIMIT_CORE", "soft"),
		      oci_limit, set_in);
	examine_core_place(examination, branch_is_true(document, "root.readonly"),
			   mount_for_cores(branch_at(document, "mounts"), "destination"),
			   oci_volume, set_in);
	examine_attach(examination,
		       branch_has_word(process, "capabilities.effective", "CAP_SYS_PTRACE"),
		       oci_ptrace, set_in);
	return true;
}
