// SPDX-License-Identifier: Apache-2.0
// From a text to its verdict, without a binary. What the texts say was written by hand after real ones.
#include "../base/cmocka_first.h"

#include "evidence/text/dump.h"
#include "findings/derive.h"
#include "model/process/program_open.h"

#include <glib.h>

struct words {
	struct dump *dump;
	struct program *program;
	struct findings *findings;
};

static struct words words;

static struct findings *derive(const char *text)
{
	assert_null(dump_read_text(text_of(text), "test", &words.dump));
	assert_null(program_open(&(struct program_evidence){.dump = words.dump}, &words.program));
	return words.findings = findings_derive(words.program);
}

static int drop(void **state)
{
	findings_free(words.findings);
	if (words.program)
		program_close(words.program);
	dump_close(words.dump);
	words = (struct words){0};
	return 0;
}

static void assert_site(const struct side *side, const char *function, int line)
{
	assert_non_null(side);
	assert_string_equal(side->site.function, function);
	assert_int_equal(side->site.line, line);
}

#define RACE(WORD, ADDRESS, ID, MAP, FUNCTION, LINE)                                               \
	WORD " at 0x" ADDRESS " by goroutine " ID ":\n" MAP "  " FUNCTION "()\n"                   \
	     "      /src/main.go:" LINE " +0x44\n\n"
#define IN(FUNCTION) "  " FUNCTION "()\n      /go/src/runtime/map.go:600 +0x0\n"
#define BEGIN        "==================\nWARNING: DATA RACE\n"
#define END                                                                                        \
	"Goroutine 6 (running) created at:\n  main.main()\n      /src/main.go:70 +0x44\n"          \
	"==================\n"
#define READ_AND_WRITE(ADDRESS)                                                                    \
	BEGIN RACE("Write", ADDRESS, "6", IN("runtime.mapassign_faststr"), "main.put", "10")       \
		RACE("Previous read", ADDRESS, "7", IN("runtime.mapaccess1_faststr"), "main.get",  \
		     "20") END

static void a_reported_race_is_proven(void **state)
{
	struct findings *findings = derive("starting\n" READ_AND_WRITE("00c000088960"));

	assert_string_equal(findings->kind, "concurrent_map_read_and_write");
	assert_int_equal(findings->confidence, CONFIDENCE_PROVEN);
	assert_site(findings->detector, "main.get", 20);
	assert_site(findings->other, "main.put", 10);
	assert_int_equal(findings->other->goroutine->id, 6);
	assert_string_equal(findings->other->goroutine->created_by.function, "main.main");
	assert_int_equal(findings->map.address, 0xc000088960);
	assert_int_equal(findings->map.sure, CONFIDENCE_PROVEN);
}

static void a_race_on_other_memory_is_no_map_fatal(void **state)
{
	struct findings *findings = derive(
		BEGIN RACE("Write", "00c000088960", "6", "", "main.put", "10")
			RACE("Previous write", "00c000088960", "7", "", "main.get", "20") END);

	assert_string_equal(findings->kind, "not_a_map_fatal");
	assert_non_null(strstr(findings->sentence, "main.go:10"));
	assert_non_null(strstr(findings->sentence, "main.go:20"));
}

/** Where one map function calls another the detector leaves out the frame of the code that called them. */
static void a_lost_caller_is_not_named(void **state)
{
	struct findings *findings = derive(BEGIN RACE(
		"Read", "00c000088960", "6", IN("runtime.mapaccess1_faststr"), "main.get",
		"20") RACE("Previous write", "00c000088960", "7",
			   IN("runtime.mapassign") IN("runtime.mapassign_faststr"), "main.put",
			   "10") END);

	assert_null(findings->other);
	assert_int_equal(findings->candidate_count, 1);
	assert_int_equal(findings->confidence, CONFIDENCE_POSSIBLE);
}

#define FATAL                                                                                      \
	"fatal error: concurrent map read and map write\n\ngoroutine 9 [running]:\n"               \
	"main.get(...)\n\t/src/main.go:20\nmain.serve()\n\t/src/main.go:40 +0x25\n"                \
	"created by main.main in goroutine 1\n\t/src/main.go:71 +0x44\nexit status 2\n"

static void a_race_names_the_writer_of_a_fatal(void **state)
{
	struct findings *findings = derive(READ_AND_WRITE("00c000088960") FATAL);

	assert_string_equal(findings->message, "fatal error: concurrent map read and map write");
	assert_site(findings->detector, "main.get", 20);
	assert_int_equal(findings->detector->goroutine->id, 9);
	assert_site(findings->other, "main.put", 10);
	assert_string_equal(findings->other->rule, "race_report");
	assert_int_equal(findings->confidence, CONFIDENCE_LIKELY);
	assert_null(findings->other->goroutine); // 6 and 7 raced; whom 9 met, nothing says
}

/** One line may use two maps: it read the one that raced, and was writing the other when it died. */
static void a_race_of_another_kind_says_nothing_of_a_fatal(void **state)
{
	struct findings *findings =
		derive(READ_AND_WRITE("00c000088960") "fatal error: concurrent map writes\n\n"
						      "goroutine 9 [running]:\nmain.get(...)\n"
						      "\t/src/main.go:20 +0x25\n");

	assert_site(findings->detector, "main.get", 20);
	assert_null(findings->other);
	assert_int_equal(findings->candidate_count, 0);
}

/** What lay at the map's address when the race was seen may have been another map. */
static void a_race_at_the_address_alone_names_nobody(void **state)
{
	struct findings *findings = derive(
		READ_AND_WRITE("00c000088960") "fatal error: concurrent map writes\n\n"
					       "goroutine 9 [running]:\n"
					       "runtime.mapassign_faststr(0x4a0, 0xc000088960,"
					       " {0xc000012340, 0x1})\n\t/go/map.go:200 +0x2\n"
					       "main.drop(...)\n\t/src/main.go:30 +0x25\n"
					       "created by main.main in goroutine 1\n"
					       "\t/src/main.go:71 +0x44\n");

	assert_int_equal(findings->map.address, 0xc000088960);
	assert_null(findings->other);
	assert_int_equal(findings->candidate_count, 1);
	assert_site(&findings->candidates[0], "main.put", 10);
}

static char *of_pod(const char *pod, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *all = g_string_new(NULL);

	for (char **line = lines; *line; line++)
		g_string_append_printf(all, "[pod/%s/app] %s\n", pod, *line);
	return g_string_free(all, FALSE);
}

static void a_race_of_another_program_says_nothing_of_a_fatal(void **state)
{
	g_autofree char *race = of_pod("a-1", READ_AND_WRITE("00c000088960"));
	g_autofree char *fatal = of_pod("b-2", FATAL);
	g_autofree char *text = g_strconcat(race, fatal, NULL);
	struct findings *findings = derive(text);

	assert_site(findings->detector, "main.get", 20);
	assert_null(findings->other);
	assert_int_equal(findings->candidate_count, 0);
}

static void a_race_of_another_kind_is_not_what_a_fatal_without_stack_met(void **state)
{
	struct findings *findings =
		derive(READ_AND_WRITE("00c000088960") "fatal error: concurrent map writes\n");

	assert_string_equal(findings->kind, "concurrent_map_writes");
	assert_null(findings->detector);
	assert_null(findings->other);
}

static void a_race_is_likely_what_a_fatal_without_stack_met(void **state)
{
	struct findings *findings =
		derive(READ_AND_WRITE("00c000088960") "fatal error: concurrent map read and map "
						      "write\n");

	assert_int_equal(findings->confidence, CONFIDENCE_LIKELY);
	assert_site(findings->other, "main.put", 10);
	assert_null(findings->other->goroutine);
	assert_int_equal(findings->map.sure, CONFIDENCE_LIKELY);
}

static void two_racing_writers_stay_candidates(void **state)
{
	struct findings *findings = derive(READ_AND_WRITE("00c000088960") BEGIN RACE(
		"Write", "00c000088960", "8", IN("runtime.mapdelete_faststr"), "main.drop",
		"30") RACE("Previous read", "00c000088960", "7", IN("runtime.mapaccess1_faststr"),
			   "main.get", "20") END FATAL);

	assert_null(findings->other);
	assert_int_equal(findings->candidate_count, 2);
	assert_site(&findings->candidates[0], "main.put", 10);
	assert_site(&findings->candidates[1], "main.drop", 30);
}

static void a_race_elsewhere_says_nothing_of_a_fatal(void **state)
{
	struct findings *findings = derive(
		BEGIN RACE("Write", "00c000012340", "6", IN("runtime.mapassign_faststr"), "main.a",
			   "10") RACE("Previous write", "00c000012340", "7",
				      IN("runtime.mapassign_faststr"), "main.b", "50") END FATAL);

	assert_null(findings->other);
	assert_int_equal(findings->candidate_count, 0);
}

/* Everybody, and no program: names are all there is. Go 1.22. */

#define DETECTOR                                                                                   \
	"fatal error: concurrent map writes\n\ngoroutine 9 [running]:\n"                           \
	"main.(*store).put(0xc000012340, 0x1)\n\t/src/main.go:20 +0x25\n"                          \
	"main.work()\n\t/src/main.go:40 +0x25\n"                                                   \
	"created by main.main in goroutine 1\n\t/src/main.go:71 +0x44\n\n"
#define OTHER(ID, STATE, FRAMES, LINE)                                                             \
	"goroutine " ID " [" STATE "]:\n" FRAMES "created by main.main in goroutine 1\n"           \
	"\t/src/main.go:" LINE " +0x44\n\n"
#define CALL(FUNCTION, LINE) FUNCTION "\n\t/src/main.go:" LINE " +0x25\n"

static void assert_candidate(size_t index, const char *rule, uint64_t id)
{
	const struct findings *findings = words.findings;

	assert_true(index < findings->candidate_count);
	assert_string_equal(findings->candidates[index].rule, rule);
	assert_int_equal(findings->candidates[index].goroutine->id, id);
	assert_int_equal(findings->candidates[index].confidence, CONFIDENCE_POSSIBLE);
}

static void names_alone_order_candidates(void **state)
{
	struct findings *findings = derive(
		DETECTOR OTHER("20", "runnable", CALL("main.other(...)", "80"), "75")
			OTHER("21", "chan receive, 2 minutes", CALL("main.other(...)", "81"),
			      "75") OTHER("22", "chan receive", CALL("main.other(...)", "81"), "75")
				OTHER("23", "runnable", CALL("main.idle(...)", "82"),
				      "71") OTHER("24", "running",
						  "\tgoroutine running on other thread; stack "
						  "unavailable\n",
						  "71") OTHER("25", "runnable",
							      CALL("main.(*store).drop("
								   "0xc000012340)",
								   "90"),
							      "73")
					OTHER("26", "select", CALL("net.wait(...)", "1"), "74"));

	assert_null(findings->other);
	assert_int_equal(findings->candidate_count, 5);
	assert_candidate(0, "running_unseen", 24);
	assert_candidate(1, "same_object", 25);
	assert_candidate(2, "same_origin", 23);
	assert_candidate(3, "same_package", 20);
	assert_candidate(4, "same_package_parked", 22); // 21 has waited too long to have written
	assert_null(findings->candidates[0].site.function);
	assert_int_equal(findings->candidates[0].goroutine->created_by.line, 71);
	assert_int_equal(findings->confidence, CONFIDENCE_POSSIBLE);
}

static void goroutines_at_one_place_are_one_candidate(void **state)
{
	struct findings *findings = derive(
		DETECTOR OTHER("20", "runnable", CALL("main.other(...)", "80"), "75")
			OTHER("21", "runnable", CALL("main.other(...)", "80"), "75")
				OTHER("22", "runnable", CALL("main.other(...)", "80"), "75"));
	const struct witnesses *witnesses;

	assert_int_equal(findings->candidate_count, 1);
	assert_candidate(0, "same_package", 20);
	witnesses = &findings->candidates[0].witnesses;
	for (size_t i = 0; i < witnesses->count; i++)
		if (!strncmp(witnesses->items[i].fact, "2 more goroutines", 17))
			return;
	fail_msg("nothing says that there are more");
}

/* What else stands in a log than the goroutines of this death. Go 1.22 or later: its addresses are trusted. */

#define PUT(LINE)                                                                                  \
	"runtime.mapassign_faststr(0x4a0, 0xc000099990, {0xc000012340, 0x1})\n"                    \
	"\t/go/map_faststr.go:203 +0x2d1\n" CALL("main.put(...)", LINE)
#define DIES_IN_PUT "fatal error: concurrent map writes\n\n" OTHER("9", "running", PUT("20"), "71")

static void who_is_in_a_write_of_the_map_is_proven(void **state)
{
	struct findings *findings = derive(DIES_IN_PUT OTHER("7", "runnable", PUT("60"), "72"));

	assert_int_equal(findings->confidence, CONFIDENCE_PROVEN);
	assert_site(findings->other, "main.put", 60);
}

static void a_dump_of_before_convicts_nobody(void **state)
{
	assert_null(derive(OTHER("1", "running", CALL("main.main()", "5"), "1")
				   OTHER("7", "runnable", PUT("60"), "72") DIES_IN_PUT)
			    ->other);
	assert_site(words.findings->detector, "main.put", 20);
	assert_int_equal(words.findings->candidate_count, 0);
}

static void a_dump_of_afterwards_convicts_nobody(void **state)
{
	assert_null(derive(DIES_IN_PUT "listening on :8080\n" OTHER("1", "running",
								    CALL("main.main()", "5"), "1")
				   OTHER("7", "runnable", PUT("60"), "72"))
			    ->other);
	assert_site(words.findings->detector, "main.put", 20);
	assert_int_equal(words.findings->candidate_count, 0);
}

static void a_process_that_was_told_to_quit_is_not_the_one_that_died_later(void **state)
{
	struct findings *findings = derive("SIGQUIT: quit\nPC=0x0 m=0\n\n" OTHER(
		"1", "runnable", CALL("main.main()", "5"), "1") OTHER("7", "runnable", PUT("60"),
								      "72") DIES_IN_PUT);

	assert_string_equal(findings->kind, "concurrent_map_writes");
	assert_site(findings->detector, "main.put", 20);
	assert_null(findings->other);
}

#define BOTH_DIE "fatal error: concurrent map writes\nfatal error: concurrent map writes\n\n"
#define STORE(ADDRESS, LINE)                                                                       \
	CALL("main.(*store).put(" ADDRESS ", 0x1)", LINE) CALL("main.work()", "40")
/* Goroutine 9 with its stack and then, printed twice as one that raised the error too is, goroutine 10. */
#define BOTH_RAISED(STACK9, STACK10)                                                               \
	BOTH_DIE OTHER("9", "running", STACK9, "71") OTHER("10", "running", "", "71")              \
		OTHER("10", "running", STACK10, "71")

static void two_that_die_at_one_line_of_one_object_are_likely_the_two(void **state)
{
	struct findings *findings =
		derive(BOTH_RAISED(STORE("0xc000012340", "20"), STORE("0xc000012340", "20")));

	assert_int_equal(findings->confidence, CONFIDENCE_LIKELY);
	assert_site(findings->other, "main.(*store).put", 20);
	assert_int_equal(findings->other->goroutine->id, 10);
	assert_string_equal(findings->other->rule, "second_detector");
}

static void two_that_die_with_two_objects_are_not(void **state)
{
	struct findings *findings =
		derive(BOTH_RAISED(STORE("0xc000012340", "20"), STORE("0xc000088880", "20")));

	assert_null(findings->other);
	assert_candidate(0, "in_write_op_same_type", 10);
}

/** A loop over shards trips over two of them at once, on one line. */
static void two_that_die_with_nothing_to_tell_their_objects_are_not(void **state)
{
	struct findings *findings =
		derive(BOTH_RAISED(CALL("main.work(...)", "20"), CALL("main.work(...)", "20")));

	assert_null(findings->other);
	assert_candidate(0, "second_detector", 10);
}

/** Code that uses two maps without a lock may trip over both at once. */
static void two_that_die_at_two_lines_are_not(void **state)
{
	struct findings *findings =
		derive(BOTH_RAISED(CALL("main.work(...)", "20"), CALL("main.work(...)", "21")));

	assert_null(findings->other);
	assert_candidate(0, "in_write_op_same_type", 10);
}

/** Two processes in one log may have a goroutine of one number; one that did not run did not raise anything. */
static void one_that_is_printed_twice_did_not_raise_it_for_that(void **state)
{
	struct findings *findings =
		derive(BOTH_DIE OTHER("9", "running", CALL("main.work(...)", "20"), "71")
			       OTHER("10", "runnable", CALL("main.work(...)", "20"), "71")
				       OTHER("10", "runnable", CALL("main.work(...)", "20"), "71"));

	assert_null(findings->other);
	assert_candidate(0, "same_code", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_reported_race_is_proven, drop),
		cmocka_unit_test_teardown(a_race_on_other_memory_is_no_map_fatal, drop),
		cmocka_unit_test_teardown(a_lost_caller_is_not_named, drop),
		cmocka_unit_test_teardown(a_race_names_the_writer_of_a_fatal, drop),
		cmocka_unit_test_teardown(a_race_is_likely_what_a_fatal_without_stack_met, drop),
		cmocka_unit_test_teardown(two_racing_writers_stay_candidates, drop),
		cmocka_unit_test_teardown(a_race_of_another_kind_says_nothing_of_a_fatal, drop),
		cmocka_unit_test_teardown(a_race_at_the_address_alone_names_nobody, drop),
		cmocka_unit_test_teardown(a_race_of_another_program_says_nothing_of_a_fatal, drop),
		cmocka_unit_test_teardown(
			a_race_of_another_kind_is_not_what_a_fatal_without_stack_met, drop),
		cmocka_unit_test_teardown(names_alone_order_candidates, drop),
		cmocka_unit_test_teardown(goroutines_at_one_place_are_one_candidate, drop),
		cmocka_unit_test_teardown(who_is_in_a_write_of_the_map_is_proven, drop),
		cmocka_unit_test_teardown(a_dump_of_before_convicts_nobody, drop),
		cmocka_unit_test_teardown(a_dump_of_afterwards_convicts_nobody, drop),
		cmocka_unit_test_teardown(
			a_process_that_was_told_to_quit_is_not_the_one_that_died_later, drop),
		cmocka_unit_test_teardown(two_that_die_at_one_line_of_one_object_are_likely_the_two,
					  drop),
		cmocka_unit_test_teardown(two_that_die_with_two_objects_are_not, drop),
		cmocka_unit_test_teardown(two_that_die_with_nothing_to_tell_their_objects_are_not,
					  drop),
		cmocka_unit_test_teardown(two_that_die_at_two_lines_are_not, drop),
		cmocka_unit_test_teardown(one_that_is_printed_twice_did_not_raise_it_for_that,
					  drop),
		cmocka_unit_test_teardown(a_race_elsewhere_says_nothing_of_a_fatal, drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
