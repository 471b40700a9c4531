// SPDX-License-Identifier: Apache-2.0
// What goroutines wait for, as a summary: classes, crowds at a lock, places that start what never ends.
#include "report/blocked.h"

#include "report/json_parts.h"
#include "report/words.h"

#define COUNT_COLUMN 12

static void count_and(struct screen *screen, uint64_t count, const char *what, int64_t longest_ns)
{
	g_autofree char *number = words_count(count), *age = words_wait(longest_ns);

	screen->indent = COUNT_COLUMN;
	screen_to(screen, 2);
	screen_words(screen, TONE_BOLD, number);
	screen_to(screen, COUNT_COLUMN);
	screen_words(screen, TONE_PLAIN, what);
	if (*age)
		screen_format(screen, TONE_PLAIN, ", for up to %s", age);
}

static void place(struct screen *screen, const struct go_site *site)
{
	g_autofree char *function = words_function(site->function), *where = words_place(site);

	screen_format(screen, TONE_PLAIN, "  %s", function);
	screen_space(screen, 2);
	screen_field(screen, TONE_BOLD, where);
	screen_newline(screen);
}

static void rows(struct screen *screen, const struct blocked *blocked)
{
	for (size_t i = 0; i < blocked->row_count; i++) {
		const struct blocked_row *row = &blocked->rows[i];
		const char *meaning = blocked_meaning(row->kind);

		count_and(screen, row->count, blocked_name(row->kind), row->longest_ns);
		if (*meaning)
			screen_format(screen, TONE_DIM, ": %s", meaning);
		screen_newline(screen);
	}
}

void report_blocked_text(struct program *program, struct screen *screen)
{
	struct blocked blocked = blocked_find(program);

	rows(screen, &blocked);
	for (size_t i = 0; i < blocked.crowd_count; i++) {
		if (i == 0)
			screen_newline(screen);
		count_and(screen, blocked.crowds[i].count, blocked.crowds[i].lock,
			  blocked.crowds[i].longest_ns);
		place(screen, blocked.crowds[i].frame->site);
	}
	for (size_t i = 0; i < blocked.source_count; i++) {
		g_autofree char *waiting = words_count(blocked.sources[i].waiting);
		g_autofree char *what =
			g_strdup_printf("started at one place, %s of them waiting", waiting);

		if (i == 0)
			screen_newline(screen);
		count_and(screen, blocked.sources[i].count, what, blocked.sources[i].longest_ns);
		place(screen, blocked.sources[i].created_by);
	}
	for (size_t i = 0; i < blocked.walks.count; i++) {
		const struct walk *walk = &blocked.walks.items[i];

		if (i == 0)
			screen_newline(screen);
		count_and(screen, walk->count, walk->way, walk->longest_ns);
		if (walk->type)
			screen_format(screen, TONE_PLAIN, " over a %s", walk->type->name);
		place(screen, walk->site);
	}
}

static void age(struct json_writer *json, int64_t ns)
{
	if (ns >= 0)
		json_put_integer(json, "longest_seconds", ns / 1000000000);
	else
		json_put_null(json, "longest_seconds");
}

static void classes_json(struct json_writer *json, const struct blocked *blocked)
{
	json_put_array(json, "classes");
	for (size_t i = 0; i < blocked->row_count; i++) {
		json_put_line(json, NULL);
		json_put_string(json, "class", blocked_name(blocked->rows[i].kind));
		json_put_unsigned(json, "count", blocked->rows[i].count);
		age(json, blocked->rows[i].longest_ns);
		json_end_object(json);
	}
	json_end_array(json);
}

static void locks_json(struct json_writer *json, const struct blocked *blocked)
{
	json_put_array(json, "locks");
	for (size_t i = 0; i < blocked->crowd_count; i++) {
		const struct blocked_crowd *crowd = &blocked->crowds[i];

		json_put_line(json, NULL);
		json_put_string(json, "lock", crowd->lock);
		json_put_unsigned(json, "count", crowd->count);
		age(json, crowd->longest_ns);
		json_put_site(json, "site", crowd->frame->site);
		json_put_known(json, "bearing", *crowd->bearing ? crowd->bearing : NULL);
		json_end_object(json);
	}
	json_end_array(json);
}

static void sources_json(struct json_writer *json, const struct blocked *blocked)
{
	json_put_array(json, "sources");
	for (size_t i = 0; i < blocked->source_count; i++) {
		json_put_line(json, NULL);
		json_put_unsigned(json, "count", blocked->sources[i].count);
		json_put_unsigned(json, "waiting", blocked->sources[i].waiting);
		age(json, blocked->sources[i].longest_ns);
		json_put_site(json, "created_by", blocked->sources[i].created_by);
		json_end_object(json);
	}
	json_end_array(json);
}

static void walks_json(struct json_writer *json, const struct walks *walks)
{
	json_put_array(json, "walks");
	for (size_t i = 0; i < walks->count; i++) {
		const struct walk *walk = &walks->items[i];

		json_put_line(json, NULL);
		json_put_unsigned(json, "goroutine", walk->goroutine->id);
		json_put_unsigned(json, "count", walk->count);
		age(json, walk->longest_ns);
		json_put_string(json, "way", walk->way);
		json_put_known(json, "map_type", walk->type ? walk->type->name : NULL);
		json_put_site(json, "site", walk->site);
		json_end_object(json);
	}
	json_end_array(json);
}

void report_blocked_json(const struct blocked *blocked, struct json_writer *json)
{
	json_put_object(json, "blocked");
	classes_json(json, blocked);
	locks_json(json, blocked);
	sources_json(json, blocked);
	walks_json(json, &blocked->walks);
	json_end_object(json);
}
