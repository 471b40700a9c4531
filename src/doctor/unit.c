// SPDX-License-Identifier: Apache-2.0
// A service of systemd's by its unit file and drop-ins (systemd.exec(5)).
#include "doctor/dropin.h"

#include <unistd.h>

#define SERVICE "Service"

struct unit {
	struct examination *examination;
	struct ini ini;
	const char *set_in;
};

static const char *unit_value(const struct unit *unit, const char *key)
{
	return ini_value(&unit->ini, SERVICE, key);
}

/** Environment= holds words, quoted where they have spaces; an empty one forgets what was before. */
static const char *variable(const struct unit *unit, const char *name)
{
	const char *value = NULL;

	for (guint i = 0; i < unit->ini.entries->len; i++) {
		const struct ini_entry *entry =
			&g_array_index(unit->ini.entries, struct ini_entry, i);
		g_auto(GStrv) words = NULL;

		if (!g_str_equal(entry->section, SERVICE) ||
		    !g_str_equal(entry->key, "Environment"))
			continue;
		if (!*entry->value)
			value = NULL;
		if (!g_shell_parse_argv(entry->value, NULL, &words, NULL))
			continue;
		for (char **word = words; *word; word++)
			if (g_str_has_prefix(*word, name) && (*word)[strlen(name)] == '=')
				value = KEEP(unit->examination, "%s", *word + strlen(name) + 1);
	}
	return value;
}

/** KEY=VALUE lines of EnvironmentFile=; "-" before a path means that it may be missing. */
static const char *variable_in_file(const struct unit *unit, const char *name)
{
	const char *path = unit_value(unit, "EnvironmentFile");
	scoped(ini) struct ini ini = {0};
	const char *text, *value;
	g_autofree char *bare = NULL;

	if (!path)
		return NULL;
	text = host_file(unit->examination, path + (*path == '-'));
	if (!text)
		return NULL;
	ini_init(&ini);
	ini_add(&ini, text);
	value = ini_value(&ini, "", name);
	if (!value)
		return NULL;
	bare = g_shell_unquote(value, NULL);
	return KEEP(unit->examination, "%s", bare ? bare : value);
}

static void examine_unit_traceback(struct unit *unit)
{
	const char *value = variable_in_file(unit, "GOTRACEBACK");

	if (!value)
		value = variable(unit, "GOTRACEBACK");
	examine_traceback(unit->examination, value, "[Service]\nEnvironment=GOTRACEBACK=crash",
			  unit->set_in);
}

static void examine_unit_limit(struct unit *unit)
{
	static const char line[] = "[Service]\nLimitCORE=infinity";
	const char *value = unit_value(unit, "LimitCORE"), *setting = "LimitCORE";
	g_autofree char *soft = NULL;
	scoped(ini) struct ini defaults = {0};

	ini_init(&defaults);
	if (!value) {
		systemd_conf_add(unit->examination, "system.conf", &defaults);
		value = ini_value(&defaults, "Manager", "DefaultLimitCORE");
		setting = "DefaultLimitCORE in system.conf";
	}
	if (!value) {
		check_add(unit->examination,
			  &(struct check){.concern = CONCERN_CORE,
					  .outcome = OUTCOME_UNSURE,
					  .setting = "LimitCORE",
					  .means = "not set: unlimited as systemd comes, 0 as some "
						   "distributions build it",
					  .set = line,
					  .set_in = unit->set_in});
		return;
	}
	soft = g_strndup(value, strcspn(value, ":"));
	examine_core_limit(unit->examination, setting, soft, line, unit->set_in);
}

static void examine_unit_filter(struct unit *unit)
{
	const char *value = unit_value(unit, "CoredumpFilter");
	bool lost = value && !strstr(value, "private-anonymous") && !strstr(value, "all") &&
		    !strstr(value, "default") && !(g_ascii_strtoull(value, NULL, 16) & 1);

	if (!value)
		return;
	check_add(unit->examination,
		  &(struct check){.concern = CONCERN_CORE,
				  .outcome = lost ? OUTCOME_LOST : OUTCOME_KEPT,
				  .setting = "CoredumpFilter",
				  .value = value,
				  .means = lost ? "heap and stacks are left out of a core"
						: "heap and stacks are in a core",
				  .set = lost ? "[Service]\nCoredumpFilter=default" : "",
				  .set_in = lost ? unit->set_in : ""});
}

static void examine_unit_output(struct unit *unit)
{
	const char *error = unit_value(unit, "StandardError");
	const char *value = error && !g_str_equal(error, "inherit")
				    ? error
				    : unit_value(unit, "StandardOutput");

	if (!value || !g_str_equal(value, "null"))
		return;
	check_add(unit->examination,
		  &(struct check){.concern = CONCERN_TEXT,
				  .outcome = OUTCOME_LOST,
				  .setting = error ? "StandardError" : "StandardOutput",
				  .value = value,
				  .means =
					  "the crash text is written to standard error, which goes "
					  "nowhere",
				  .set = "[Service]\nStandardError=journal",
				  .set_in = unit->set_in});
}

/** journald drops lines beyond a rate; a dump is many lines at once. */
static void examine_unit_rate(struct unit *unit)
{
	const char *burst = unit_value(unit, "LogRateLimitBurst");
	const char *interval = unit_value(unit, "LogRateLimitIntervalSec");
	struct check check = {.concern = CONCERN_TEXT,
			      .outcome = OUTCOME_UNSURE,
			      .setting = "LogRateLimitBurst",
			      .set = "[Service]\nLogRateLimitIntervalSec=0",
			      .set_in = unit->set_in};
	scoped(ini) struct ini journald = {0};

	ini_init(&journald);
	systemd_conf_add(unit->examination, "journald.conf", &journald);
	if (!interval)
		interval = ini_value(&journald, "Journal", "RateLimitIntervalSec");
	if (!burst)
		burst = ini_value(&journald, "Journal", "RateLimitBurst");
	if (interval && strspn(interval, "0") == strcspn(interval, "s"))
		return;
	check.value = burst;
	check.means =
		KEEP(unit->examination,
		     "journald drops what exceeds %s lines in %s: about %llu goroutines with "
		     "five frames each",
		     burst ? burst : "10000", interval ? interval : "30s",
		     (unsigned long long)(burst ? g_ascii_strtoull(burst, NULL, 10) : 10000) / 12);
	check_add(unit->examination, &check);
}

static bool is_yes(const char *value)
{
	static const char *const words[] = {"yes", "true", "1", "on"};

	for (size_t i = 0; value && i < G_N_ELEMENTS(words); i++)
		if (!g_ascii_strcasecmp(value, words[i]))
			return true;
	return false;
}

/** Where the kernel writes by path, the unit's own view of the file system decides. */
static void examine_unit_paths(struct unit *unit)
{
	struct examination *examination = unit->examination;
	const char *directory = examination->core_directory;
	const char *protect = unit_value(unit, "ProtectSystem");
	struct check check = {
		.concern = CONCERN_CORE, .outcome = OUTCOME_LOST, .set_in = unit->set_in};

	if (examination->to != CORE_TO_PATH)
		return;
	if (is_yes(unit_value(unit, "PrivateTmp")) &&
	    (g_str_has_prefix(directory, "/tmp") || g_str_has_prefix(directory, "/var/tmp"))) {
		check.setting = "PrivateTmp";
		check.value = unit_value(unit, "PrivateTmp");
		check.means = KEEP(examination,
				   "cores go to %s, which is the unit's own and removed with it",
				   directory);
		check.set = "[Service]\nPrivateTmp=no";
		check_add(examination, &check);
	}
	if (protect && g_str_equal(protect, "strict") &&
	    !(unit_value(unit, "ReadWritePaths") &&
	      strstr(unit_value(unit, "ReadWritePaths"), directory))) {
		check.setting = "ProtectSystem";
		check.value = protect;
		check.means = KEEP(examination, "the unit may not write to %s, where cores go",
				   directory);
		check.set = KEEP(examination, "[Service]\nReadWritePaths=%s", directory);
		check_add(examination, &check);
	}
}

static void examine_unit_directory(struct unit *unit)
{
	const char *directory = unit_value(unit, "WorkingDirectory");
	struct check check = {.concern = CONCERN_CORE,
			      .outcome = OUTCOME_LOST,
			      .setting = "WorkingDirectory",
			      .value = directory,
			      .set = "[Service]\nWorkingDirectory=/var/lib/SERVICE",
			      .set_in = unit->set_in};

	if (unit->examination->to != CORE_TO_CWD || directory)
		return;
	check.outcome = unit_value(unit, "User") || is_yes(unit_value(unit, "DynamicUser"))
				? OUTCOME_LOST
				: OUTCOME_UNSURE;
	check.means = "the unit works in /, and a core goes to the working directory, where its "
		      "user may not write";
	check_add(unit->examination, &check);
}

static void examine_unit_program(struct unit *unit)
{
	const char *line = unit_value(unit, "ExecStart");
	g_auto(GStrv) words = NULL;
	const char *program;

	if (!line || !g_shell_parse_argv(line + strspn(line, "@-:+!"), NULL, &words, NULL))
		return;
	program = host_path(unit->examination, words[0]);
	if (words[0][0] == '/' && access(program, R_OK) == 0)
		examine_program(unit->examination, program, words[0]);
}

static const char *find_unit(const struct examination *examination, const char *name)
{
	static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system",
					      "/usr/local/lib/systemd/system",
					      "/usr/lib/systemd/system", "/lib/systemd/system"};

	if (strchr(name, '/'))
		return NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		const char *path = KEEP(examination, "%s/%s", folders[i], name);

		if (access(host_path(examination, path), R_OK) == 0)
			return path;
	}
	return NULL;
}

static void read_dropins(struct unit *unit, const char *name)
{
	static const char *const folders[] = {"/usr/lib/systemd/system", "/run/systemd/system",
					      "/etc/systemd/system"};

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
		dropins_add(unit->examination, KEEP(unit->examination, "%s/%s.d", folders[i], name),
			    &unit->ini);
}

/** A path as given is no place below the root. */
static struct error *read_unit(struct unit *unit, const char *path)
{
	const char *found = find_unit(unit->examination, path), *text;
	struct examination given = *unit->examination;

	given.root = "";
	text = found ? host_file(unit->examination, found) : host_file(&given, path);
	if (!text)
		return error_with_hint(
			error_new(ERROR_NOT_FOUND, place_whole(path), "there is no such unit"),
			"give the unit's file, or a name that `systemctl status` knows");
	ini_add(&unit->ini, text);
	if (!found)
		dropins_add(&given, KEEP(unit->examination, "%s.d", path), &unit->ini);
	return NULL;
}

struct error *examine_unit(struct examination *examination, const char *path)
{
	g_autofree char *base = g_path_get_basename(path);
	const char *name = KEEP(examination, "%s", base);
	struct unit unit = {.examination = examination};
	struct error *error;

	examination->subject = name;
	ini_init(&unit.ini);
	unit.set_in = KEEP(examination, "/etc/systemd/system/%s.d/crash.conf", name);
	error = read_unit(&unit, path);
	if (!error) {
		read_dropins(&unit, name);
		examine_unit_program(&unit);
		examine_unit_traceback(&unit);
		examine_unit_limit(&unit);
		examine_unit_filter(&unit);
		examine_unit_output(&unit);
		examine_unit_rate(&unit);
		examine_unit_paths(&unit);
		examine_unit_directory(&unit);
	}
	ini_done(&unit.ini);
	return error;
}
