// SPDX-License-Identifier: Apache-2.0
#include "reproduce/toolchain.h"

#include "reproduce/child.h"
#include "reproduce/machine.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOOLCHAINS_MAX   128
#define GO_ENV_SECONDS   30
#define GO_FETCH_SECONDS 600
#define GO_WITH_MODULES  11
#define GO_WITH_INDEX    19
#define GO_WITH_VCS      18
#define GO_WITH_SWISS    24
#define MODULE_PREFIX    "toolchain@v0.0.1-go"

unsigned toolchain_minor(const char *version)
{
	guint64 minor = 0;

	if (g_str_has_prefix(version, "1.") && g_ascii_isdigit(version[2]))
		minor = g_ascii_strtoull(version + 2, NULL, 10);
	return minor < 1000 ? (unsigned)minor : 0;
}

static unsigned patch_of(const char *version)
{
	const char *dot = strchr(version, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;

	return second ? (unsigned)g_ascii_strtoull(second + 1, NULL, 10) : 0;
}

static int order(const void *a, const void *b)
{
	const struct toolchain *x = a, *y = b;

	return x->minor != y->minor ? (int)x->minor - (int)y->minor : (int)x->patch - (int)y->patch;
}

static const char *platform(void)
{
	return g_str_equal(machine_architecture(), "aarch64") ? "linux-arm64" : "linux-amd64";
}

/* A module's files are unpacked without the executable bit, and its inner go.mod files under another
 * name. The go command sets both right for the toolchains that it switches to; this does the same. */
static void make_executable(const char *folder, unsigned depth)
{
	g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
	const char *name;

	while (entries && depth > 0 && (name = g_dir_read_name(entries))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		struct stat info;

		if (lstat(path, &info) != 0)
			continue;
		if (S_ISDIR(info.st_mode))
			make_executable(path, depth - 1);
		else if (S_ISREG(info.st_mode) && !(info.st_mode & S_IXUSR))
			(void)!chmod(path, info.st_mode | 0111);
	}
}

static void put_right(const char *root)
{
	static const char *const sources[] = {"src", "src/cmd"};

	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
		g_autofree char *folder = g_build_filename(root, sources[i], NULL);
		g_autofree char *hidden = g_build_filename(folder, "_go.mod", NULL);
		g_autofree char *wanted = g_build_filename(folder, "go.mod", NULL);
		struct stat info;

		if (access(hidden, F_OK) != 0 || access(wanted, F_OK) == 0 ||
		    stat(folder, &info) != 0)
			continue;
		(void)!chmod(folder, info.st_mode | S_IWUSR);
		(void)!link(hidden, wanted);
		(void)!chmod(folder, info.st_mode);
	}
}

static bool is_ready(const char *root)
{
	g_autofree char *go = g_build_filename(root, "bin", "go", NULL);
	g_autofree char *tools = g_build_filename(root, "pkg", "tool", NULL);
	g_autofree char *bin = g_build_filename(root, "bin", NULL);

	if (access(go, F_OK) != 0)
		return false;
	if (access(go, X_OK) != 0 || strstr(root, MODULE_PREFIX)) {
		make_executable(bin, 1);
		make_executable(tools, 3);
		put_right(root);
	}
	return access(go, X_OK) == 0;
}

static const struct toolchain *add(struct toolchains *toolchains, const char *root,
				   const char *version)
{
	struct toolchain one = {NULL, NULL, toolchain_minor(version), patch_of(version)};
	const struct toolchain *there = toolchains_exact(toolchains, version);

	if (there)
		return there;
	if (!one.minor || toolchains->count == TOOLCHAINS_MAX || !is_ready(root))
		return NULL;
	one.root = arena_string(toolchains->arena, text_of(root));
	one.version = arena_string(toolchains->arena, text_of(version));
	toolchains->items[toolchains->count++] = one;
	qsort(toolchains->items, toolchains->count, sizeof(one), order);
	return toolchains_exact(toolchains, version);
}

/* go1.24.11 in the file VERSION; old ones say no more than that, new ones add the date. */
static void add_by_file(struct toolchains *toolchains, const char *root)
{
	g_autofree char *path = g_build_filename(root, "VERSION", NULL), *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return;
	text[strcspn(text, " \n\r")] = '\0';
	if (g_str_has_prefix(text, "go1."))
		add(toolchains, root, text + strlen("go"));
}

static void add_in_cache(struct toolchains *toolchains, const char *cache)
{
	g_autofree char *folder = g_build_filename(cache, "golang.org", NULL);
	g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
	const char *name;

	while (entries && (name = g_dir_read_name(entries))) {
		g_autofree char *root = g_build_filename(folder, name, NULL), *version = NULL;
		const char *end;

		if (!g_str_has_prefix(name, MODULE_PREFIX))
			continue;
		version = g_strdup(name + strlen(MODULE_PREFIX));
		end = strstr(version, platform());
		if (!end || end == version || end[-1] != '.')
			continue;
		version[end - version - 1] = '\0';
		add(toolchains, root, version);
	}
}

static void add_under(struct toolchains *toolchains, const char *folder)
{
	g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
	const char *name;

	while (entries && (name = g_dir_read_name(entries))) {
		g_autofree char *root = g_build_filename(folder, name, NULL);

		if (g_str_has_prefix(name, "go"))
			add_by_file(toolchains, root);
	}
}

/* Value @a index of what `go env GOROOT GOMODCACHE GOPATH` printed. */
static char *line_at(char **lines, guint index)
{
	return index < g_strv_length(lines) ? g_strstrip(lines[index]) : (char *)"";
}

static struct error *ask_go(struct toolchains *toolchains)
{
	static const char *const arguments[] = {"go",         "env",    "GOROOT",
						"GOMODCACHE", "GOPATH", NULL};
	const struct child_request request = {.arguments = arguments, .seconds = GO_ENV_SECONDS};
	scoped(child_result) struct child_result result = {NULL};
	scoped(error) struct error *error = child_run(&request, &result);
	g_auto(GStrv) lines = NULL;

	if (error)
		return error_code(error) == ERROR_INTERRUPTED ? g_steal_pointer(&error) : NULL;
	if (result.exit_status != 0)
		return NULL;
	lines = g_strsplit(result.output, "\n", 0);
	add_by_file(toolchains, line_at(lines, 0));
	add_in_cache(toolchains, line_at(lines, 1));
	return NULL;
}

struct error *toolchains_find(struct arena *arena, struct toolchains *ret)
{
	g_autofree char *sdk = g_build_filename(g_get_home_dir(), "sdk", NULL);
	g_autofree char *cache = g_build_filename(g_get_home_dir(), "go", "pkg", "mod", NULL);

	*ret = (struct toolchains){arena, arena_array(arena, TOOLCHAINS_MAX, sizeof(*ret->items)),
				   0};
	TRY(ask_go(ret));
	add_in_cache(ret, cache);
	add_under(ret, sdk);
	return NULL;
}

const struct toolchain *toolchains_exact(const struct toolchains *toolchains, const char *version)
{
	for (size_t i = 0; i < toolchains->count; i++)
		if (g_str_equal(toolchains->items[i].version, version))
			return &toolchains->items[i];
	return NULL;
}

/* Less is nearer. Another implementation of maps is further away than any release. */
static unsigned distance(const struct toolchain *toolchain, const char *version)
{
	unsigned minor = toolchain_minor(version), patch = patch_of(version);
	unsigned apart = (unsigned)abs((int)toolchain->minor - (int)minor) * 1000u +
			 (unsigned)abs((int)toolchain->patch - (int)patch);

	if ((toolchain->minor >= GO_WITH_SWISS) != (minor >= GO_WITH_SWISS))
		apart += 1000000;
	return apart;
}

const struct toolchain *toolchains_nearest(const struct toolchains *toolchains, const char *version)
{
	const struct toolchain *best = NULL;

	for (size_t i = 0; i < toolchains->count; i++) {
		const struct toolchain *one = &toolchains->items[i];

		if (!best || !toolchain_minor(version) ||
		    distance(one, version) < distance(best, version))
			best = one;
	}
	return best;
}

static struct error *not_fetched(const struct toolchains *toolchains, const char *version,
				 const json_t *answer, const struct child_result *result)
{
	g_autofree char *words = child_result_words(result);
	const struct toolchain *near = toolchains_nearest(toolchains, version);
	const char *problem = json_string_value(json_object_get(answer, "Error"));

	return error_with_hint(error_new(ERROR_NOT_FOUND, place_whole(""),
					 "Go %s could not be fetched: %.300s", version,
					 problem ? problem : words),
			       near ? "leave --download out: Go %s, which is here, is then used "
				      "instead"
				    : "install that release as ~/sdk/go%s",
			       near ? near->version : version);
}

/* The go command says {"Path": ..., "Dir": ...}, or "Error" in place of the folder. */
struct error *toolchains_fetch(struct toolchains *toolchains, const char *version,
			       const struct toolchain **ret)
{
	g_autofree char *module =
		g_strdup_printf("golang.org/" MODULE_PREFIX "%s.%s", version, platform());
	const struct toolchain *newest = toolchains_nearest(toolchains, "");
	g_autofree char *go =
		newest ? g_build_filename(newest->root, "bin", "go", NULL) : g_strdup("go");
	const char *const arguments[] = {go, "mod", "download", "-json", module, NULL};
	g_auto(GStrv) environment = g_get_environ();
	struct child_request request = {
		.arguments = arguments, .folder = g_get_tmp_dir(), .seconds = GO_FETCH_SECONDS};
	scoped(child_result) struct child_result result = {NULL};
	struct error *error = NULL;
	const char *root;
	json_t *answer;

	environment = g_environ_setenv(environment, "GO111MODULE", "on", TRUE);
	environment = g_environ_setenv(environment, "GOFLAGS", "-mod=mod", TRUE);
	environment = g_environ_setenv(environment, "GOTOOLCHAIN", "local", TRUE);
	if (newest)
		environment = g_environ_setenv(environment, "GOROOT", newest->root, TRUE);
	request.environment = (const char *const *)environment;
	TRY(child_run(&request, &result));
	answer = json_loads(result.output, 0, NULL);
	root = json_string_value(json_object_get(answer, "Dir"));
	*ret = root ? add(toolchains, root, version) : NULL;
	if (!*ret)
		error = not_fetched(toolchains, version, answer, &result);
	json_decref(answer);
	return error;
}

static bool is_ours(const char *name)
{
	return g_str_has_prefix(name, "GO") || g_str_has_prefix(name, "CGO_");
}

/* What a module of the user's needs to find what it requires. */
static bool is_for_modules(const char *name)
{
	static const char *const names[] = {"GOPROXY",   "GONOPROXY",  "GOPRIVATE",
					    "GONOSUMDB", "GOSUMDB",    "GOFLAGS",
					    "GOPATH",    "GOMODCACHE", "GOINSECURE"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_str_equal(names[i], name))
			return true;
	return false;
}

/* Of the user's flags those that say where a module's code is; another release may not know others.
 * Not empty: that would let those count that `go env -w` has kept. */
static char *flags_kept(void)
{
	g_auto(GStrv) words = g_strsplit(g_getenv("GOFLAGS") ? g_getenv("GOFLAGS") : "", " ", 0);
	g_autoptr(GString) kept = g_string_new(" ");

	for (char **word = words; *word; word++)
		if (g_str_has_prefix(*word, "-mod") || g_str_has_prefix(*word, "-tags"))
			g_string_append_printf(kept, "%s ", *word);
	return g_string_free(g_steal_pointer(&kept), FALSE);
}

char **toolchain_environment(const struct toolchain *toolchain, bool race, bool user_module)
{
	char **environment = g_get_environ();
	g_auto(GStrv) names = g_listenv();
	g_autofree char *flags = user_module ? flags_kept() : g_strdup("");

	for (char **name = names; *name; name++)
		if (is_ours(*name) && !g_str_equal(*name, "GOCACHE") &&
		    !(user_module && is_for_modules(*name)))
			environment = g_environ_unsetenv(environment, *name);
	environment = g_environ_setenv(environment, "GOROOT", toolchain->root, TRUE);
	environment = g_environ_setenv(environment, "GOFLAGS", flags, TRUE);
	environment = g_environ_setenv(environment, "GOTOOLCHAIN", "local", TRUE);
	environment = g_environ_setenv(environment, "CGO_ENABLED", race ? "1" : "0", TRUE);
	environment = g_environ_setenv(environment, "GO111MODULE",
				       toolchain->minor < GO_WITH_MODULES ? "off" : "on", TRUE);
	if (toolchain->minor ==
	    GO_WITH_INDEX) // takes a GOROOT in the module cache for an empty module
		environment = g_environ_setenv(environment, "GODEBUG", "goindex=0", TRUE);
	if (!user_module) {
		environment = g_environ_setenv(environment, "GOENV", "off", TRUE);
		environment = g_environ_setenv(environment, "GOPROXY", "off", TRUE);
	}
	return environment;
}

struct error *toolchain_said(struct error *error, const char *words, const char *hint)
{
	if (strstr(words, "no space left on device") || strstr(words, "No space left on device"))
		return error_with_hint(
			error,
			"make room on the disk of %s, or set TMPDIR to a folder on another one",
			g_get_tmp_dir());
	return error_with_hint(error, "%s", hint);
}

/* What builds without the race detector lacks only what that takes besides Go. */
static const char *build_hint(const struct toolchain_build *build)
{
	if (build->race)
		return "the race detector needs a C compiler: apt-get install gcc";
	if (build->user_module)
		return "leave --run out: the test is written all the same, to be set right by hand";
	return "leave --run out: the program is written all the same, to be looked at";
}

static struct error *build_failed(const struct toolchain *toolchain,
				  const struct toolchain_build *build,
				  const struct child_result *result)
{
	g_autofree char *words = child_result_words(result);

	return toolchain_said(
		error_new(ERROR_SYSTEM, place_whole(""), "go %s %s%s: %s", toolchain->version,
			  build->race ? "-race " : "",
			  result->timed_out ? "took too long to build" : "does not build it",
			  words),
		words, build_hint(build));
}

struct error *toolchain_build(const struct toolchain *toolchain,
			      const struct toolchain_build *build)
{
	g_autofree char *go = g_build_filename(toolchain->root, "bin", "go", NULL);
	g_auto(GStrv) environment =
		toolchain_environment(toolchain, build->race, build->user_module);
	g_autofree char *temporary = g_path_get_dirname(build->output);
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	scoped(child_result) struct child_result result = {NULL};
	struct child_request request = {.folder = build->folder, .seconds = build->seconds};

	/* What a killed go command leaves goes with our own folder. */
	environment = g_environ_setenv(environment, "TMPDIR", temporary, TRUE);
	request.environment = (const char *const *)environment;
	g_ptr_array_add(arguments, go);
	g_ptr_array_add(arguments, (gpointer)(build->test ? "test" : "build"));
	if (build->test) {
		g_ptr_array_add(arguments, (gpointer) "-c");
		g_ptr_array_add(arguments, (gpointer) "-vet=off");
	}
	if (build->race)
		g_ptr_array_add(arguments, (gpointer) "-race");
	if (toolchain->minor >= GO_WITH_VCS)
		g_ptr_array_add(arguments, (gpointer) "-buildvcs=false");
	if (build->overlay) {
		g_ptr_array_add(arguments, (gpointer) "-overlay");
		g_ptr_array_add(arguments, (gpointer)build->overlay);
	}
	g_ptr_array_add(arguments, (gpointer) "-o");
	g_ptr_array_add(arguments, (gpointer)build->output);
	g_ptr_array_add(arguments, (gpointer) ".");
	g_ptr_array_add(arguments, NULL);
	request.arguments = (const char *const *)arguments->pdata;
	TRY(child_run(&request, &result));
	if (result.exit_status != 0 || result.timed_out)
		return build_failed(toolchain, build, &result);
	return NULL;
}
