// SPDX-License-Identifier: Apache-2.0
#include "../base/cmocka_first.h"

#include "evidence/proc_maps.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lines_as_the_kernel_writes_them),
		cmocka_unit_test(refuses_what_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
