// SPDX-License-Identifier: Apache-2.0
// g._panic is the latest of a chain; its arg is an interface {type, data}. Facts:
// runtime/panic.go (preprintpanics, printpanics@1.24.11), runtime/error.go (printpanicval).
#include "model/process/panic.h"

#include "base/limits.h"

#include <glib.h>
#include <string.h>

#define WORD       8
#define TEXT_MAX   4096
#define VALUE_ROOM 32

/** One line, without what a terminal would act on. */
static const char *first_line(struct program *program, const char *text)
{
	size_t length = strcspn(text, "\n");
	char *line = arena_take(program->arena, length + 1);

	for (size_t i = 0; i < length; i++)
		line[i] = g_ascii_iscntrl(text[i]) && text[i] != '\t' ? '?' : text[i];
	line[length] = '\0';
	return line;
}

static bool read_integer(struct program *program, const struct go_type *type, uint64_t data,
			 char ret[VALUE_ROOM])
{
	unsigned unused = (unsigned)(WORD - type->size) * 8;
	bool is_signed = type->kind >= GO_KIND_INT && type->kind <= GO_KIND_INT64;
	uint64_t value = 0;

	if (type->size == 0 || type->size > WORD)
		return false;
	for (uint64_t i = 0; i < type->size; i++) {
		uint8_t byte;

		if (!memory_u8(program->memory, data + i, &byte))
			return false;
		value |= (uint64_t)byte << (8 * i);
	}
	if (type->kind == GO_KIND_BOOL)
		g_snprintf(ret, VALUE_ROOM, "%s", value ? "true" : "false");
	else if (is_signed)
		g_snprintf(ret, VALUE_ROOM, "%" G_GINT64_FORMAT,
			   (int64_t)(value << unused) >> unused);
	else
		g_snprintf(ret, VALUE_ROOM, "%" G_GUINT64_FORMAT, value);
	return true;
}

static const char *value_text(struct program *program, const struct go_type *type, uint64_t data)
{
	char value[VALUE_ROOM];
	const char *text;

	if (type->kind == GO_KIND_STRING) {
		text = program_string(program, data, LIMIT_NAME_BYTES, TEXT_MAX);
		if (!text || !type->named || g_str_equal(type->name, "string"))
			return text;
		return arena_format(program->arena, "%s(\"%s\")", type->name, text);
	}
	if (type->kind >= GO_KIND_BOOL && type->kind <= GO_KIND_UINTPTR &&
	    read_integer(program, type, data, value))
		return strchr(type->name, '.')
			       ? arena_format(program->arena, "%s(%s)", type->name, value)
			       : arena_string(program->arena, text_of(value));
	if (type->kind >= GO_KIND_FLOAT32 && type->kind <= GO_KIND_COMPLEX128)
		return arena_format(program->arena, "a %s", type->name);
	return arena_format(program->arena, "(%s) %#llx", type->name, (unsigned long long)data);
}

const char *panic_message(struct program *program, const struct goroutine *goroutine)
{
	uint64_t panic = program_word(program, goroutine->address, GO_G_PANIC);
	uint64_t type_address = program_word(program, panic, GO_PANIC_ARG), data = 0;
	const struct go_type *type = type_address ? types_at(program->types, type_address) : NULL;
	const char *text;

	if (!type ||
	    !memory_u64(program->memory,
			panic + (uint64_t)program_offset(program, GO_PANIC_ARG) + WORD, &data))
		return "";
	text = value_text(program, type, data);
	return text ? arena_format(program->arena, "panic: %s", first_line(program, text)) : "";
}
