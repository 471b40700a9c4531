// SPDX-License-Identifier: Apache-2.0
#include "report/keys.h"

#include <glib.h>

#define KEY_STRING_BYTES_MAX 256

static char *string_key(struct program *program, uint64_t address)
{
	uint64_t data, length;
	const char *bytes;

	if (!memory_u64(program->memory, address, &data) ||
	    !memory_u64(program->memory, address + 8, &length))
		return g_strdup("?");
	if (length == 0)
		return g_strdup("\"\"");
	bytes = memory_view(program->memory, data, MIN(length, KEY_STRING_BYTES_MAX));
	if (!bytes)
		return g_strdup("?");
	return g_strdup_printf("\"%.*s\"%s", (int)MIN(length, KEY_STRING_BYTES_MAX), bytes,
			       length > KEY_STRING_BYTES_MAX ? "..." : "");
}

static bool is_signed(enum go_kind kind) { return kind >= GO_KIND_INT && kind < GO_KIND_UINT; }

static char *integer_key(const uint8_t *bytes, uint64_t size, bool with_sign)
{
	uint64_t value = 0;

	memcpy(&value, bytes, size);
	if (with_sign && size < 8 && value >> (8 * size - 1) & 1)
		value |= ~0ull << 8 * size;
	return with_sign ? g_strdup_printf("%lld", (long long)value)
			 : g_strdup_printf("%llu", (unsigned long long)value);
}

static char *float_key(const uint8_t *bytes, uint64_t size)
{
	double wide = 0;
	float narrow = 0;

	memcpy(&wide, bytes, size == 8 ? 8 : 0);
	memcpy(&narrow, bytes, size == 4 ? 4 : 0);
	return g_strdup_printf("%.17g", size == 8 ? wide : (double)narrow);
}

static char *scalar_key(struct program *program, const struct go_type *type, uint64_t address)
{
	uint8_t bytes[8] = {0};

	if (!type->size || type->size > sizeof(bytes) ||
	    !memory_read(program->memory, address, bytes, type->size))
		return g_strdup("?");
	switch (type->kind) {
	case GO_KIND_BOOL:
		return g_strdup(bytes[0] ? "true" : "false");
	case GO_KIND_FLOAT32:
	case GO_KIND_FLOAT64:
		return float_key(bytes, type->size);
	case GO_KIND_POINTER:
	case GO_KIND_UNSAFE_POINTER:
	case GO_KIND_CHAN: {
		uint64_t value;

		memcpy(&value, bytes, sizeof(value));
		return g_strdup_printf("%#llx", (unsigned long long)value);
	}
	default:
		return integer_key(bytes, type->size, is_signed(type->kind));
	}
}

char *key_text(struct program *program, const struct go_type *type, uint64_t address)
{
	if (!type)
		return g_strdup("?");
	switch (type->kind) {
	case GO_KIND_STRING:
		return string_key(program, address);
	case GO_KIND_BOOL ... GO_KIND_FLOAT64:
	case GO_KIND_POINTER:
	case GO_KIND_UNSAFE_POINTER:
	case GO_KIND_CHAN:
		return scalar_key(program, type, address);
	default:
		return g_strdup(type->name);
	}
}
