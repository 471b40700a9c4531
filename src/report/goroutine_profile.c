// SPDX-License-Identifier: Apache-2.0
#include "report/goroutine_profile.h"

#include "report/goroutine_parts.h"
#include "report/lists.h"
#include "report/screen.h"
#include "report/words.h"

static void crowd_text(struct screen *screen, const struct goroutine_crowd *crowd, bool leaked)
{
	g_autofree char *count = words_count(crowd->count);

	screen->indent = 4;
	screen_format(screen, TONE_BOLD, "%s goroutine%s", count, crowd->count == 1 ? "" : "s");
	if (leaked)
		screen_words(screen, TONE_RED, "  leaked: nothing can wake them");
	for (const char *const *label = crowd->labels; label && label[0]; label += 2)
		screen_format(screen, TONE_DIM, "  %s=%s", label[0], label[1]);
	screen_newline(screen);
	for (size_t i = 0; i < crowd->stack_count; i++)
		goroutine_put_frame(screen, &crowd->stack[i]);
	screen_newline(screen);
}

void report_goroutine_profile_text(const struct goroutine_profile *profile,
				   const struct report_style *style, FILE *out)
{
	struct screen screen;

	screen_init(&screen, out, style->width, style->color);
	for (size_t i = 0; i < profile->crowd_count; i++)
		crowd_text(&screen, &profile->crowds[i], profile->leaked);
	for (size_t i = 0; i < profile->gaps.count; i++) {
		screen.indent = 4;
		screen_format(&screen, TONE_YELLOW, "missing: %s: %s", profile->gaps.items[i].what,
			      profile->gaps.items[i].why);
		screen_newline(&screen);
	}
}

static void crowd_json(struct json_writer *json, const struct goroutine_crowd *crowd)
{
	json_put_object(json, NULL);
	json_put_null(json, "id");
	json_put_unsigned(json, "count", crowd->count);
	json_put_null(json, "state");
	json_put_null(json, "wait_reason");
	json_put_null(json, "wait_seconds");
	json_put_null(json, "created_by");
	json_put_labels(json, "labels", crowd->labels);
	json_put_array(json, "stack");
	for (size_t i = 0; i < crowd->stack_count; i++)
		json_put_frame(json, &crowd->stack[i], crowd->stack[i].pc);
	json_end_array(json);
	json_end_object(json);
}

void report_goroutine_profile_json(const struct goroutine_profile *profile, FILE *out)
{
	struct json_writer json;

	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "schema", GOROUTINES_SCHEMA);
	json_put_array(&json, "goroutines");
	for (size_t i = 0; i < profile->crowd_count; i++)
		crowd_json(&json, &profile->crowds[i]);
	json_end_array(&json);
	json_put_gaps(&json, "gaps", profile->gaps.items, profile->gaps.count);
	json_end_object(&json);
	json_writer_done(&json);
}
