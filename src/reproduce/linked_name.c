// SPDX-License-Identifier: Apache-2.0
#include "reproduce/linked_name.h"

#include <glib.h>

char *linked_name_plain(struct arena *arena, const char *name)
{
	g_autoptr(GString) plain = g_string_new(NULL);
	unsigned depth = 0;

	for (; *name; name++) {
		if (*name == '[')
			depth++;
		else if (*name == ']' && depth > 0)
			depth--;
		else if (depth == 0)
			g_string_append_c(plain, *name);
	}
	return arena_string(arena, (struct text){plain->str, plain->len});
}

const char *linked_package_base(const char *package)
{
	const char *slash = strrchr(package, '/');

	return slash ? slash + 1 : package;
}

bool linked_name_is_standard(const char *package)
{
	const char *slash = strchr(package, '/'), *dot = strchr(package, '.');

	if (!*package || g_str_equal(package, "main") || g_str_has_prefix(package, "main."))
		return false;
	return !dot || (slash && dot > slash);
}

/* "func1", "1", "gowrap2", "deferwrap1": the compiler's names for what has none. */
static bool is_nameless(const char *part)
{
	static const char *const words[] = {"func", "gowrap", "deferwrap", ""};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_str_has_prefix(part, words[i]) && g_ascii_isdigit(part[strlen(words[i])]))
			return true;
	return false;
}

static char *part_take(struct arena *arena, const char **rest, char end)
{
	const char *stop = strchr(*rest, end);
	struct text text = {*rest, stop ? (size_t)(stop - *rest) : strlen(*rest)};

	*rest += text.n + (stop != NULL);
	return arena_string(arena, text);
}

struct linked_name linked_name_parse(struct arena *arena, const char *name)
{
	char *plain = linked_name_plain(arena, name);
	struct linked_name ret = {.package = "", .receiver = "", .function = ""};
	char *slash = strrchr(plain, '/');
	char *dot = strchr(slash ? slash : plain, '.');
	const char *rest = dot ? dot + 1 : plain;

	if (g_str_has_suffix(plain, "-fm"))
		plain[strlen(plain) - strlen("-fm")] = '\0';
	if (dot)
		ret.package = arena_string(arena, (struct text){plain, (size_t)(dot - plain)});
	if (g_str_has_prefix(rest, "(*")) {
		rest += strlen("(*");
		ret.pointer = true;
		ret.receiver = part_take(arena, &rest, ')');
		if (*rest == '.')
			rest++;
	}
	ret.function = part_take(arena, &rest, '.');
	if (*rest && !ret.pointer && !is_nameless(rest) && *rest != '.' && *rest != '(') {
		ret.receiver = ret.function;
		ret.function = part_take(arena, &rest, '.');
	}
	for (; *rest; part_take(arena, &rest, '.'))
		ret.closure |= g_str_has_prefix(rest, "func") && g_ascii_isdigit(rest[4]);
	return ret;
}
