// SPDX-License-Identifier: Apache-2.0
#include "evidence/file/mapping.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGES 4

static int file_of_ones(size_t page)
{
	int file = memfd_create("ones", MFD_CLOEXEC);
	char *ones = malloc(PAGES * page);

	assert_true(file >= 0);
	memset(ones, 1, PAGES * page);
	assert_int_equal(write(file, ones, PAGES * page), PAGES * page);
	free(ones);
	return file;
}

/** The guard hides no bug of ours: any other bus error ends the process as ever. */
static void assert_another_bus_error_is_fatal(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		raise(SIGBUS);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

/** All in one test: cmocka has a handler of its own from the start of each, which the first mapping replaces. */
static void a_file_that_shrinks_is_told_and_no_crash(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int file = file_of_ones(page);
	uint8_t *bytes = NULL;

	assert_null(mapping_open(file, "shrinking", PAGES * page, &bytes));
	assert_int_equal(bytes[0] + bytes[PAGES * page - 1], 2);
	assert_null(mappings_check());
	assert_int_equal(ftruncate(file, (off_t)page), 0);
	assert_int_equal(bytes[0], 1);
	assert_null(mappings_check());
	assert_int_equal(bytes[2 * page + 5], 0);
	assert_int_equal(bytes[PAGES * page - 1], 0);
	mapping_close(bytes, PAGES * page);

	scoped(error) struct error *error = mappings_check(); // after closing, too
	assert_non_null(error);
	assert_int_equal(error_code(error), ERROR_TRUNCATED);
	assert_non_null(strstr(error_text(error), "shrinking: became shorter"));
	assert_null(mappings_check());
	assert_another_bus_error_is_fatal();
	close(file);
}

static void more_files_than_are_watched_can_be_open(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int file = file_of_ones(page);
	uint8_t *bytes[100];

	for (size_t i = 0; i < 100; i++)
		assert_null(mapping_open(file, "many", page, &bytes[i]));
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(bytes[i][0], 1);
		mapping_close(bytes[i], page);
	}
	close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_shrinks_is_told_and_no_crash),
		cmocka_unit_test(more_files_than_are_watched_can_be_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
