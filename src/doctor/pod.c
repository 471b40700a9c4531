// SPDX-License-Identifier: Apache-2.0
// Kubernetes: a pod, or whatever has a pod template. A pod can't set the limit on cores or where they go: both are the
// node's. It can set the environment and bring a volume.
#include "doctor/container.h"

static const char env_lines[] = "env:\n- name: GOTRACEBACK\n  value: crash";
static const char wrapper_lines[] = "command: [\"sh\", \"-c\", \"ulimit -c unlimited; exec "
				    "\\\"$0\\\" \\\"$@\\\"\", \"/PROGRAM\"]";
static const char volume_lines[] =
	"volumeMounts:\n- name: cores\n  mountPath: /cores\n"
	"# and in the pod's spec:\nvolumes:\n- name: cores\n  emptyDir: {}";
static const char ptrace_lines[] = "securityContext:\n  capabilities:\n    add: [\"SYS_PTRACE\"]";

struct pod {
	struct examination *examination;
	struct branch spec, container;
	const char *set_in;
};

static struct branch pod_spec(struct branch document)
{
	static const char *const paths[] = {"spec.jobTemplate.spec.template.spec",
					    "spec.template.spec", "spec", "template.spec"};

	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		struct branch spec = branch_at(document, paths[i]);

		if (branch_is_list(branch_at(spec, "containers")))
			return spec;
	}
	return (struct branch){0};
}

/** A value that comes from a secret or a config map can't be seen here. */
static bool is_elsewhere(const struct pod *pod)
{
	struct branch environment = branch_at(pod->container, "env");
	const char *key;

	for (size_t i = 0; i < branch_count(environment); i++) {
		struct branch item = branch_item(environment, i, &key);
		const char *name = branch_text_at(item, "name");

		if (name && g_str_equal(name, "GOTRACEBACK"))
			return branch_exists(branch_at(item, "valueFrom"));
	}
	return branch_count(branch_at(pod->container, "envFrom")) > 0;
}

static void examine_environment(struct pod *pod)
{
	if (is_elsewhere(pod)) {
		check_add(pod->examination,
			  &(struct check){.concern = CONCERN_TEXT,
					  .outcome = OUTCOME_UNSURE,
					  .setting = "GOTRACEBACK",
					  .means = "it may come from a config map or a secret, "
						   "which is not in this file",
					  .set = env_lines,
					  .set_in = pod->set_in});
		return;
	}
	examine_traceback(pod->examination,
			  environment_value(pod->examination, branch_at(pod->container, "env"),
					    "GOTRACEBACK"),
			  env_lines, pod->set_in);
}

/** A mount whose path or name says that it is for cores, or an unlimited-looking data volume. */
static const char *core_volume(const struct pod *pod)
{
	struct branch mounts = branch_at(pod->container, "volumeMounts");
	const char *key;

	for (size_t i = 0; i < branch_count(mounts); i++) {
		struct branch mount = branch_item(mounts, i, &key);
		const char *path = branch_text_at(mount, "mountPath");

		if (path && !branch_is_true(mount, "readOnly") &&
		    (strstr(path, "core") || strstr(path, "crash") || strstr(path, "dump")))
			return path;
	}
	return NULL;
}

static void examine_limits(struct pod *pod)
{
	const char *memory = branch_text_at(pod->container, "resources.limits.memory");
	const char *disk = branch_text_at(pod->container, "resources.limits.ephemeral-storage");
	uint64_t memory_bytes, disk_bytes;

	if (!memory || !disk || !size_parse(memory, &memory_bytes) ||
	    !size_parse(disk, &disk_bytes) || memory_bytes <= disk_bytes)
		return;
	check_add(pod->examination,
		  &(struct check){.concern = CONCERN_CORE,
				  .outcome = OUTCOME_LOST,
				  .setting = "resources.limits.ephemeral-storage",
				  .value = disk,
				  .means = KEEP(pod->examination,
						"a core may be as large as the memory limit of %s; "
						"the pod is evicted, with the core, when it writes "
						"more than %s",
						memory, disk),
				  .set = KEEP(pod->examination,
					      "resources:\n  limits:\n    ephemeral-storage: %s",
					      memory),
				  .set_in = pod->set_in});
}

static void examine_core(struct pod *pod)
{
	check_add(
		pod->examination,
		&(struct check){.concern = CONCERN_CORE,
				.outcome = OUTCOME_UNSURE,
				.setting = "core limit",
				.means = "a pod can't set it, the node's container runtime does: "
					 "`kubectl exec POD -- sh -c 'ulimit -c'` shows it",
				.set = wrapper_lines,
				.set_in = KEEP(pod->examination,
					       "%s, where the image has a shell and the limit is 0",
					       pod->set_in)});
	examine_core_place(pod->examination,
			   branch_is_true(pod->container, "securityContext.readOnlyRootFilesystem"),
			   core_volume(pod), volume_lines, pod->set_in);
	examine_limits(pod);
}

static void examine_log(struct pod *pod)
{
	check_add(pod->examination,
		  &(struct check){
			  .concern = CONCERN_TEXT,
			  .outcome = OUTCOME_KEPT,
			  .setting = "log",
			  .means = "`kubectl logs -p POD -c CONTAINER | mapfault -` reads the "
				   "crash of the container before this one; the node keeps "
				   "10 MiB a file by default, and nothing once the pod is "
				   "deleted"});
}

static void examine_container(struct pod *pod)
{
	const char *name = branch_text_at(pod->container, "name");
	struct examination *examination = pod->examination;

	examination->subject = KEEP(examination, "container %s", name ? name : "?");
	pod->set_in = KEEP(examination, "container %s of the pod's spec", name ? name : "?");
	examine_environment(pod);
	examine_core(pod);
	examine_log(pod);
	examine_attach(
		examination,
		branch_has_word(pod->container, "securityContext.capabilities.add", "SYS_PTRACE") ||
			branch_is_true(pod->container, "securityContext.privileged"),
		ptrace_lines, pod->set_in);
}

bool examine_pod(struct examination *examination, struct branch document)
{
	struct branch spec = pod_spec(document), containers = branch_at(spec, "containers");
	struct pod pod = {.examination = examination, .spec = spec};
	const char *key;

	if (!branch_exists(spec))
		return false;
	for (size_t i = 0; i < branch_count(containers); i++) {
		pod.container = branch_item(containers, i, &key);
		examine_container(&pod);
	}
	return true;
}
