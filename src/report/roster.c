// SPDX-License-Identifier: Apache-2.0
// Goroutine lists straight from a text, one goroutine at a time: there may be a million.
#include "report/blocked.h"
#include "report/goroutine_parts.h"
#include "report/lists.h"
#include "report/words.h"
#include "model/stack/unwind.h"

#define MESSAGE_BYTES 200 /* of a panic's value, on the screen */

/** What a section begins with: who printed it, and what was said before the goroutines. */
static void section_text(struct screen *screen, const struct dump *dump, uint16_t section)
{
	struct text source = dump_section(dump, section)->source;
	bool said = source.n > 0;

	screen->indent = 2;
	if (source.n)
		screen_format(screen, TONE_DIM, "%.*s  ", TEXT_ARGUMENTS(source));
	for (size_t i = 0; i < dump_message_count(dump); i++) {
		const struct dump_message *message = dump_message(dump, i);
		int n = (int)MIN(message->text.n, MESSAGE_BYTES);

		if (message->section != section || message->kind == DUMP_RUNTIME ||
		    message->kind == DUMP_EXIT || message->kind == DUMP_SIGNAL_NOTE)
			continue;
		screen_format(screen, TONE_RED, "%s%.*s", dump_message_prefix(message), n,
			      message->text.p);
		screen_newline(screen);
		said = true;
	}
	if (screen->column)
		screen_newline(screen);
	if (said)
		screen_newline(screen);
}

static void class_text(struct screen *screen, const struct roster *roster,
		       const struct roster_class *class)
{
	scoped(arena) struct arena *arena = arena_new();
	struct goroutine one = roster_goroutine(roster->dump, class->first, arena);
	bool waits = class->wait_max > 0;

	if (class->count == 1 && one.id) {
		goroutine_put_text(screen, &one, &one.stack);
		return;
	}
	goroutine_put_heading(screen, &(struct goroutine_heading){
					      .one = &one,
					      .count = class->count,
					      .longest_ns = waits * class->wait_max * NS_PER_MINUTE,
					      .shortest_ns = class->wait_min * NS_PER_MINUTE,
					      .ids = class->ids,
					      .id_count = class->id_count});
	goroutine_put_stack(screen, &one.stack);
	goroutine_put_creator(screen, &one);
	screen_newline(screen);
}

static void each_text(struct screen *screen, const struct dump *dump,
		      const struct roster_filter *filter)
{
	for (size_t i = 0; i < dump_goroutine_count(dump); i++) {
		scoped(arena) struct arena *arena = NULL;
		struct goroutine one;

		if (!roster_wants(dump, filter, i))
			continue;
		arena = arena_new();
		one = roster_goroutine(dump, i, arena);
		goroutine_put_text(screen, &one, &one.stack);
	}
}

static void gaps_text(struct screen *screen, const struct dump *dump)
{
	scoped(arena) struct arena *arena = arena_new();
	size_t n;
	struct gap *gaps = roster_gaps(dump, arena, &n);

	for (size_t i = 0; i < n; i++) {
		screen->indent = 4;
		screen_words(screen, TONE_YELLOW, "missing  ");
		screen_format(screen, TONE_PLAIN, "%s: %s", gaps[i].what, gaps[i].why);
		screen_newline(screen);
	}
}

void report_roster_text(const struct dump *dump, const struct goroutine_filter *filter,
			const struct report_style *style, FILE *out)
{
	const struct roster_filter wanted = {filter->id, filter->system};
	scoped(roster) struct roster *roster = NULL;
	struct screen screen;
	int section = -1;

	screen_init(&screen, out, style->width, style->color);
	if (filter->each || filter->id) {
		each_text(&screen, dump, &wanted);
		return;
	}
	roster = roster_new(dump, &wanted);
	for (size_t i = 0; i < roster->class_count; i++) {
		int now = dump_goroutine(dump, roster->classes[i].first)->section;

		if (now != section)
			section_text(&screen, dump, (uint16_t)now);
		section = now;
		class_text(&screen, roster, &roster->classes[i]);
	}
	gaps_text(&screen, dump);
}

static void messages_json(struct json_writer *json, const struct dump *dump)
{
	static const char *const kinds[] = {
		[DUMP_FATAL] = "fatal",     [DUMP_PANIC] = "panic",
		[DUMP_SIGNAL] = "signal",   [DUMP_SIGNAL_NOTE] = "signal_note",
		[DUMP_RUNTIME] = "runtime", [DUMP_EXIT] = "exit",
		[DUMP_RACE] = "race",
	};

	json_put_array(json, "messages");
	for (size_t i = 0; i < dump_message_count(dump); i++) {
		const struct dump_message *message = dump_message(dump, i);
		g_autofree char *text = g_strndup(message->text.p, message->text.n);

		json_put_line(json, NULL);
		json_put_string(json, "kind", kinds[message->kind]);
		json_put_string(json, "text", text);
		json_put_unsigned(json, "line", message->place.line);
		json_put_unsigned(json, "goroutines_before", message->goroutines_before);
		json_end_object(json);
	}
	json_end_array(json);
}

/** Which of the program's goroutines a record of the text became: those of the death that it tells of. */
static uint32_t *program_index(const struct dump *dump, const struct program *program)
{
	uint32_t *index = g_new(uint32_t, dump_goroutine_count(dump) + 1);

	for (size_t i = 0; i < dump_goroutine_count(dump); i++)
		index[i] = NO_INDEX;
	for (size_t i = 0; i < program->goroutine_count; i++)
		if (program->goroutines[i].printed < dump_goroutine_count(dump))
			index[program->goroutines[i].printed] = (uint32_t)i;
	return index;
}

static void goroutine_json(struct json_writer *json, const struct dump *dump, size_t number,
			   struct program *program, uint32_t known)
{
	scoped(arena) struct arena *arena = NULL;
	struct goroutine one;

	if (known != NO_INDEX &&
	    program->goroutines[known].count <= dump_goroutine(dump, number)->count) {
		goroutine_put_json(json, &program->goroutines[known],
				   program_stack(program, &program->goroutines[known]));
		return;
	}
	arena = arena_new();
	one = roster_goroutine(dump, number, arena);
	goroutine_put_json(json, &one, &one.stack);
}

void report_roster_json(const struct dump *dump, struct program *program,
			const struct goroutine_filter *filter, FILE *out)
{
	const struct roster_filter wanted = {filter->id, filter->system};
	g_autofree uint32_t *known = program_index(dump, program);
	scoped(arena) struct arena *gap_arena = arena_new();
	struct json_writer json;
	struct blocked blocked;
	struct gap *gaps;
	size_t count;

	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "schema", GOROUTINES_SCHEMA);
	messages_json(&json, dump);
	json_put_array(&json, "goroutines");
	for (size_t i = 0; i < dump_goroutine_count(dump); i++) {
		if (roster_wants(dump, &wanted, i))
			goroutine_json(&json, dump, i, program, known[i]);
	}
	json_end_array(&json);
	blocked = blocked_find(program);
	report_blocked_json(&blocked, &json);
	gaps = roster_gaps(dump, gap_arena, &count);
	json_put_gaps(&json, "gaps", gaps, count);
	json_end_object(&json);
	json_writer_done(&json);
}
