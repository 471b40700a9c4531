// SPDX-License-Identifier: Apache-2.0
#include "report/shared_map.h"

#include "report/json_parts.h"
#include "report/screen.h"
#include "report/words.h"

#define SHOWN_WRITERS 6
#define INDENT        4
#define DETAIL        8
#define MAP_SHIFT     4

static const struct go_site *site_of(const struct shared_writer *writer)
{
	return writer->write.stack->frames[writer->write.user].site;
}

static void writer_text(struct screen *screen, const struct shared_writer *writer)
{
	const struct go_site *site = site_of(writer);
	g_autofree char *function = words_function(site->function);
	g_autofree char *place = words_place(site);

	screen->indent = DETAIL;
	screen_to(screen, DETAIL);
	screen_format(screen, TONE_PLAIN, "goroutine %llu  %s  %s  ",
		      (unsigned long long)writer->write.goroutine->id, function, place);
	screen_words(screen, writer->locks ? TONE_DIM : TONE_YELLOW,
		     writer->locks ? "takes a lock" : "no lock seen in its code");
	screen_newline(screen);
}

static void map_text(struct screen *screen, const struct shared_map *map)
{
	screen->indent = INDENT;
	screen_to(screen, INDENT);
	screen_words(screen, TONE_BOLD, map->type ? map->type->name : "type not found");
	screen_format(screen, TONE_PLAIN,
		      "  address ...%09llx: %zu goroutines wrote it, %u changes of writer",
		      (unsigned long long)map->map << MAP_SHIFT, map->writer_count, map->turns);
	screen_newline(screen);
	for (size_t i = 0; i < map->writer_count && i < SHOWN_WRITERS; i++)
		writer_text(screen, &map->writers[map->writer_count - 1 - i]);
	if (map->writer_count > SHOWN_WRITERS) {
		screen_to(screen, DETAIL);
		screen_format(screen, TONE_DIM, "%zu more", map->writer_count - SHOWN_WRITERS);
		screen_newline(screen);
	}
}

void report_shared_text(const struct shared_maps *shared, const struct report_style *style,
			FILE *out)
{
	struct screen screen;

	screen_init(&screen, out, style->width, style->color);
	screen_words(&screen, TONE_BOLD, "maps that several goroutines wrote");
	screen_right(&screen, TONE_YELLOW, shared->count ? "suspects" : "none");
	screen_newline(&screen);
	for (size_t i = 0; i < shared->count; i++)
		map_text(&screen, &shared->maps[i]);
	screen.indent = INDENT;
	screen_to(&screen, INDENT);
	screen_format(
		&screen, TONE_DIM,
		"Not shown: %zu whose writers all take a lock, %zu that one goroutine left to "
		"another.",
		shared->locked, shared->handed_over);
	if (shared->count)
		screen_words(&screen, TONE_DIM,
			     " A suspect is no finding: channels and other means keep goroutines "
			     "apart as well.");
	screen_newline(&screen);
}

static void writer_json(struct json_writer *json, const struct shared_writer *writer)
{
	json_put_object(json, NULL);
	json_put_unsigned(json, "goroutine", writer->write.goroutine->id);
	json_put_string(json, "operation", map_operation_name(writer->write.operation));
	json_put_site(json, "site", site_of(writer));
	json_put_boolean(json, "takes_lock", writer->locks);
	json_end_object(json);
}

void report_shared_json(const struct shared_maps *shared, FILE *out)
{
	struct json_writer json;

	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "schema", SHARED_SCHEMA);
	json_put_array(&json, "suspects");
	for (size_t i = 0; i < shared->count; i++) {
		const struct shared_map *map = &shared->maps[i];

		json_put_object(&json, NULL);
		json_put_address(&json, "address_low", (uint64_t)map->map << MAP_SHIFT);
		json_put_known(&json, "type", map->type ? map->type->name : NULL);
		json_put_unsigned(&json, "turns", map->turns);
		json_put_array(&json, "writers");
		for (size_t k = 0; k < map->writer_count; k++)
			writer_json(&json, &map->writers[k]);
		json_end_array(&json);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_put_unsigned(&json, "locked", shared->locked);
	json_put_unsigned(&json, "handed_over", shared->handed_over);
	json_end_object(&json);
	json_writer_done(&json);
}
