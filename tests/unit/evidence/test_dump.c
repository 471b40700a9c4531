// SPDX-License-Identifier: Apache-2.0
#include "../base/cmocka_first.h"

#include "base/scan.h"
#include "evidence/text/dump.h"

#include <glib.h>

/* Written by hand after the formats of Go 1.16, 1.23, 1.26. */

static const char crash[] =
	"2026/11/25 starting\n"
	"fatal error: concurrent map read and map write\n"
	"\n"
	"goroutine 18 gp=0xc0000061c0 m=3 mp=0xc00004d008 [running]:\n"
	"main.(*store).get(0x55af80?, {0xc000102a50?, 0xb?}, 0x10, ...)\n"
	"\t/src/a dir/main.go:28 +0x2c fp=0xc0000ba788 sp=0xc0000ba758 pc=0x489c2c\n"
	"main.inner(...)\n"
	"\t/src/main.go:30\n"
	"main.main.gowrap1()\n"
	"\t/src/main.go:63 +0x1f\n"
	"created by main.main in goroutine 1\n"
	"\t/src/main.go:63 +0x14b\n"
	"\n"
	"goroutine 1 gp=0xc0000061d0 m=nil [sleep, 7 minutes, locked to thread]:\n"
	"time.Sleep(0x2540be400)\n"
	"\t/go/time.go:363 +0x165\n"
	"main.main()\n"
	"\t/src/main.go:65 +0x1a5\n"
	"\n"
	"goroutine 21 [chan receive (nil chan) (scan)]:\n"
	"main.wait(0xc000012345)\n"
	"\t/src/main.go:70 +0x20\n"
	"...3 frames elided...\n"
	"main.outer()\n"
	"\t/src/main.go:71 +0x21\n"
	"created by main.main in goroutine 1\n"
	"\t/src/main.go:64 +0x15b\n"
	"\n"
	"goroutine 22 [chan receive (nil chan), 2 minutes]:\n"
	"main.wait(0xc000099999)\n"
	"\t/src/main.go:70 +0x20\n"
	"...3 frames elided...\n"
	"main.outer()\n"
	"\t/src/main.go:71 +0x21\n"
	"created by main.main in goroutine 18\n"
	"\t/src/main.go:64 +0x15b\n"
	"exit status 2\n";

static struct dump *read_text(const char *text)
{
	struct dump *dump = NULL;

	assert_null(dump_read_text(text_of(text), "test", &dump));
	return dump;
}

static void assert_text(struct text text, const char *expected)
{
	g_autofree char *copy = g_strndup(text.p, text.n);

	assert_string_equal(copy, expected);
}

static void assert_frame(const struct dump_frame *frame, const char *function, const char *file,
			 uint32_t line)
{
	assert_text(frame->function, function);
	assert_text(frame->file, file);
	assert_int_equal(frame->line, line);
}

static void goroutines_have_what_their_header_says(void **state)
{
	scoped(dump) struct dump *dump = read_text(crash);
	const struct dump_goroutine *one;
	struct dump_thread thread;

	assert_int_equal(dump_goroutine_count(dump), 4);
	one = dump_goroutine(dump, 0);
	assert_int_equal(one->id, 18);
	assert_int_equal(one->line, 4);
	assert_int_equal(one->offset, strstr(crash, "goroutine 18") - crash);
	assert_int_equal(one->parent_id, 1);
	assert_text(dump_word(dump, one->state), "running");
	assert_true(dump_thread_of(dump, one, &thread));
	assert_int_equal(thread.g, 0xc0000061c0);
	assert_int_equal(thread.m, 3);
	assert_int_equal(thread.mp, 0xc00004d008);
	one = dump_goroutine(dump, 1);
	assert_int_equal(one->minutes, 7);
	assert_int_equal(one->flags, DUMP_GOROUTINE_LOCKED | DUMP_GOROUTINE_WAIT);
	assert_true(dump_thread_of(dump, one, &thread));
	assert_int_equal(thread.m, -1);
	one = dump_goroutine(dump, 2);
	assert_text(dump_word(dump, one->state), "chan receive (nil chan)");
	assert_int_equal(one->flags, DUMP_GOROUTINE_SCAN);
	assert_false(dump_thread_of(dump, one, &thread));
}

static void frames_are_what_was_printed(void **state)
{
	scoped(dump) struct dump *dump = read_text(crash);
	const struct dump_goroutine *one = dump_goroutine(dump, 0);
	const struct dump_group *group = dump_group(dump, one->group);
	struct dump_call calls[8];

	assert_int_equal(group->frame_count, 3);
	assert_frame(dump_frame_at(dump, group, 0), "main.(*store).get", "/src/a dir/main.go", 28);
	assert_int_equal(dump_frame_at(dump, group, 0)->pc_offset, 0x2c);
	assert_int_equal(dump_frame_at(dump, group, 0)->flags, DUMP_FRAME_OFFSET);
	assert_frame(dump_frame_at(dump, group, 1), "main.inner", "/src/main.go", 30);
	assert_int_equal(dump_frame_at(dump, group, 1)->flags, DUMP_FRAME_INLINED);
	assert_frame(dump_frame(dump, group->created_by), "main.main", "/src/main.go", 63);
	assert_int_equal(dump_calls(dump, one, calls, 8), 3);
	assert_text(calls[0].arguments, "0x55af80?, {0xc000102a50?, 0xb?}, 0x10, ...");
	assert_int_equal(calls[0].fp, 0xc0000ba788);
	assert_int_equal(calls[0].sp, 0xc0000ba758);
	assert_int_equal(calls[0].pc, 0x489c2c);
	assert_text(calls[1].arguments, "...");
	assert_int_equal(calls[2].pc, 0);
}

static void equal_stacks_share_a_group_whatever_their_arguments(void **state)
{
	scoped(dump) struct dump *dump = read_text(crash);
	const struct dump_group *group = dump_group(dump, dump_goroutine(dump, 2)->group);
	struct dump_call calls[8];

	assert_int_equal(dump_group_count(dump), 3);
	assert_int_equal(dump_goroutine(dump, 3)->group, dump_goroutine(dump, 2)->group);
	assert_int_equal(group->count, 2);
	assert_int_equal(group->flags, DUMP_STACK_ELIDED);
	assert_int_equal(group->elided_before, 1);
	assert_int_equal(group->elided_count, 3);
	assert_int_equal(group->wait_min, 0);
	assert_int_equal(group->wait_max, 2);
	assert_int_equal(dump_calls(dump, dump_goroutine(dump, 3), calls, 8), 2);
	assert_text(calls[0].arguments, "0xc000099999");
	assert_int_equal(dump_goroutine(dump, 3)->parent_id, 18);
}

static void messages_and_strangers_are_told_apart(void **state)
{
	scoped(dump) struct dump *dump = read_text(crash);

	assert_int_equal(dump_section_count(dump), 1);
	assert_int_equal(dump_section(dump, 0)->goroutines, 4);
	assert_int_equal(dump_message_count(dump), 2);
	assert_int_equal(dump_message(dump, 0)->kind, DUMP_FATAL);
	assert_text(dump_message(dump, 0)->text, "concurrent map read and map write");
	assert_int_equal(dump_message(dump, 0)->place.line, 2);
	assert_int_equal(dump_message(dump, 1)->kind, DUMP_EXIT);
	assert_int_equal(dump_message(dump, 1)->number, 2);
	assert_int_equal(dump_gap(dump, DUMP_GAP_FOREIGN_LINES)->count, 1);
	assert_int_equal(dump_gap(dump, DUMP_GAP_FOREIGN_LINES)->first.line, 1);
}

/** Two goroutines that died at once print into each other; what stands there twice is no part of a log's prefix. */
static void doubled_words_are_no_prefix(void **state)
{
	static const char *const prefixes[] = {
		"",
		"2026/11/25 03:04:05 ",
		"[pod/shop-1/app] 2026-11-25T03:04:05.678901234Z ",
		"Nov 25 03:04:05 node-3 shop[4242]: ",
		"{\"log\":\"",
	};
	static const char *const lines[] = {
		"fatal error: fatal error: concurrent map writes",
		"concurrent map writes",
		"",
		"goroutine 18 [running]:",
		"main.put(...)",
		"\t/src/main.go:19 +0x1d",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		scoped(dump) struct dump *dump = NULL;
		bool json = prefixes[i][0] == '{';

		for (size_t j = 0; j < G_N_ELEMENTS(lines); j++) {
			g_autofree char *escaped = g_strescape(lines[j], NULL);

			g_string_append_printf(text, "%s%s%s\n", prefixes[i],
					       json ? escaped : lines[j], json ? "\\n\"}" : "");
		}
		dump = read_text(text->str);
		assert_int_equal(dump_section_count(dump), 1);
		assert_int_equal(dump_goroutine_count(dump), 1);
		assert_int_equal(dump_message(dump, 0)->kind, DUMP_FATAL);
		assert_int_equal(dump_message(dump, 0)->section, dump_goroutine(dump, 0)->section);
	}
}

/** A hash that names share would make one function of two: among names that differ in two letters of a long run. */
static void names_that_differ_are_kept_apart(void **state)
{
	static const char letters[] =
		"bcdefghijklmnopqrstuvwxyzBCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	g_autoptr(GString) text = g_string_new("goroutine 1 [running]:\n");
	scoped(dump) struct dump *dump = NULL;
	size_t names = 0;

	for (size_t at = 22; at < 34; at++)
		for (const char *x = letters; *x; x++)
			for (const char *y = letters; *y; y += 5) {
				g_autofree char *name = g_strnfill(48, 'a');

				name[4] = '.';
				name[at] = *x;
				name[at + 1] = *y;
				g_string_append_printf(text, "%s()\n\t/src/main.go:1 +0x1\n", name);
				if (++names % 90 == 0)
					g_string_append_printf(text, "\ngoroutine %zu [running]:\n",
							       names);
			}
	dump = read_text(text->str);
	assert_int_equal(dump_group_count(dump), names / 90 + 1);
	for (size_t i = 0; i < names; i++) {
		const struct dump_group *group = dump_group(dump, i / 90);

		assert_int_equal(dump_frame_number(dump, group, i % 90), i);
	}
}

static void arguments_come_apart(void **state)
{
	struct dump_argument argument[16];
	size_t n = dump_arguments(text_of("0x55af80?, {0xc000102a50?, {}}, _, 0x10, ..."), argument,
				  16);

	assert_int_equal(n, 9);
	assert_int_equal(argument[0].value, 0x55af80);
	assert_true(argument[0].stale);
	assert_int_equal(argument[1].kind, DUMP_ARGUMENT_OPEN);
	assert_int_equal(argument[2].depth, 1);
	assert_true(argument[2].pointer_like);
	assert_int_equal(argument[3].kind, DUMP_ARGUMENT_OPEN);
	assert_int_equal(argument[4].kind, DUMP_ARGUMENT_CLOSE);
	assert_int_equal(argument[5].kind, DUMP_ARGUMENT_CLOSE);
	assert_int_equal(argument[5].depth, 0);
	assert_int_equal(argument[6].kind, DUMP_ARGUMENT_FAR);
	assert_int_equal(argument[7].value, 0x10);
	assert_false(argument[7].stale);
	assert_false(argument[7].pointer_like);
	assert_int_equal(argument[8].kind, DUMP_ARGUMENT_MORE);
	assert_int_equal(dump_arguments(text_of("0x1, 0x2, 0x3"), argument, 2), 2);
	assert_int_equal(dump_arguments(text_of(""), argument, 16), 0);
}

static void labels_of_both_forms_are_decoded(void **state)
{
	scoped(dump) struct dump *dump = read_text(
		"goroutine 5 [select, 3 minutes, locked to thread labels:{\"k\": \"a\\\"b, c]:\", "
		"\"x\\n\": \"\\u00e9\"}]:\nmain.f()\n\t/a.go:1\n\n"
		"goroutine 6 [select] {user: bob, \"a b\": \"\", \"c: d\": e}:\n"
		"main.f()\n\t/a.go:1\n");
	const struct dump_goroutine *one = dump_goroutine(dump, 0);
	struct text key, value;

	assert_int_equal(dump_goroutine_count(dump), 2);
	assert_int_equal(dump_group_count(dump), 1);
	assert_text(dump_word(dump, one->state), "select");
	assert_true(dump_label(dump, one, 0, &key, &value));
	assert_text(key, "k");
	assert_text(value, "a\"b, c]:");
	assert_true(dump_label(dump, one, 1, &key, &value));
	assert_text(key, "x\n");
	assert_text(value, "\xc3\xa9");
	assert_false(dump_label(dump, one, 2, &key, &value));
	one = dump_goroutine(dump, 1);
	assert_true(dump_label(dump, one, 0, &key, &value));
	assert_text(key, "user");
	assert_text(value, "bob");
	assert_true(dump_label(dump, one, 1, &key, &value));
	assert_text(key, "a b");
	assert_text(value, "");
	assert_true(dump_label(dump, one, 2, &key, &value));
	assert_text(key, "c: d");
	assert_text(value, "e");
}

/* As Go 1.26 prints it, between lines of others. */
static const char race[] = "==================\n"
			   "WARNING: DATA RACE\n"
			   "Write at 0x00c00009ac60 by goroutine 6:\n"
			   "  runtime.mapassign_fast64()\n"
			   "      /go/src/internal/runtime/maps/runtime_fast64.go:196 +0x0\n"
			   "GET /healthz 200\n"
			   "  main.(*store[go.shape.int]).put()\n"
			   "      /src/main.go:10 +0x44\n"
			   "\n"
			   "Previous read at 0x00c00009ac60 by main goroutine:\n"
			   "  [failed to restore the stack]\n"
			   "\n"
			   "Goroutine 6 (running) created at:\n"
			   "  main.main()\n"
			   "      /src/main.go:70 +0x44\n"
			   "  main.outer()\n"
			   "      /src/main.go:71 +0x44\n";

static void check_race(const struct dump *dump)
{
	const struct dump_goroutine *write, *read;
	const struct dump_group *group;

	assert_int_equal(dump_section(dump, 0)->form, DUMP_FORM_RACE);
	assert_int_equal(dump_message(dump, 0)->kind, DUMP_RACE);
	assert_int_equal(dump_message(dump, 0)->address, 0xc00009ac60);
	write = dump_goroutine(dump, 0);
	read = dump_goroutine(dump, 1);
	assert_int_equal(write->id, 6);
	assert_int_equal(read->id, 1);
	assert_text(dump_word(dump, write->state), "Write");
	assert_text(dump_word(dump, read->state), "Previous read");
	group = dump_group(dump, write->group);
	assert_int_equal(group->frame_count, 2);
	assert_text(dump_frame_at(dump, group, 1)->function, "main.(*store[...]).put");
	assert_int_equal(dump_frame_at(dump, group, 1)->line, 10);
	assert_int_equal(dump_frame(dump, group->created_by)->line, 70);
	group = dump_group(dump, read->group);
	assert_int_equal(group->frame_count, 0);
	assert_true(group->flags & DUMP_STACK_UNAVAILABLE);
}

/** Whole, cut off before its last line, without indentation, and followed by a dump. */
static void races_are_sections(void **state)
{
	g_autofree char *with_dump = g_strconcat(race, crash, NULL);
	g_auto(GStrv) lines = g_strsplit(race, "\n", -1);
	g_autofree char *flat = NULL;
	struct dump *dump;

	for (char **line = lines; *line; line++)
		g_strchug(*line);
	flat = g_strjoinv("\n", lines);
	dump = read_text(race);
	check_race(dump);
	assert_int_equal(dump_section_count(dump), 1);
	dump_close(dump);
	dump = read_text(flat);
	check_race(dump);
	dump_close(dump);
	dump = read_text(with_dump);
	assert_int_equal(dump_section_count(dump), 2);
	assert_int_equal(dump_goroutine_count(dump), 6);
	dump_close(dump);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goroutines_have_what_their_header_says),
		cmocka_unit_test(frames_are_what_was_printed),
		cmocka_unit_test(equal_stacks_share_a_group_whatever_their_arguments),
		cmocka_unit_test(messages_and_strangers_are_told_apart),
		cmocka_unit_test(names_that_differ_are_kept_apart),
		cmocka_unit_test(doubled_words_are_no_prefix),
		cmocka_unit_test(arguments_come_apart),
		cmocka_unit_test(labels_of_both_forms_are_decoded),
		cmocka_unit_test(races_are_sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
