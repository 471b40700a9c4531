// SPDX-License-Identifier: Apache-2.0
#include "report/watch.h"

#include "report/json_parts.h"
#include "report/screen.h"
#include "report/words.h"

#define LANES_MAX      24
#define EVENTS_SHOWN   12
#define OVERLAPS_SHOWN 4
#define LANE_LABEL     20
#define SITES_MAX      64
#define LANE_MIN       16
#define LABEL          12

static const char *const kind_names[] = {
	[WATCH_SET] = "set", [WATCH_CLEAR] = "clear", [WATCH_GIVE_UP] = "give_up"};
static const char *const end_names[] = {
	[WATCH_ENDED_EVENTS] = "events",
	[WATCH_ENDED_TIME] = "seconds",
	[WATCH_ENDED_INTERRUPTED] = "interrupted",
	[WATCH_ENDED_PROCESS] = "process_ended",
	[WATCH_ENDED_FATAL] = "fatal",
};
static const char *const end_words[] = {
	[WATCH_ENDED_EVENTS] = "until there were as many events as --events allows",
	[WATCH_ENDED_TIME] = "for the time that --seconds allows",
	[WATCH_ENDED_INTERRUPTED] = "until it was told to end",
	[WATCH_ENDED_PROCESS] = "until the process ended",
	[WATCH_ENDED_FATAL] = "until the process died of a map",
};

/* --- JSON --- */

static void event_json(struct json_writer *json, const struct watch_event *event)
{
	json_put_line(json, NULL);
	json_put_string(json, "event", kind_names[event->kind]);
	json_put_unsigned(json, "at_ns", event->at_ns);
	json_put_unsigned(json, "goroutine", event->goroutine);
	json_put_integer(json, "thread", event->thread);
	json_put_string(json, "operation", map_operation_name(event->operation));
	json_put_site(json, "site", &event->site);
	json_put_site(json, "place", &event->place);
	json_end_object(json);
}

static void intervals_json(struct json_writer *json, const struct watch_log *log)
{
	size_t count;
	g_autofree struct write_interval *all = write_intervals(log, &count);

	json_put_array(json, "intervals");
	for (size_t i = 0; i < count; i++) {
		json_put_line(json, NULL);
		json_put_unsigned(json, "goroutine", all[i].goroutine);
		json_put_string(json, "operation", map_operation_name(all[i].begin->operation));
		json_put_site(json, "site", &all[i].begin->site);
		json_put_unsigned(json, "from_ns", all[i].from_ns);
		if (all[i].ended)
			json_put_unsigned(json, "to_ns", all[i].to_ns);
		else
			json_put_null(json, "to_ns");
		json_put_boolean(json, "overlaps", all[i].overlaps);
		json_end_object(json);
	}
	json_end_array(json);
}

static void side_json(struct json_writer *json, const struct watch_event *event)
{
	json_put_line(json, NULL);
	json_put_unsigned(json, "goroutine", event->goroutine);
	json_put_string(json, "operation", map_operation_name(event->operation));
	json_put_site(json, "site", &event->site);
	json_put_boolean(json, "gave_up", event->kind == WATCH_GIVE_UP);
	json_end_object(json);
}

static void overlaps_json(struct json_writer *json, const struct watch_log *log)
{
	json_put_array(json, "overlaps");
	for (size_t i = 0; i < log->overlap_count; i++) {
		json_put_object(json, NULL);
		json_put_string(json, "confidence", "proven");
		json_put_array(json, "sides");
		side_json(json, &log->events[log->overlaps[i].first]);
		side_json(json, &log->events[log->overlaps[i].second]);
		json_end_array(json);
		json_end_object(json);
	}
	json_end_array(json);
}

void report_watch_json(const struct watch_report *report, FILE *out)
{
	const struct watch_log *log = report->log;
	struct json_writer json;

	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "schema", WATCH_SCHEMA);
	json_put_string(&json, "process", report->process);
	json_put_line(&json, "map");
	json_put_address(&json, "address", report->map);
	json_put_string(&json, "implementation", report->swiss ? "swiss" : "hmap");
	json_put_known(&json, "type", report->type);
	json_put_known(&json, "owner", report->owner);
	json_end_object(&json);
	json_put_string(&json, "ended_by", end_names[log->end]);
	json_put_unsigned(&json, "watched_ns", log->ns);
	json_put_unsigned(&json, "other_writes", log->other_writes);
	json_put_unsigned(&json, "unpaired", log->unpaired);
	json_put_known(&json, "incomplete", log->incomplete);
	overlaps_json(&json, log);
	intervals_json(&json, log);
	json_put_array(&json, "events");
	for (size_t i = 0; i < log->event_count; i++)
		event_json(&json, &log->events[i]);
	json_end_array(&json);
	json_end_object(&json);
	json_writer_done(&json);
}

/* --- text --- */

static void label(struct screen *screen, enum screen_tone tone, const char *text)
{
	screen->indent = LABEL;
	screen_space(screen, 2);
	screen_words(screen, tone, text);
	screen_to(screen, LABEL);
}

static void site_words(struct screen *screen, const struct go_site *site)
{
	g_autofree char *function = site->function ? words_function(site->function) : NULL;
	g_autofree char *place = site->function ? words_place(site) : NULL;

	screen_field(screen, TONE_BOLD, function ? function : "code that is not known");
	screen_space(screen, 2);
	screen_field(screen, TONE_PLAIN, place ? place : "");
}

static const char *headline_words(const struct watch_log *log)
{
	if (log->overlap_count)
		return "two goroutines were in this map at once";
	if (log->end == WATCH_ENDED_FATAL)
		return "the process died of a map; which writes overlapped was not seen";
	return log->event_count ? "no two writes of this map overlapped while it was watched"
				: "nobody wrote to this map while it was watched";
}

static void headline(struct screen *screen, const struct watch_report *report)
{
	const struct watch_log *log = report->log;

	screen_words(screen, TONE_BOLD, headline_words(log));
	if (log->overlap_count)
		screen_right(screen, TONE_RED, "proven");
	screen_newline(screen);
	screen_newline(screen);
	label(screen, TONE_DIM, "map");
	screen_format(screen, TONE_PLAIN, "%s%s%s  %s %#llx", report->owner,
		      *report->owner ? "  " : "", report->type, report->swiss ? "swiss" : "hmap",
		      (unsigned long long)report->map);
	screen_newline(screen);
	label(screen, TONE_DIM, "watched");
	screen_format(screen, TONE_PLAIN, "%s, %.3f s: %zu events, %s", report->process,
		      (double)log->ns / 1e9, log->event_count, end_words[log->end]);
	screen_newline(screen);
}

static void side_row(struct screen *screen, const char *title, const struct watch_event *event)
{
	label(screen, TONE_RED, title);
	screen_format(screen, TONE_PLAIN, "goroutine %llu  %s",
		      (unsigned long long)event->goroutine, map_operation_name(event->operation));
	screen_space(screen, 2);
	site_words(screen, &event->site);
	screen_newline(screen);
}

static void overlap_rows(struct screen *screen, const struct watch_log *log)
{
	for (size_t i = 0; i < log->overlap_count && i < OVERLAPS_SHOWN; i++) {
		const struct watch_event *second = &log->events[log->overlaps[i].second];

		screen_newline(screen);
		side_row(screen, "OVERLAP", &log->events[log->overlaps[i].first]);
		side_row(screen, "", second);
		screen_to(screen, 10);
		screen_words(
			screen, TONE_PLAIN,
			second->kind == WATCH_GIVE_UP
				? "the first was inside its write when the runtime gave up in "
				  "the second"
				: "both were inside their writes while every thread stood still");
		screen_newline(screen);
	}
	if (log->overlap_count > OVERLAPS_SHOWN) {
		label(screen, TONE_DIM, "");
		screen_format(screen, TONE_DIM, "%zu more", log->overlap_count - OVERLAPS_SHOWN);
		screen_newline(screen);
	}
}

/* One goroutine at one place. */
struct writer {
	uint64_t goroutine, longest_ns;
	const struct watch_event *begin;
	size_t count;
};

static struct writer *writer_of(GArray *writers, const struct write_interval *interval)
{
	struct writer fresh = {.goroutine = interval->goroutine, .begin = interval->begin};

	for (guint i = 0; i < writers->len; i++) {
		struct writer *writer = &g_array_index(writers, struct writer, i);

		if (writer->goroutine == interval->goroutine &&
		    writer->begin->site.pc == interval->begin->site.pc)
			return writer;
	}
	g_array_append_val(writers, fresh);
	return &g_array_index(writers, struct writer, writers->len - 1);
}

static void writer_rows(struct screen *screen, const struct write_interval *all, size_t count)
{
	g_autoptr(GArray) writers = g_array_new(FALSE, FALSE, sizeof(struct writer));

	for (size_t i = 0; i < count && writers->len < SITES_MAX; i++) {
		struct writer *writer = writer_of(writers, &all[i]);

		writer->count++;
		writer->longest_ns = MAX(writer->longest_ns, all[i].to_ns - all[i].from_ns);
	}
	if (writers->len)
		screen_newline(screen);
	for (guint i = 0; i < writers->len; i++) {
		const struct writer *writer = &g_array_index(writers, struct writer, i);

		label(screen, TONE_DIM, i ? "" : "writers");
		screen_format(screen, TONE_PLAIN, "goroutine %llu: %zu, longest %.0f us,",
			      (unsigned long long)writer->goroutine, writer->count,
			      (double)writer->longest_ns / 1e3);
		screen_space(screen, 1);
		screen_field(screen, TONE_PLAIN, map_operation_name(writer->begin->operation));
		screen_space(screen, 2);
		site_words(screen, &writer->begin->site);
		screen_newline(screen);
	}
}

/* --- the time line: a lane a goroutine --- */

static size_t column_of(uint64_t at, uint64_t from, uint64_t to, size_t columns)
{
	uint64_t span = MAX(to - from, 1);

	return MIN(columns - 1, (size_t)((double)(at - from) / (double)span * (double)columns));
}

static void lane_row(struct screen *screen, uint64_t goroutine, const struct write_interval *all,
		     size_t count, size_t columns)
{
	uint64_t from = all[0].from_ns, to = from;
	g_autofree char *marks = g_strnfill(columns, '.');
	g_autofree char *name = g_strdup_printf("goroutine %llu", (unsigned long long)goroutine);

	for (size_t i = 0; i < count; i++)
		to = MAX(to, all[i].to_ns);
	for (size_t i = 0; i < count; i++) {
		size_t last = column_of(all[i].to_ns, from, to, columns);

		if (all[i].goroutine != goroutine)
			continue;
		for (size_t c = column_of(all[i].from_ns, from, to, columns); c <= last; c++)
			if (marks[c] != '!')
				marks[c] = all[i].overlaps ? '!' : '#';
	}
	screen_space(screen, 2);
	screen_words(screen, TONE_PLAIN, name);
	screen_to(screen, LANE_LABEL);
	screen_cut(screen, TONE_PLAIN, marks);
	screen_newline(screen);
}

static bool seen_before(const struct write_interval *all, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (all[k].goroutine == all[i].goroutine)
			return true;
	return false;
}

static void lanes(struct screen *screen, const struct write_interval *all, size_t count)
{
	size_t columns = MAX(screen->width, LANE_LABEL + LANE_MIN + 1) - LANE_LABEL - 1, shown = 0;

	if (!count)
		return;
	screen->indent = 2;
	screen_newline(screen);
	screen_space(screen, 2);
	screen_format(screen, TONE_DIM,
		      "from the first write on, # inside a write, ! while another was, too");
	screen_newline(screen);
	for (size_t i = 0; i < count && shown < LANES_MAX; i++) {
		if (seen_before(all, i))
			continue;
		lane_row(screen, all[i].goroutine, all, count, columns);
		shown++;
	}
}

static void event_rows(struct screen *screen, const struct watch_log *log)
{
	size_t first = log->event_count > EVENTS_SHOWN ? log->event_count - EVENTS_SHOWN : 0;

	if (log->event_count)
		screen_newline(screen);
	if (first) {
		screen_space(screen, 2);
		screen_format(screen, TONE_DIM, "%zu earlier events: --json lists them all", first);
		screen_newline(screen);
	}
	for (size_t i = first; i < log->event_count; i++) {
		const struct watch_event *event = &log->events[i];

		screen->indent = 14;
		screen_space(screen, 2);
		screen_format(screen, TONE_PLAIN, "+%.6f s  %-7s  goroutine %llu  %s",
			      (double)event->at_ns / 1e9,
			      event->kind == WATCH_GIVE_UP ? "fatal" : kind_names[event->kind],
			      (unsigned long long)event->goroutine,
			      map_operation_name(event->operation));
		screen_space(screen, 2);
		site_words(screen, &event->site);
		screen_newline(screen);
	}
}

static void warnings(struct screen *screen, const struct watch_log *log)
{
	if (log->incomplete) {
		screen_newline(screen);
		label(screen, TONE_YELLOW, "MISSING");
		screen_format(screen, TONE_PLAIN,
			      "no overlap is claimed: not all code that writes maps is "
			      "understood: %s",
			      log->incomplete);
		screen_newline(screen);
	} else if (log->unpaired) {
		screen_newline(screen);
		label(screen, TONE_YELLOW, "MISSING");
		screen_format(screen, TONE_PLAIN,
			      "%llu ends of writes were not seen, and no overlap is "
			      "claimed after the first",
			      (unsigned long long)log->unpaired);
		screen_newline(screen);
	}
}

void report_watch_text(const struct watch_report *report, const struct report_style *style,
		       FILE *out)
{
	size_t count;
	g_autofree struct write_interval *all = write_intervals(report->log, &count);
	struct screen screen;

	screen_init(&screen, out, style->width, style->color);
	headline(&screen, report);
	overlap_rows(&screen, report->log);
	writer_rows(&screen, all, count);
	lanes(&screen, all, count);
	event_rows(&screen, report->log);
	warnings(&screen, report->log);
}

void report_watch_choice(const struct map_found *maps, const size_t *reached, size_t count,
			 const struct report_style *style, FILE *out)
{
	struct screen screen;

	screen_init(&screen, out, style->width, style->color);
	for (size_t i = 0; i < count; i++) {
		g_autofree char *entries = words_count(maps[i].count);

		screen.indent = 4;
		screen_space(&screen, 2);
		screen_format(&screen, TONE_PLAIN, "--map %#llx  %s entries",
			      (unsigned long long)maps[i].address, entries);
		if (reached) {
			screen_space(&screen, 2);
			screen_format(&screen, TONE_PLAIN, "%zu %s", reached[i],
				      reached[i] == 1 ? "goroutine reaches it"
						      : "goroutines reach it");
		}
		screen_space(&screen, 2);
		screen_field(&screen, TONE_PLAIN,
			     maps[i].type ? maps[i].type->name : "type not known");
		screen_space(&screen, 2);
		screen_field(&screen, TONE_BOLD, maps[i].owner);
		screen_newline(&screen);
	}
}
