// SPDX-License-Identifier: Apache-2.0
#include "cmocka_first.h"

#include "reproduce/folder.h"

#include <glib.h>
#include <glib/gstdio.h>

static char *place_new(void)
{
	char *place = g_dir_make_tmp("mapfault.XXXXXX", NULL);

	assert_non_null(place);
	return place;
}

static unsigned count_entries(const char *place)
{
	g_autoptr(GDir) entries = g_dir_open(place, 0, NULL);
	unsigned count = 0;

	while (g_dir_read_name(entries))
		count++;
	return count;
}

static void check(struct error *error)
{
	if (error)
		fail_msg("%s", error_text(error));
}

static void a_folder_appears_whole(void **state)
{
	g_autofree char *place = place_new(), *target = g_build_filename(place, "out/", NULL);
	g_autofree char *file = g_build_filename(place, "out/fixes/mutex/main.go", NULL);
	g_autofree char *text = NULL;
	struct folder folder;

	check(folder_open(target, &folder));
	check(folder_write(&folder, "fixes/mutex/main.go", "package main\n"));
	assert_false(g_file_test(target, G_FILE_TEST_EXISTS));
	check(folder_commit(&folder));
	folder_done(&folder);
	assert_true(g_file_get_contents(file, &text, NULL, NULL));
	assert_string_equal(text, "package main\n");
	assert_int_equal(count_entries(place), 1);
	folder = (struct folder){.path = strdup(place)};
	folder_done(&folder);
	assert_false(g_file_test(place, G_FILE_TEST_EXISTS));
}

static void half_a_folder_vanishes(void **state)
{
	g_autofree char *place = place_new(), *target = g_build_filename(place, "out", NULL);
	struct folder folder;

	check(folder_open(target, &folder));
	check(folder_write(&folder, "main.go", "package main\n"));
	folder_done(&folder);
	assert_int_equal(count_entries(place), 0);
	assert_int_equal(g_rmdir(place), 0);
}

static void a_full_folder_is_left_alone(void **state)
{
	g_autofree char *place = place_new(), *file = g_build_filename(place, "mine", NULL);
	struct folder folder;
	struct error *error;

	assert_true(g_file_set_contents(file, "x", 1, NULL));
	error = folder_open(place, &folder);
	assert_non_null(error);
	assert_int_equal(error_code(error), ERROR_USAGE);
	error_free(error);
	error = folder_open(file, &folder);
	assert_non_null(error);
	error_free(error);
	assert_int_equal(g_unlink(file), 0);
	check(folder_open(place, &folder)); // an empty one will do
	folder_done(&folder);
	assert_int_equal(g_rmdir(place), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_appears_whole),
		cmocka_unit_test(half_a_folder_vanishes),
		cmocka_unit_test(a_full_folder_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
