// SPDX-License-Identifier: Apache-2.0
#include "report/words.h"

#include <glib.h>

#define NS_PER_S 1000000000ll

/* The linker writes a dot in a path's last element as %2e (cmd/internal/objabi/path.go). */
static char *unescape_dots(const char *name)
{
	g_auto(GStrv) parts = g_strsplit(name, "%2e", -1);

	return g_strjoinv(".", parts);
}

char *words_function(const char *function)
{
	g_autofree char *name = NULL;
	size_t path_end, first;

	if (!function || !*function)
		return g_strdup("unknown function");
	name = go_function_name_folded(function);
	path_end = strcspn(name, "([");
	first = strcspn(name, "/");
	if (first < path_end && memchr(name, '.', first))
		while (path_end > 0 && name[path_end - 1] != '/')
			path_end--;
	else
		path_end = 0;
	return unescape_dots(name + path_end);
}

/** The last two parts of a path. */
static char *words_file(const char *file)
{
	const char *at = file ? file + strlen(file) : "";
	int slashes = 0;

	while (file && at > file) {
		if (at[-1] == '/' && ++slashes == 2)
			break;
		at--;
	}
	return g_strdup(at);
}

char *words_place(const struct go_site *site)
{
	g_autofree char *file = words_file(site->file);

	if (!*file)
		return g_strdup("");
	return site->line > 0 ? g_strdup_printf("%s:%d", file, site->line) : g_steal_pointer(&file);
}

char *words_count(uint64_t count)
{
	GString *string = g_string_new(NULL);

	g_string_printf(string, "%llu", (unsigned long long)count);
	for (gssize at = (gssize)string->len - 3; at > 0; at -= 3)
		g_string_insert_c(string, at, ',');
	return g_string_free(string, FALSE);
}

char *words_bytes(double bytes)
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
	size_t unit = 0;

	for (; (bytes >= 1000 || bytes <= -1000) && unit + 1 < G_N_ELEMENTS(units); unit++)
		bytes /= 1024;
	return g_strdup_printf(unit && bytes < 10 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

char *words_wait(int64_t ns)
{
	int64_t seconds = ns / NS_PER_S;

	if (seconds <= 0)
		return g_strdup("");
	if (seconds < 120)
		return g_strdup_printf("%lld s", (long long)seconds);
	if (seconds < 120 * 60)
		return g_strdup_printf("%lld min", (long long)seconds / 60);
	return g_strdup_printf("%lld h", (long long)seconds / 3600);
}

char *words_state(const struct goroutine *goroutine)
{
	g_autofree char *wait = words_wait(goroutine->wait_ns);
	const char *reason = goroutine->wait_reason;
	bool has_reason = reason && *reason;

	return g_strdup_printf("%s%s%s%s%s%s", go_status_name(goroutine->status),
			       has_reason ? " (" : "", has_reason ? reason : "",
			       has_reason ? ")" : "", *wait ? " for " : "", wait);
}
