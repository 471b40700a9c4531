// SPDX-License-Identifier: Apache-2.0
// The reader against the DWARF of this very program: what it says is compared with what the compiler knows.
#include "evidence/debug/debuginfo.h"

#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct test_inner {
	char pad[12];
	int32_t deep;
};

struct test_outer {
	uint64_t first;
	struct test_inner inner;
};

struct test_outer test_global = {1, {{0}, 2}};
static struct image *image;
static struct debuginfo *debuginfo;
static uint64_t bias;

static int take_bias(struct dl_phdr_info *info, size_t size, void *context)
{
	bias = info->dlpi_addr; // the program itself comes first
	return 1;
}

static int open_self(void **state)
{
	dl_iterate_phdr(take_bias, NULL);
	assert_null(image_open("/proc/self/exe", &image));
	assert_null(debuginfo_open(image, &debuginfo));
	return 0;
}

static int close_self(void **state)
{
	debuginfo_close(debuginfo);
	image_close(image);
	return 0;
}

static void global_by_name(void **state)
{
	struct debuginfo_variable found;

	assert_true(debuginfo_global_named(debuginfo, "test_global", &found));
	assert_int_equal(found.address + bias, (uintptr_t)&test_global);
	assert_int_equal(found.size, sizeof(test_global));
	assert_string_equal(found.type_name, "test_outer");
	assert_false(debuginfo_global_named(debuginfo, "no.such", &found));
}

static void global_by_address(void **state)
{
	struct debuginfo_variable found;

	assert_true(
		debuginfo_global_at(debuginfo, (uintptr_t)&test_global.inner.deep - bias, &found));
	assert_string_equal(found.name, "test_global");
	assert_false(debuginfo_global_at(debuginfo, 0, &found));
	assert_false(debuginfo_global_at(debuginfo, UINT64_MAX, &found));
}

static void layout_by_path(void **state)
{
	assert_int_equal(debuginfo_layout(debuginfo, "test_outer", true),
			 sizeof(struct test_outer));
	assert_int_equal(debuginfo_layout(debuginfo, "test_outer.inner", false),
			 offsetof(struct test_outer, inner));
	assert_int_equal(debuginfo_layout(debuginfo, "test_outer.inner.deep", false),
			 offsetof(struct test_outer, inner.deep));
	assert_int_equal(debuginfo_layout(debuginfo, "test_outer.inner.deep", true), 4);
	assert_int_equal(debuginfo_layout(debuginfo, "test_outer.none", false), GO_ABSENT);
	assert_int_equal(debuginfo_layout(debuginfo, "none.first", false), GO_ABSENT);
}

struct seen {
	uint64_t address, size;
};

static void look_for_local(const struct debuginfo_variable *variable, void *context)
{
	struct seen *seen = context;

	if (strcmp(variable->name, "in_memory") == 0)
		*seen = (struct seen){variable->address, variable->size};
}

__attribute__((noinline)) static void *here(volatile void *keep)
{
	return __builtin_return_address(0);
}

#if defined(__x86_64__)
/** Uninstrumented: AddressSanitizer moves locals to a frame of its own. */
__attribute__((noinline, optimize("no-omit-frame-pointer"), no_sanitize("address"))) static void
local_in_memory(void **state)
{
	volatile struct test_outer in_memory = {3, {{0}, 4}};
	uint64_t pc = (uintptr_t)here(&in_memory) - 1;
	struct debuginfo_frame frame = {pc - bias, (uintptr_t)__builtin_frame_address(0) + 16};
	struct seen seen = {0};

	assert_null(debuginfo_locals(debuginfo, &frame, look_for_local, &seen));
	assert_int_equal(seen.address, (uintptr_t)&in_memory);
	assert_int_equal(seen.size, sizeof(in_memory));
}

static void local_needs_a_cfa(void **state)
{
	struct debuginfo_frame frame = {(uintptr_t)local_in_memory - bias + 32, 0};
	struct seen seen = {0};

	assert_null(debuginfo_locals(debuginfo, &frame, look_for_local, &seen));
	assert_int_equal(seen.address, 0);
}
#endif

static void nothing_at_nonsense(void **state)
{
	struct debuginfo_frame frame = {UINT64_MAX, 4096};
	struct debuginfo_type type;
	struct seen seen = {0};

	assert_null(debuginfo_locals(debuginfo, &frame, look_for_local, &seen));
	assert_null(debuginfo_closure(debuginfo, 1, look_for_local, &seen));
	assert_false(debuginfo_type_at(debuginfo, 0, &type));
	assert_false(debuginfo_type_at(debuginfo, UINT64_MAX, &type));
}

#define SKIPPED 77 /* to Meson */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(global_by_name),
		cmocka_unit_test(global_by_address),
		cmocka_unit_test(layout_by_path),
#if defined(__x86_64__)
		cmocka_unit_test(local_in_memory),
		cmocka_unit_test(local_needs_a_cfa),
#endif
		cmocka_unit_test(nothing_at_nonsense),
	};

	open_self(NULL);
	if (!debuginfo)
		return SKIPPED; // built without debug information
	debuginfo_close(debuginfo);
	image_close(image);
	return cmocka_run_group_tests(tests, open_self, close_self);
}
