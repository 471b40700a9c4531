// SPDX-License-Identifier: Apache-2.0
#include "reproduce/template.h"

#include <assert.h>
#include <glib.h>

struct template_file {
	const char *name, *text;
};

/* templates_embedded.c, which tools/embed.py writes. */
extern const struct template_file template_files[];

const char *template_text(const char *name)
{
	for (const struct template_file *file = template_files; file->name; file++)
		if (g_str_equal(file->name, name))
			return file->text;
	assert(!"a template that is not embedded");
	return "";
}

static const char *value_of(const struct template_value *values, const char *name, size_t n)
{
	for (; values->name; values++)
		if (strlen(values->name) == n && strncmp(values->name, name, n) == 0)
			return values->text;
	assert(!"a template asks for a value that nobody gives");
	return "";
}

/* An empty value alone on its line: the line goes too. */
static bool line_is_empty(const GString *out, const char *after)
{
	return *after == '\n' && (out->len == 0 || out->str[out->len - 1] == '\n');
}

const char *template_expand(struct arena *arena, const char *name,
			    const struct template_value *values)
{
	g_autoptr(GString) out = g_string_new(NULL);
	const char *at = template_text(name), *open;

	while ((open = strstr(at, "{{"))) {
		const char *close = strstr(open, "}}");
		const char *value = value_of(values, open + 2, (size_t)(close - open - 2));
		size_t n = strlen(value);

		g_string_append_len(out, at, open - at);
		at = close + 2;
		if (n && value[n - 1] == '\n' && *at == '\n')
			n--;
		g_string_append_len(out, value, (gssize)n);
		if (n == 0 && line_is_empty(out, at))
			at++;
	}
	g_string_append(out, at);
	return arena_string(arena, (struct text){out->str, out->len});
}

/* Braces that a line opens, less those that it closes; none in our strings. */
static int balance(const char *line, size_t n)
{
	int depth = 0;

	for (size_t i = 0; i < n; i++)
		depth += line[i] == '{' || line[i] == '('   ? 1
			 : line[i] == '}' || line[i] == ')' ? -1
							    : 0;
	return depth;
}

const char *template_indent(struct arena *arena, const char *code, unsigned depth)
{
	g_autoptr(GString) out = g_string_new(NULL);
	int open = (int)depth;

	while (*code) {
		size_t n;
		int change, indent;

		code += strspn(code, "\t");
		n = strcspn(code, "\n");
		change = balance(code, n);
		indent = *code == '}' || *code == ')' ? open - 1 : open;
		for (int i = 0; n && i < indent; i++)
			g_string_append_c(out, '\t');
		g_string_append_len(out, code, (gssize)n);
		g_string_append_c(out, '\n');
		open += change;
		code += n + (code[n] == '\n');
	}
	return arena_string(arena, (struct text){out->str, out->len});
}

const char *template_comment(struct arena *arena, const char *text)
{
	g_autoptr(GString) out = g_string_new(NULL);
	bool fresh = true;

	for (; *text; text++) {
		if (fresh)
			g_string_append(out, strchr("\n\t", *text) ? "//" : "// ");
		fresh = *text == '\n';
		g_string_append_c(out,
				  g_ascii_iscntrl(*text) && !fresh && *text != '\t' ? ' ' : *text);
	}
	if (!fresh)
		g_string_append_c(out, '\n');
	return arena_string(arena, (struct text){out->str, out->len});
}
