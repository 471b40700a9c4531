// SPDX-License-Identifier: Apache-2.0
#include "reproduce/notes.h"

#include <glib.h>

void notes_add(struct notes *notes, const char *format, ...)
{
	g_autofree char *line = NULL;
	va_list arguments;

	va_start(arguments, format);
	line = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < notes->count; i++)
		if (g_str_equal(notes->lines[i], line))
			return;
	if (notes->count < NOTES_MAX)
		notes->lines[notes->count++] = arena_string(notes->arena, text_of(line));
}
