// SPDX-License-Identifier: Apache-2.0
#include "reproduce/gofmt.h"

#include <glib.h>

#define OPENS         "struct{ "
#define ONE_LINE_TYPE 29 /* go/printer: isOneLineFieldList */
#define NESTING_MAX   32

struct field {
	struct text name;
	GString *type;
	bool lines; // the type takes several
};

static void structs(GString *out, struct text code, unsigned indent, unsigned depth);

static void tabs(GString *out, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		g_string_append_c(out, '\t');
}

/* Up to @a stop at the level where @a code begins; all of it when there is none. */
static size_t until(struct text code, char stop)
{
	int level = 0;

	for (size_t i = 0; i < code.n; i++) {
		if (level == 0 && code.p[i] == stop)
			return i;
		if (strchr("{([", code.p[i]))
			level++;
		else if (strchr("})]", code.p[i]))
			level--;
	}
	return code.n;
}

static void field_free(void *field)
{
	g_string_free(((struct field *)field)->type, TRUE);
	g_free(field);
}

static GPtrArray *fields_of(struct text inner, unsigned indent, unsigned depth)
{
	GPtrArray *fields = g_ptr_array_new_with_free_func(field_free);

	while (inner.n) {
		size_t end = until(inner, ';'), trimmed = end, space, type;
		struct field *field = g_new0(struct field, 1);

		while (trimmed && inner.p[trimmed - 1] == ' ')
			trimmed--;
		space = until((struct text){inner.p, trimmed}, ' ');
		type = MIN(trimmed, space + 1);
		field->name = (struct text){inner.p, space};
		field->type = g_string_new(NULL);
		structs(field->type, (struct text){inner.p + type, trimmed - type}, indent + 1,
			depth + 1);
		field->lines = strchr(field->type->str, '\n');
		g_ptr_array_add(fields, field);
		inner.p += end;
		inner.n -= end;
		for (; inner.n && strchr("; ", *inner.p); inner.n--)
			inner.p++;
	}
	return fields;
}

static const struct field *field_at(const GPtrArray *fields, guint i) { return fields->pdata[i]; }

/* Types stand in a column, which ends with one of several lines. */
static void field_lines(GString *out, const GPtrArray *fields, unsigned indent)
{
	for (guint first = 0, end = 0; first < fields->len; first = end) {
		size_t width = 0;

		for (end = first;
		     end < fields->len && (end == first || !field_at(fields, end - 1)->lines);
		     end++)
			width = MAX(width, field_at(fields, end)->name.n);
		for (guint i = first; i < end; i++) {
			const struct field *field = field_at(fields, i);

			tabs(out, indent + 1);
			g_string_append_printf(out, "%-*.*s %s\n", (int)width, (int)field->name.n,
					       field->name.p, field->type->str);
		}
	}
}

static void one_struct(GString *out, struct text inner, unsigned indent, unsigned depth)
{
	g_autoptr(GPtrArray) fields = fields_of(inner, indent, depth);
	const struct field *only = fields->len == 1 ? field_at(fields, 0) : NULL;

	if (only && !only->lines && only->type->len <= ONE_LINE_TYPE) {
		g_string_append_printf(out, "struct{ %.*s %s }", (int)only->name.n, only->name.p,
				       only->type->str);
		return;
	}
	g_string_append(out, "struct {\n");
	field_lines(out, fields, indent);
	tabs(out, indent);
	g_string_append_c(out, '}');
}

/* Code without comments and strings, of a line that is indented so far. */
static void structs(GString *out, struct text code, unsigned indent, unsigned depth)
{
	while (code.n) {
		const char *open = g_strstr_len(code.p, (gssize)code.n, OPENS);
		size_t before = open && depth < NESTING_MAX ? (size_t)(open - code.p) : code.n,
		       skip, end;

		g_string_append_len(out, code.p, (gssize)before);
		if (before == code.n)
			return;
		skip = before + strlen(OPENS);
		end = until((struct text){code.p + skip, code.n - skip}, '}');
		one_struct(out, (struct text){code.p + skip, end}, indent, depth);
		end = MIN(code.n, skip + end + 1);
		code.p += end;
		code.n -= end;
	}
}

/* Where a string or a comment begins. */
static size_t plain_length(struct text line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '"' ||
		    (line.p[i] == '/' && i + 1 < line.n && line.p[i + 1] == '/'))
			return i;
	return line.n;
}

const char *gofmt_structs(struct arena *arena, const char *code)
{
	g_autoptr(GString) out = g_string_new(NULL);

	while (*code) {
		struct text line = {code, strcspn(code, "\n")};
		size_t plain = plain_length(line);

		structs(out, (struct text){line.p, plain}, (unsigned)strspn(line.p, "\t"), 0);
		g_string_append_len(out, line.p + plain, (gssize)(line.n - plain));
		code += line.n;
		if (*code == '\n')
			g_string_append_c(out, *code++);
	}
	return arena_string(arena, (struct text){out->str, out->len});
}
