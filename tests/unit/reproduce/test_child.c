// SPDX-License-Identifier: Apache-2.0
#include "cmocka_first.h"

#include "reproduce/child.h"

#include <glib.h>
#include <signal.h>
#include <unistd.h>

static struct child_result run(const char *script, unsigned seconds)
{
	const char *const arguments[] = {"sh", "-c", script, NULL};
	const struct child_request request = {.arguments = arguments, .seconds = seconds};
	struct child_result result;
	struct error *error = child_run(&request, &result);

	if (error)
		fail_msg("%s", error_text(error));
	return result;
}

static void words_and_status_come_back(void **state)
{
	struct child_result result = run("echo out; echo err >&2; exit 7", 20);

	assert_string_equal(result.output, "out\nerr\n");
	assert_int_equal(result.exit_status, 7);
	assert_int_equal(result.signal, 0);
	assert_false(result.timed_out);
	child_result_done(&result);
	result = run("kill -ABRT $$", 20);
	assert_int_equal(result.signal, SIGABRT);
	assert_int_equal(result.exit_status, -1);
	child_result_done(&result);
}

/* Also what the child started: its number is printed, and nobody answers to it afterwards. */
static void time_ends_it_and_its_children(void **state)
{
	struct child_result result = run("sleep 60 & echo $!; wait", 1);
	pid_t grandchild = (pid_t)g_ascii_strtoll(result.output, NULL, 10);
	bool gone = false;

	assert_true(result.timed_out);
	assert_true(result.seconds < 20);
	assert_true(grandchild > 1);
	for (int i = 0; i < 200 && !gone; i++) {
		g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)grandchild);
		g_autofree char *stat = NULL;

		gone = !g_file_get_contents(path, &stat, NULL, NULL) || strstr(stat, ") Z ");
		g_usleep(10000);
	}
	assert_true(gone);
	child_result_done(&result);
}

static void closed_output_is_no_end(void **state)
{
	struct child_result result = run("exec >&- 2>&-; exit 5", 20);

	assert_int_equal(result.exit_status, 5);
	child_result_done(&result);
}

static void endless_output_is_cut(void **state)
{
	struct child_result result = run("yes | head -c 9000000", 60);

	assert_true(result.output_cut);
	assert_true(strlen(result.output) <= CHILD_OUTPUT_MAX);
	assert_int_equal(result.exit_status, 0);
	child_result_done(&result);
}

static bool says_enough(const char *output, void *context)
{
	return strstr(output, context) != NULL;
}

static void enough_is_enough(void **state)
{
	const char *const arguments[] = {"sh", "-c", "echo one; echo two; sleep 60", NULL};
	char word[] = "two";
	const struct child_request request = {
		.arguments = arguments, .seconds = 60, .enough = says_enough, .context = word};
	struct child_result result;

	assert_null(child_run(&request, &result));
	assert_true(result.stopped);
	assert_true(result.seconds < 30);
	child_result_done(&result);
}

static void its_words_fit_into_one_line(void **state)
{
	static const struct {
		const char *script, *words;
	} cases[] = {
		{"echo '# command-line-arguments'; echo 'main.go:3: no'; echo; echo ' bad '",
		 "main.go:3: no; bad"},
		{":", "it said nothing"},
		{"echo '# only/a/head'", "it said nothing"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct child_result result = run(cases[i].script, 20);
		g_autofree char *words = child_result_words(&result);

		assert_string_equal(words, cases[i].words);
		child_result_done(&result);
	}
}

static void many_words_are_cut_between_characters(void **state)
{
	/* One byte, then characters of two: the limit falls in the middle of one. */
	struct child_result result =
		run("printf x; for i in $(seq 500); do printf '\\303\\251'; done", 20);
	g_autofree char *words = child_result_words(&result);

	assert_true(strlen(words) <= CHILD_WORDS_MAX + strlen(" ..."));
	assert_true(g_str_has_prefix(words, "x\303\251\303\251"));
	assert_true(g_str_has_suffix(words, "\303\251 ..."));
	assert_true(g_utf8_validate(words, -1, NULL));
	child_result_done(&result);
}

static void what_is_not_there_is_an_error(void **state)
{
	const char *const arguments[] = {"mapfault-no-such-program", NULL};
	const struct child_request request = {.arguments = arguments, .seconds = 5};
	struct child_result result;
	struct error *error = child_run(&request, &result);

	assert_non_null(error);
	assert_int_equal(error_code(error), ERROR_SYSTEM);
	error_free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_status_come_back),
		cmocka_unit_test(time_ends_it_and_its_children),
		cmocka_unit_test(closed_output_is_no_end),
		cmocka_unit_test(endless_output_is_cut),
		cmocka_unit_test(enough_is_enough),
		cmocka_unit_test(its_words_fit_into_one_line),
		cmocka_unit_test(many_words_are_cut_between_characters),
		cmocka_unit_test(what_is_not_there_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
