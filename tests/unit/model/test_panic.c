// SPDX-License-Identifier: Apache-2.0
// A panic's value as the runtime prints it (printpanicval, runtime/error.go): g._panic leads to an
// interface of type and data.
#include "model/process/panic.h"

#include "build_type.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct space space;
static struct goroutine goroutine;

static int make(void **state)
{
	const struct moduledata module = {.types = SPACE_START,
					  .etypes = SPACE_START + SPACE_BYTES};

	space_init(&space, 22, GO_ARCH_AMD64);
	space.program.types =
		types_new(space.program.memory, space.program.layout, space.program.arena);
	types_add_module(space.program.types, &module);
	goroutine = (struct goroutine){.address = space_take(&space, 1024)};
	return 0;
}

static int drop(void **state)
{
	types_free(space.program.types);
	space_done(&space);
	return 0;
}

static void panic_with(uint64_t type, uint64_t data)
{
	uint64_t panic = space_take(&space, 256);
	uint64_t arg = panic + (uint64_t)program_offset(&space.program, GO_PANIC_ARG);

	space_field(&space, goroutine.address, GO_G_PANIC, panic, 8);
	space_u64(&space, arg, type);
	space_u64(&space, arg + 8, data);
}

static uint64_t string_put(const char *text)
{
	uint64_t bytes = space_take(&space, strlen(text) + 8), header = space_take(&space, 16);

	space_write(&space, bytes, text, strlen(text));
	space_u64(&space, header, bytes);
	space_u64(&space, header + 8, strlen(text));
	return header;
}

static uint64_t word_put(uint64_t value)
{
	uint64_t at = space_take(&space, 8);

	space_u64(&space, at, value);
	return at;
}

static void says(const char *expected)
{
	assert_string_equal(panic_message(&space.program, &goroutine), expected);
}

static void texts(void **state)
{
	panic_with(type_put(&space, GO_KIND_STRING, 16, "string", NULL),
		   string_put("send on closed channel"));
	says("panic: send on closed channel");
	panic_with(type_put(&space, GO_KIND_STRING, 16, "string", NULL), string_put(""));
	says("panic: ");
	panic_with(type_put(&space, GO_KIND_STRING, 16, "string", NULL),
		   string_put("one\x1b[31m\nmore"));
	says("panic: one?[31m");
	panic_with(type_put(&space, GO_KIND_STRING, 16, "main.reason", "main"), string_put("late"));
	says("panic: main.reason(\"late\")");
}

static uint64_t byte_type(enum go_kind kind, const char *name)
{
	uint64_t type = type_put(&space, kind, 1, name, NULL);

	space_u8(&space, type + 21, 1); // align, fieldAlign
	space_u8(&space, type + 22, 1);
	return type;
}

static void numbers(void **state)
{
	panic_with(byte_type(GO_KIND_INT8, "int8"), word_put(0xfe));
	says("panic: -2");
	panic_with(type_put(&space, GO_KIND_INT, 8, "main.code", "main"), word_put(7));
	says("panic: main.code(7)");
	panic_with(type_put(&space, GO_KIND_UINT64, 8, "uint64", NULL), word_put(UINT64_MAX));
	says("panic: 18446744073709551615");
	panic_with(byte_type(GO_KIND_BOOL, "bool"), word_put(1));
	says("panic: true");
}

static void what_cannot_be_read_is_not_said(void **state)
{
	says("");
	panic_with(0xdead0000, 0);
	says("");
	panic_with(type_put(&space, GO_KIND_STRING, 16, "string", NULL), 0xdead0000);
	says("");
	panic_with(type_put(&space, GO_KIND_INT, 8, "int", NULL), 0xdead0000);
	says("panic: (int) 0xdead0000");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(texts),
		TEST(numbers),
		TEST(what_cannot_be_read_is_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
