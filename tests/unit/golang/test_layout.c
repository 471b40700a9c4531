// SPDX-License-Identifier: Apache-2.0
// Layouts of known releases. Expected values were read with Go's debug/dwarf and gdb, not by
// tools/layouts.
// clang-format off: cmocka needs these first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "golang/layout.h"

static int32_t offset(int minor, enum go_arch arch, enum go_field field)
{
	bool exact = false;
	const struct go_layout *layout = go_layout_find((struct go_version){minor}, arch, &exact);

	assert_true(exact);
	assert_int_equal(layout->version.minor, minor);
	assert_int_equal(layout->arch, arch);
	return layout->offset[field];
}

static int32_t amd64(int minor, enum go_field field) { return offset(minor, GO_ARCH_AMD64, field); }

static void every_minor_has_rows(void **state)
{
	for (int minor = GO_MINOR_OLDEST; minor <= GO_MINOR_NEWEST; minor++) {
		for (int arch = GO_ARCH_AMD64; arch <= GO_ARCH_ARM64; arch++) {
			assert_true(offset(minor, arch, GO_G_GOID) > 0);
			assert_true(offset(minor, arch, GO_M_CURG) > 0);
			assert_true(offset(minor, arch, GO_MODULEDATA_TEXT) > 0);
			assert_int_equal(offset(minor, arch, GO_G_STACK_LO), 0);
			assert_int_equal(offset(minor, arch, GO_G_STACK_HI), 8);
		}
	}
}

/** A field that was added without a run of the generator would be 0 where it must not be. */
static void no_row_lacks_a_field(void **state)
{
	static const enum go_field never_zero[] = {
		GO_G_SIZE,           GO_G_SCHED_SP,        GO_G_SCHED_PC,
		GO_G_ATOMICSTATUS,   GO_G_STARTPC,         GO_G_GOPC,
		GO_M_PROCID,         GO_M_ALLLINK,         GO_M_ID,
		GO_SUDOG_C,          GO_MSPAN_STATE,       GO_MSPAN_LIMIT,
		GO_TYPE_HEADER_SIZE, GO_TYPE_STR,          GO_MAPTYPE_KEY,
		GO_MAPTYPE_ELEM,     GO_MAPTYPE_TYPE_SIZE, GO_MODULEDATA_NEXT,
	};

	for (int minor = GO_MINOR_OLDEST; minor <= GO_MINOR_NEWEST; minor++) {
		for (size_t i = 0; i < sizeof(never_zero) / sizeof(never_zero[0]); i++)
			assert_true(amd64(minor, never_zero[i]) > 0);
	}
}

static void beyond_the_table(void **state)
{
	bool exact = true;
	const struct go_layout *layout;

	layout = go_layout_find((struct go_version){GO_MINOR_NEWEST + 1}, GO_ARCH_ARM64, &exact);
	assert_false(exact);
	assert_int_equal(layout->version.minor, GO_MINOR_NEWEST);
	assert_int_equal(layout->arch, GO_ARCH_ARM64);
	layout = go_layout_find((struct go_version){5}, GO_ARCH_AMD64, &exact);
	assert_false(exact);
	assert_int_equal(layout->version.minor, GO_MINOR_OLDEST);
	layout = go_layout_find((struct go_version){0}, GO_ARCH_AMD64, &exact);
	assert_false(exact);
	assert_int_equal(layout->version.minor, GO_MINOR_NEWEST);
}

#define MEASURED_NEWEST 26 /* the expected values were measured up to here */

/** A field's offset and the minor since which it is there. */
struct step {
	enum go_field field;
	int minor;
	int32_t offset;
};

/** Consecutive steps of one field hold until the next one begins. */
static void assert_steps(const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool last = i + 1 == n || steps[i + 1].field != steps[i].field;
		int end = last ? MEASURED_NEWEST : steps[i + 1].minor - 1;

		for (int minor = steps[i].minor; minor <= end; minor++)
			assert_int_equal(amd64(minor, steps[i].field), steps[i].offset);
	}
}

static void goroutine(void **state)
{
	static const struct step steps[] = {
		{GO_G_SIZE, 9, 368},
		{GO_G_SIZE, 10, 376},
		{GO_G_SIZE, 17, 392},
		{GO_G_SIZE, 21, 408},
		{GO_G_SIZE, 22, 424},
		{GO_G_SIZE, 23, 432},
		{GO_G_SIZE, 24, 440},
		{GO_G_SIZE, 26, 456},
		{GO_G_M, 9, 48},
		{GO_G_SCHED_SP, 9, 56},
		{GO_G_SCHED_PC, 9, 64},
		{GO_G_SYSCALLSP, 9, 112},
		{GO_G_SYSCALLSP, 25, 104},
		{GO_G_GOID, 9, 152},
		{GO_G_GOID, 23, 160},
		{GO_G_GOID, 25, 152},
		{GO_G_ATOMICSTATUS, 9, 144},
		{GO_G_ATOMICSTATUS, 23, 152},
		{GO_G_ATOMICSTATUS, 25, 144},
		{GO_G_WAITREASON, 9, 168},
		{GO_G_WAITREASON, 11, 176},
		{GO_G_WAITREASON, 23, 184},
		{GO_G_WAITREASON, 25, 176},
		{GO_G_PARENT_GOID, 9, GO_ABSENT},
		{GO_G_PARENT_GOID, 21, 272},
		{GO_G_PARENT_GOID, 23, 280},
		{GO_G_PARENT_GOID, 25, 272},
		{GO_G_PARENT_GOID, 26, 280},
		{GO_PANIC_ARG, 9, 8},
		{GO_PANIC_ARG, 26, 0},
		{GO_SUDOG_ELEM, 9, 32},
		{GO_SUDOG_ELEM, 15, 24},
		{GO_SUDOG_C, 9, 88},
		{GO_SUDOG_C, 15, 80},
		{GO_SUDOG_C, 26, 88},
	};
	assert_steps(steps, sizeof(steps) / sizeof(steps[0]));
}

static void thread(void **state)
{
	static const struct step steps[] = {
		{GO_M_G0, 9, 0},        {GO_M_PROCID, 9, 72},
		{GO_M_PROCID, 25, 64},  {GO_M_CURG, 9, 192},
		{GO_M_CURG, 25, 184},   {GO_M_ID, 9, 224},
		{GO_M_ID, 12, 232},     {GO_M_ID, 25, 224},
		{GO_M_ID, 26, 232},     {GO_M_VDSOSP, 9, GO_ABSENT},
		{GO_M_VDSOSP, 11, 808}, {GO_M_VDSOSP, 12, 816},
		{GO_M_VDSOSP, 14, 808}, {GO_M_VDSOSP, 15, 800},
		{GO_M_VDSOSP, 16, 832}, {GO_M_VDSOSP, 18, 800},
		{GO_M_VDSOSP, 21, 808}, {GO_M_VDSOSP, 22, 1120},
		{GO_M_VDSOSP, 23, 880}, {GO_M_VDSOSP, 24, 904},
		{GO_M_VDSOSP, 25, 896}, {GO_P_ID, 9, 8},
		{GO_P_ID, 13, 0},
	};
	assert_steps(steps, sizeof(steps) / sizeof(steps[0]));
}

static void maps(void **state)
{
	for (int minor = 9; minor <= 23; minor++) {
		assert_int_equal(amd64(minor, GO_HMAP_COUNT), 0);
		assert_int_equal(amd64(minor, GO_HMAP_FLAGS), 8);
		assert_int_equal(amd64(minor, GO_HMAP_B), 9);
		assert_int_equal(amd64(minor, GO_HMAP_OLDBUCKETS), 24);
		assert_int_equal(amd64(minor, GO_HMAP_SIZE), 48);
		assert_int_equal(amd64(minor, GO_SWISS_WRITING), GO_ABSENT);
	}
	for (int minor = 24; minor <= GO_MINOR_NEWEST; minor++) {
		assert_int_equal(amd64(minor, GO_HMAP_FLAGS), GO_ABSENT);
		assert_int_equal(amd64(minor, GO_SWISS_USED), 0);
		assert_int_equal(amd64(minor, GO_SWISS_DIRPTR), 16);
		assert_int_equal(amd64(minor, GO_SWISS_WRITING), 34);
		assert_int_equal(amd64(minor, GO_SWISS_SIZE), 48);
		assert_int_equal(amd64(minor, GO_TABLE_GROUPS_DATA), 16);
		assert_int_equal(amd64(minor, GO_TABLE_GROUPS_LENGTHMASK), 24);
		assert_int_equal(amd64(minor, GO_ITER_M), 24);
		assert_int_equal(amd64(minor, GO_MAPTYPE_GROUPSIZE), 80);
		assert_int_equal(amd64(minor, GO_MAPTYPE_BUCKETSIZE), GO_ABSENT);
	}
	assert_int_equal(amd64(9, GO_MAPTYPE_KEYSIZE), 80);
	assert_int_equal(amd64(11, GO_MAPTYPE_KEYSIZE), 72);
	assert_int_equal(amd64(9, GO_MAPTYPE_INDIRECTKEY), 81);
	assert_int_equal(amd64(12, GO_MAPTYPE_INDIRECTKEY), GO_ABSENT);
	assert_int_equal(amd64(12, GO_MAPTYPE_FLAGS), 76);
	assert_int_equal(amd64(23, GO_MAPTYPE_FLAGS), 84);
	assert_int_equal(amd64(26, GO_MAPTYPE_SLOTSIZE), 88);
	assert_int_equal(amd64(26, GO_MAPTYPE_ELEMOFF), 96);
	assert_int_equal(amd64(26, GO_MAPTYPE_TYPE_SIZE), 112);
	assert_int_equal(amd64(27, GO_MAPTYPE_SLOTSIZE), GO_ABSENT);
	assert_int_equal(amd64(27, GO_MAPTYPE_KEYSOFF), 88);
	assert_int_equal(amd64(27, GO_MAPTYPE_FLAGS), 128);
	assert_int_equal(amd64(27, GO_MAPTYPE_TYPE_SIZE), 136);
}

static void heap_and_modules(void **state)
{
	static const struct step steps[] = {
		{GO_MSPAN_STARTADDR, 9, 24},
		{GO_MSPAN_NELEMS, 9, 56},
		{GO_MSPAN_NELEMS, 22, 50},
		{GO_MSPAN_STATE, 9, 100},
		{GO_MSPAN_STATE, 12, 99},
		{GO_MSPAN_STATE, 21, 107},
		{GO_MSPAN_STATE, 22, 99},
		{GO_MSPAN_LARGETYPE, 9, GO_ABSENT},
		{GO_MSPAN_LARGETYPE, 22, 152},
		{GO_MHEAP_SPANS, 9, 4168},
		{GO_MHEAP_SPANS, 11, GO_ABSENT},
		{GO_HEAPARENA_SPANS, 9, GO_ABSENT},
		{GO_HEAPARENA_SPANS, 11, 2097152},
		{GO_HEAPARENA_SPANS, 20, 1064960},
		{GO_HEAPARENA_SPANS, 22, 0},
		{GO_MODULEDATA_PCHEADER, 9, GO_ABSENT},
		{GO_MODULEDATA_PCHEADER, 16, 0},
		{GO_MODULEDATA_PCLNTABLE, 9, 0},
		{GO_MODULEDATA_PCLNTABLE, 16, 104},
		{GO_MODULEDATA_TEXT, 9, 96},
		{GO_MODULEDATA_TEXT, 16, 176},
		{GO_MODULEDATA_TYPES, 9, 200},
		{GO_MODULEDATA_TYPES, 16, 280},
		{GO_MODULEDATA_TYPES, 20, 296},
		{GO_MODULEDATA_GOFUNC, 9, GO_ABSENT},
		{GO_MODULEDATA_GOFUNC, 18, 304},
		{GO_MODULEDATA_GOFUNC, 20, 320},
		{GO_MODULEDATA_TYPELINKS, 9, 240},
		{GO_MODULEDATA_TYPELINKS, 16, 320},
		{GO_MODULEDATA_TYPELINKS, 18, 336},
		{GO_MODULEDATA_TYPELINKS, 20, 352},
		{GO_MODULEDATA_TYPELINKS, 26, 360},
		{GO_TYPE_STR, 9, 40},
		{GO_TYPE_HEADER_SIZE, 9, 48},
	};

	assert_steps(steps, sizeof(steps) / sizeof(steps[0]));
	assert_int_equal(amd64(27, GO_MODULEDATA_TYPELINKS), GO_ABSENT);
	assert_true(amd64(27, GO_MODULEDATA_TYPEDESCLEN) > 0);
}

static void names(void **state)
{
	assert_string_equal(go_field_name(GO_G_GOID), "runtime.g.goid");
	assert_string_equal(go_field_name(GO_HMAP_SIZE), "runtime.hmap");
	assert_string_equal(go_field_name(GO_TYPE_KIND), "runtime._type.kind");
}

/** By hand from runtime/map_noswiss.go and internal/abi/map_noswiss.go@go1.24.11. */
static void an_experiment_has_classic_maps(void **state)
{
	bool exact;
	const struct go_layout *swiss =
		go_layout_find((struct go_version){24}, GO_ARCH_AMD64, &exact);
	struct go_layout classic = go_layout_with_classic_maps(swiss);

	assert_int_equal(classic.version.minor, 24);
	assert_int_equal(classic.offset[GO_SWISS_USED], GO_ABSENT);
	assert_int_equal(classic.offset[GO_ITER_M], GO_ABSENT);
	assert_int_equal(classic.offset[GO_MAPTYPE_GROUPSIZE], GO_ABSENT);
	assert_int_equal(classic.offset[GO_HMAP_B], 9);
	assert_int_equal(classic.offset[GO_HMAP_BUCKETS], 16);
	assert_int_equal(classic.offset[GO_HMAP_NEVACUATE], 32);
	assert_int_equal(classic.offset[GO_HITER_HMAP], 24);
	assert_int_equal(classic.offset[GO_MAPTYPE_KEYSIZE], 80);
	assert_int_equal(classic.offset[GO_MAPTYPE_BUCKETSIZE], 82);
	assert_int_equal(classic.offset[GO_MAPTYPE_TYPE_SIZE], 88);
	assert_int_equal(classic.offset[GO_G_GOID], swiss->offset[GO_G_GOID]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_experiment_has_classic_maps),
		cmocka_unit_test(every_minor_has_rows),
		cmocka_unit_test(no_row_lacks_a_field),
		cmocka_unit_test(beyond_the_table),
		cmocka_unit_test(goroutine),
		cmocka_unit_test(thread),
		cmocka_unit_test(maps),
		cmocka_unit_test(heap_and_modules),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
