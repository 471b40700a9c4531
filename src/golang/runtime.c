// SPDX-License-Identifier: Apache-2.0
// What numbers and names of the runtime mean: goroutine states (runtime/runtime2.go,
// runtime/traceback.go gStatusStrings), wait reasons (generated), and functions by role. Roles go
// by name since names are stable and funcID numbers moved in six releases.
#include "golang/runtime.h"

#include <glib.h>
#include <signal.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/** The states 5 (moribund_unused) and 7 (enqueue_unused) have been out of use since before Go 1.9.
 */
static const char *const status_names[] = {
	[GO_STATUS_IDLE] = "idle",           [GO_STATUS_RUNNABLE] = "runnable",
	[GO_STATUS_RUNNING] = "running",     [GO_STATUS_SYSCALL] = "syscall",
	[GO_STATUS_WAITING] = "waiting",     [GO_STATUS_DEAD] = "dead",
	[GO_STATUS_COPYSTACK] = "copystack", [GO_STATUS_PREEMPTED] = "preempted",
	[GO_STATUS_LEAKED] = "leaked",       [GO_STATUS_DEADEXTRA] = "waiting for cgo callback",
};

const char *go_status_name(uint32_t status)
{
	uint32_t plain = status & ~GO_STATUS_SCAN;

	if (plain >= LENGTH(status_names) || !status_names[plain])
		return "unknown";
	return status_names[plain];
}

#define WAIT_REASON_LIMIT 64 /* a minor with more fails to compile */

static const struct wait_reasons {
	int minor;
	const char *text[WAIT_REASON_LIMIT];
} wait_reasons[] = {
#include "golang/wait_reason_table.inc"
};

const char *go_wait_reason(struct go_version version, uint8_t reason)
{
	if (reason == 0)
		return "";
	if (reason >= WAIT_REASON_LIMIT)
		return NULL;
	for (size_t i = 0; i < LENGTH(wait_reasons); i++) {
		if (wait_reasons[i].minor == version.minor)
			return wait_reasons[i].text[reason];
	}
	return NULL;
}

static const char *const signal_texts[] = {
	[SIGQUIT] = "SIGQUIT: quit",
	[SIGILL] = "SIGILL: illegal instruction",
	[SIGTRAP] = "SIGTRAP: trace trap",
	[SIGABRT] = "SIGABRT: abort",
	[SIGBUS] = "SIGBUS: bus error",
	[SIGFPE] = "SIGFPE: floating-point exception",
	[SIGSEGV] = "SIGSEGV: segmentation violation",
	[SIGSTKFLT] = "SIGSTKFLT: stack fault",
	[SIGSYS] = "SIGSYS: bad system call",
};

const char *go_signal_text(int signal)
{
	if (signal < 0 || (size_t)signal >= LENGTH(signal_texts))
		return NULL;
	return signal_texts[signal];
}

static const struct role {
	const char *function;
	enum go_role role;
} roles[] = {
	{"runtime.goexit", GO_ROLE_TOP},
	{"runtime.mstart", GO_ROLE_TOP},
	{"runtime.rt0_go", GO_ROLE_TOP},
	{"_rt0_amd64_linux", GO_ROLE_TOP},
	{"_rt0_arm64_linux", GO_ROLE_TOP},
	{"crosscall2", GO_ROLE_TOP}, /* its caller is C (runtime/cgo/asm_amd64.s) */
	{"runtime.mcall", GO_ROLE_MCALL},
	{"runtime.systemstack", GO_ROLE_SYSTEMSTACK},
	{"runtime.morestack", GO_ROLE_MORESTACK},
	{"runtime.asmcgocall", GO_ROLE_ASMCGOCALL},
	{"runtime.cgocallback", GO_ROLE_CGOCALLBACK}, /* resolveInternal, traceback.go@1.22.12 */
	{"runtime.sigtramp", GO_ROLE_SIGNAL_FRAME},
	{"runtime.cgoSigtramp", GO_ROLE_SIGNAL_FRAME},
	{"runtime.sigreturn", GO_ROLE_SIGNAL_FRAME},
	{"runtime.sigreturn__sigaction", GO_ROLE_SIGNAL_FRAME}, /* since 1.21 */
	{"runtime.sigpanic", GO_ROLE_INJECTED},
	{"runtime.sigpanic0", GO_ROLE_INJECTED},
	{"runtime.asyncPreempt", GO_ROLE_INJECTED}, /* since 1.14 */
	{"runtime.debugCallV1", GO_ROLE_INJECTED},
	{"runtime.debugCallV2", GO_ROLE_INJECTED}, /* since 1.17 */
};

enum go_role go_role_of(const char *function)
{
	for (size_t i = 0; i < LENGTH(roles); i++) {
		if (strcmp(roles[i].function, function) == 0)
			return roles[i].role;
	}
	return GO_ROLE_NORMAL;
}

/** The runtime, packages that it inlines, and reflect. */
static const char *const runtime_packages[] = {
	"runtime",      "reflect",          "internal/reflectlite",
	"internal/abi", "internal/bytealg", "internal/chacha8rand",
};

/** Folders of more such packages (runtime/internal up to 1.23, internal/runtime since). */
static const char *const runtime_folders[] = {"internal/runtime/", "runtime/internal/"};

/** What the compiler makes up: equality, hashes, methods of unnamed structs; a dot up to 1.19. */
static const char *const compiler_prefixes[] = {"type:.", "type..", "go:", "go.(", "go.struct"};

/** Bodies in assembly without a package, and runtime functions pushed into other packages. */
static const char *const runtime_names[] = {
	"aeshashbody",         "cmpbody",
	"countbody",           "gogo",
	"indexbody",           "indexbytebody",
	"memeqbody",           "maps.clone",
	"maps.keys",           "maps.values",
	"sync.fatal",          "sync.throw",
	"internal/sync.fatal", "internal/sync.throw",
};

struct text go_package_of(const char *function)
{
	size_t end = strcspn(function, "([");
	size_t start = end;

	while (start > 0 && function[start - 1] != '/')
		start--;
	return (struct text){function, start + strcspn(function + start, ".")};
}

static bool starts_with_any(struct text text, const char *const *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text_starts(text, prefixes[i]))
			return true;
	}
	return false;
}

static bool is_any(struct text text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text_is(text, words[i]))
			return true;
	}
	return false;
}

bool go_is_runtime_function(const char *function)
{
	struct text name = text_of(function);
	struct text package = go_package_of(function);

	return starts_with_any(name, compiler_prefixes, LENGTH(compiler_prefixes)) ||
	       is_any(name, runtime_names, LENGTH(runtime_names)) ||
	       starts_with_any(package, runtime_folders, LENGTH(runtime_folders)) ||
	       is_any(package, runtime_packages, LENGTH(runtime_packages));
}

/** First elements of the standard library's import paths, Go 1.9 to 1.27. */
static const char *const standard_roots[] = {
	"archive", "arena",    "bufio",  "bytes",   "cmp",      "compress", "container", "context",
	"crypto",  "database", "debug",  "embed",   "encoding", "errors",   "expvar",    "flag",
	"fmt",     "go",       "hash",   "html",    "image",    "index",    "internal",  "io",
	"iter",    "log",      "maps",   "math",    "mime",     "net",      "os",        "path",
	"plugin",  "reflect",  "regexp", "runtime", "simd",     "slices",   "sort",      "strconv",
	"strings", "structs",  "sync",   "syscall", "testing",  "text",     "time",      "unicode",
	"unique",  "unsafe",   "uuid",   "vendor",  "weak",
};

bool go_is_library_function(const char *function)
{
	struct text root = go_package_of(function);
	const char *slash = memchr(root.p, '/', root.n);

	if (slash)
		root.n = (size_t)(slash - root.p);
	return go_is_runtime_function(function) ||
	       is_any(root, standard_roots, LENGTH(standard_roots));
}

bool go_is_package_initializer(const char *function)
{
	static const char *const names[] = {"init", "map.init"};
	struct text package = go_package_of(function);
	const char *name = function + package.n + (function[package.n] == '.');

	for (size_t i = 0; i < LENGTH(names); i++) {
		size_t n = strlen(names[i]);

		if (!strncmp(name, names[i], n) &&
		    (!name[n] || (name[n] == '.' && name[n + 1] &&
				  !name[n + 1 + strspn(name + n + 1, "0123456789")])))
			return true;
	}
	return false;
}

/** Functions of the runtime that start goroutines of the user's (isSystemGoroutine, traceback.go).
 */
static const char *const user_starts[] = {
	"runtime.main", "runtime.handleAsyncEvent", /* since 1.14 */
	"runtime.corostart",                        /* since 1.22: an iterator of iter.Pull */
};

bool go_is_system_goroutine(const char *start_function)
{
	if (is_any(text_of(start_function), user_starts, LENGTH(user_starts)))
		return false;
	return text_is(go_package_of(start_function), "runtime");
}

char *go_function_name_folded(const char *name)
{
	GString *folded = g_string_new(NULL);
	unsigned depth = 0;

	for (; *name; name++) {
		if (*name == ']' && depth > 0 && --depth == 0)
			g_string_append(folded, "...");
		if (depth == 0)
			g_string_append_c(folded, *name);
		if (*name == '[')
			depth++;
	}
	return g_string_free(folded, FALSE);
}
