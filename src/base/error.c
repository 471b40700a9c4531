// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_OFFSET UINT64_MAX

struct error {
	enum error_code code;
	char text[512];
	char hint[256];
};

static struct error out_of_memory = {ERROR_SYSTEM, "out of memory", ""};

static const struct {
	const char *name;
	int status;
	const char *hint;
} codes[] = {
#define X(code, name, status, hint) [ERROR_##code] = {name, status, hint},
	ERROR_CODES(X)
#undef X
};

struct place place_whole(const char *source) { return (struct place){source, NO_OFFSET}; }

static size_t write_place(char *text, size_t size, struct place where)
{
	int n = 0;

	if (!where.source || !*where.source)
		return 0;
	if (where.offset == NO_OFFSET)
		n = snprintf(text, size, "%s: ", where.source);
	else
		n = snprintf(text, size, "%s, offset %#llx: ", where.source,
			     (unsigned long long)where.offset);
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

__attribute__((format(printf, 3, 0))) static struct error *
error_make(enum error_code code, struct place where, const char *format, va_list arguments)
{
	struct error *error = calloc(1, sizeof(*error));
	size_t n;

	if (!error)
		return &out_of_memory;
	error->code = code;
	n = write_place(error->text, sizeof(error->text), where);
	vsnprintf(error->text + n, sizeof(error->text) - n, format, arguments);
	return error;
}

struct error *error_new(enum error_code code, struct place where, const char *format, ...)
{
	struct error *error;
	va_list arguments;

	va_start(arguments, format);
	error = error_make(code, where, format, arguments);
	va_end(arguments);
	return error;
}

struct error *error_system(int number, struct place where, const char *format, ...)
{
	struct error *error;
	va_list arguments;
	size_t n;

	va_start(arguments, format);
	error = error_make(ERROR_SYSTEM, where, format, arguments);
	va_end(arguments);
	if (error == &out_of_memory)
		return error;
	n = strlen(error->text);
	snprintf(error->text + n, sizeof(error->text) - n, ": %s", strerror(number));
	return error;
}

const char *error_text(const struct error *error) { return error->text; }
enum error_code error_code(const struct error *error) { return error->code; }
const char *error_name(enum error_code code) { return codes[code].name; }
int error_exit_status(enum error_code code) { return codes[code].status; }

const char *error_hint(const struct error *error)
{
	return *error->hint ? error->hint : codes[error->code].hint;
}

struct error *error_with_hint(struct error *error, const char *format, ...)
{
	va_list arguments;

	if (error == &out_of_memory)
		return error;
	va_start(arguments, format);
	vsnprintf(error->hint, sizeof(error->hint), format, arguments);
	va_end(arguments);
	return error;
}

void error_free(struct error *error)
{
	if (error != &out_of_memory)
		free(error);
}

void memory_exhausted(void)
{
	fputs("mapfault: out of memory\n  next: free some, or raise the limit on it (ulimit -v)\n",
	      stderr);
	exit(error_exit_status(ERROR_SYSTEM));
}
