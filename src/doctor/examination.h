// SPDX-License-Identifier: Apache-2.0
// What the examiners of room doctor share: where they look, what was found so far, and the result in the making.
#pragma once
#include "doctor/doctor.h"
#include "golang/traceback.h"

#include <glib.h>

enum core_destination {
	CORE_TO_UNKNOWN,
	CORE_TO_NOWHERE,
	CORE_TO_PATH,    /**< an absolute path */
	CORE_TO_CWD,     /**< a path relative to the process's directory */
	CORE_TO_SYSTEMD, /**< systemd-coredump */
	CORE_TO_APPORT,
	CORE_TO_ABRT,
	CORE_TO_PROGRAM, /**< some other handler */
};

struct examination {
	struct diagnosis *diagnosis;
	const char *root;
	const char *subject; /**< of the checks that are added */
	bool host_known;     /**< the fields below were read */
	enum core_destination to;
	const char *core_directory; /**< of CORE_TO_PATH and known handlers; "" when not known */
	uint64_t core_bytes;        /**< how large a core would be; 0 when not known */
	struct go_version version;  /**< of the program; minor 0 when not known */
};

/** Adds a check; @a value and @a means are copied, the rest is borrowed for as long as the diagnosis lives. */
void check_add(struct examination *examination, const struct check *check);
/** A formatted string that lives as long as the diagnosis. */
#define KEEP(examination, ...) arena_format((examination)->diagnosis->arena, __VA_ARGS__)

/** The text of a small file below the root, without its last newline; NULL when it can't be read. */
const char *host_file(const struct examination *examination, const char *path);
/** The root and @a path as one path. */
const char *host_path(const struct examination *examination, const char *path);
/** "2G", "767M", "1024", "infinity": bytes; false when it is no size. */
bool size_parse(const char *text, uint64_t *ret);
/** "3.1 GiB". */
const char *size_words(const struct examination *examination, uint64_t bytes);

/** The kernel, the core handler and the disk. Fills the fields about cores. */
void examine_machine(struct examination *examination);
/** The handler's own limits (systemd-coredump, apport). */
void examine_handler(struct examination *examination);
/** Room where cores go, once core_bytes is known. */
void examine_disk(struct examination *examination);
/** About how large a core of the process would be: its anonymous memory; 0 when not known. */
uint64_t proc_core_bytes(const struct examination *examination, pid_t pid);
/** The soft limit on cores in a file as /proc/PID/limits; NULL when it is not there. */
const char *proc_core_limit(const struct examination *examination, const char *path);
struct error *examine_process(struct examination *examination, pid_t pid);
/** A systemd unit: a path, or a name that is looked for where systemd does. */
struct error *examine_unit(struct examination *examination, const char *path);
/** A pod, a workload with a pod template, a compose file, `docker inspect`, an OCI config.json. */
struct error *examine_container_file(struct examination *examination, const char *path);
/** The program itself, @a path as this process can open it: Go or not, its version, what was stripped. */
void examine_program(struct examination *examination, const char *path, const char *shown);

/** What @a value of GOTRACEBACK (NULL: not set) leaves of text and core; @a line and @a set_in say how to set crash. */
void examine_traceback(struct examination *examination, const char *value, const char *line,
		       const char *set_in);
/** A limit on the size of cores, as /proc and systemd write it ("0", "unlimited", "infinity", a number). */
void examine_core_limit(struct examination *examination, const char *setting, const char *value,
			const char *line, const char *set_in);
