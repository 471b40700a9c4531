// SPDX-License-Identifier: Apache-2.0
#include "doctor/ini.h"

#include <stdbool.h>
#include <string.h>

void ini_init(struct ini *ini)
{
	ini->entries = g_array_new(FALSE, FALSE, sizeof(struct ini_entry));
	ini->strings = g_string_chunk_new(4096);
}

void ini_done(struct ini *ini)
{
	if (!ini->entries)
		return;
	g_array_free(ini->entries, TRUE);
	g_string_chunk_free(ini->strings);
	*ini = (struct ini){0};
}

/** A line with all that continues it; moves @a text on. */
static GString *take_line(const char **text)
{
	GString *line = g_string_new(NULL);

	while (**text) {
		size_t n = strcspn(*text, "\n");
		bool continued = n && (*text)[n - 1] == '\\' && (*text)[n];

		g_string_append_len(line, *text, (gssize)(n - continued));
		*text += n + ((*text)[n] == '\n');
		if (!continued)
			break;
		g_string_append_c(line, ' ');
	}
	return line;
}

static void add_setting(struct ini *ini, const char *section, char *line)
{
	char *equals = strchr(line, '=');
	struct ini_entry entry;

	if (!equals)
		return;
	*equals = '\0';
	entry.section = section;
	entry.key = g_string_chunk_insert(ini->strings, g_strstrip(line));
	entry.value = g_string_chunk_insert(ini->strings, g_strstrip(equals + 1));
	g_array_append_val(ini->entries, entry);
}

void ini_add(struct ini *ini, const char *text)
{
	const char *section = "";

	while (*text) {
		g_autoptr(GString) whole = take_line(&text);
		char *line = g_strstrip(whole->str);
		size_t n = strlen(line);

		if (!n || *line == '#' || *line == ';')
			continue;
		if (*line == '[' && line[n - 1] == ']')
			section = g_string_chunk_insert_len(ini->strings, line + 1, (gssize)n - 2);
		else
			add_setting(ini, section, line);
	}
}

const char *ini_value(const struct ini *ini, const char *section, const char *key)
{
	const char *value = NULL;

	for (guint i = 0; i < ini->entries->len; i++) {
		const struct ini_entry *entry = &g_array_index(ini->entries, struct ini_entry, i);

		if (g_str_equal(entry->section, section) && g_str_equal(entry->key, key))
			value = *entry->value ? entry->value : NULL;
	}
	return value;
}
