// SPDX-License-Identifier: Apache-2.0
#include "../base/cmocka_first.h"

#include "evidence/process/proc_maps.h"

#include <unistd.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static const struct proc_mapping *item(const GArray *list, guint i)
{
	return &g_array_index(list, struct proc_mapping, i);
}

static void reads_lines_as_the_kernel_writes_them(void **state)
{
	char text[] = "00400000-0049c000 r-xp 00000000 fe:01 1234   /srv/my app\n"
		      "c000000000-c000400000 rw-p 00000000 00:00 0 \n"
		      "7f0000000000-7f0000001000 rw-s 00002000 00:05 77 /dev/zero (deleted)\n"
		      "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                  [stack]\n";
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct proc_mapping));

	assert_null(proc_maps_parse(text, "process 1", list));
	assert_int_equal(list->len, 4);
	assert_int_equal(item(list, 0)->start, 0x400000);
	assert_int_equal(item(list, 0)->end, 0x49c000);
	assert_true(item(list, 0)->readable && item(list, 0)->executable);
	assert_false(item(list, 0)->writable || item(list, 0)->shared);
	assert_string_equal(item(list, 0)->path, "/srv/my app");
	assert_true(item(list, 0)->is_file);
	assert_string_equal(item(list, 1)->path, "");
	assert_false(item(list, 1)->is_file);
	assert_true(item(list, 2)->shared);
	assert_int_equal(item(list, 2)->offset, 0x2000);
	assert_string_equal(item(list, 3)->path, "[stack]");
}

static void refuses_what_is_no_list(void **state)
{
	static const char *const bad[] = {
		"hello\n",
		"00400000\n",
		"00400000-00300000 r-xp 00000000 fe:01 1 /a\n",
		"00400000-00500000 r-x\n",
		"00400000-00500000 r-xp zz fe:01 1 /a\n",
		"\n",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *text = g_strdup(bad[i]);
		g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct proc_mapping));
		scoped(error) struct error *error = proc_maps_parse(text, "process 1", list);

		assert_non_null(error);
		assert_int_equal(error_code(error), ERROR_MALFORMED);
	}
}

static void own_mappings_are_read(void **state)
{
	scoped(proc_maps) struct proc_maps maps = {0};
	bool found_code = false, found_stack = false;
	int on_stack;

	assert_null(proc_maps_read(getpid(), &maps));
	for (guint i = 0; i < maps.list->len; i++) {
		const struct proc_mapping *m = item(maps.list, i);
		uint64_t code = (uint64_t)own_mappings_are_read, stack = (uint64_t)&on_stack;

		found_code |= m->executable && code >= m->start && code < m->end &&
			      strstr(m->path, "test_evidence_proc_maps");
		found_stack |= stack >= m->start && stack < m->end && !m->shared;
	}
	assert_true(found_code && found_stack);
}

static void no_process_is_an_error(void **state)
{
	scoped(proc_maps) struct proc_maps maps = {0};
	scoped(error) struct error *error = proc_maps_read(-1, &maps);

	assert_non_null(error);
}

static uint64_t room(const char *lines, uint64_t start, uint64_t end)
{
	g_autofree char *text = g_strdup(lines);
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct proc_mapping));

	assert_null(proc_maps_parse(text, "process 1", list));
	return proc_maps_room_near(list, start, end, MIB);
}

/** Text at 4 MiB, heap far above: the room is as high as 32 bits reach. */
static void room_is_high_but_within_reach(void **state)
{
	uint64_t at = room("00400000-00800000 r-xp 00000000 fe:01 1 /a\n"
			   "1000000000-1040000000 rw-p 00000000 00:00 0 \n",
			   4 * MIB, 8 * MIB);

	assert_true(at > GIB && at + MIB <= 4 * MIB + 2 * GIB);
	assert_int_equal(at % 4096, 0);
}

static void room_below_is_taken_when_above_is_full(void **state)
{
	uint64_t at = room("100000000-100100000 r-xp 00000000 fe:01 1 /a\n"
			   "100100000-1c0000000 rw-p 00000000 00:00 0 \n",
			   4 * GIB, 4 * GIB + MIB);

	assert_true(at >= 4 * GIB + MIB - 2 * GIB && at + MIB <= 4 * GIB);
}

static void no_room_is_said(void **state)
{
	assert_int_equal(room("1000-200000000 r-xp 00000000 fe:01 1 /a\n", MIB, 2 * MIB), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_mappings_are_read),
		cmocka_unit_test(no_process_is_an_error),
		cmocka_unit_test(room_is_high_but_within_reach),
		cmocka_unit_test(room_below_is_taken_when_above_is_full),
		cmocka_unit_test(no_room_is_said),
		cmocka_unit_test(reads_lines_as_the_kernel_writes_them),
		cmocka_unit_test(refuses_what_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
