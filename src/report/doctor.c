// SPDX-License-Identifier: Apache-2.0
#include "report/doctor.h"

#include "report/json_writer.h"
#include "report/screen.h"

#define LABEL_COLUMN   2
#define TEXT_COLUMN    10
#define COMMAND_COLUMN 14

static const enum screen_tone tones[] = {
	[OUTCOME_KEPT] = TONE_GREEN, [OUTCOME_UNSURE] = TONE_YELLOW, [OUTCOME_LOST] = TONE_RED};

/* What each concern is about, and what its loss costs. */
static const struct {
	const char *label, *kept, *unsure, *lost;
} concerns[] = {
	[CONCERN_CORE] =
		{"CORE", "a crash leaves a core file",
		 "whether a crash leaves a whole core file can't be seen from here",
		 "a crash leaves no whole core file: the map and the proof of who wrote it "
		 "are lost"},
	[CONCERN_TEXT] = {"TEXT", "a crash leaves every goroutine's stack in its text",
			  "whether the whole crash text is kept can't be seen from here",
			  "a crash leaves no text with every goroutine's stack"},
	[CONCERN_BINARY] = {"BINARY", "the binary is there", "the binary could not be read",
			    "the binary that was running will be gone"},
	[CONCERN_LIVE] = {"LIVE", "the running process can be looked at",
			  "whether the running process can be looked at can't be seen from here",
			  "the running process can't be looked at"},
};

static bool concerns_any(const struct diagnosis *diagnosis, enum concern concern)
{
	for (size_t i = 0; i < diagnosis->count; i++)
		if (diagnosis->checks[i].concern == concern)
			return true;
	return false;
}

static void heading(const struct diagnosis *diagnosis, struct screen *screen, enum concern concern)
{
	enum outcome outcome = diagnosis_outcome(diagnosis, concern);
	const char *words = outcome == OUTCOME_KEPT     ? concerns[concern].kept
			    : outcome == OUTCOME_UNSURE ? concerns[concern].unsure
							: concerns[concern].lost;

	screen->indent = TEXT_COLUMN;
	screen_to(screen, LABEL_COLUMN);
	screen_words(screen, TONE_BOLD, concerns[concern].label);
	screen_to(screen, TEXT_COLUMN);
	screen_words(screen, TONE_PLAIN, words);
	screen_space(screen, 2);
	screen_right(screen, tones[outcome], outcome_name(outcome));
	screen_newline(screen);
}

static void check_text(const struct check *check, struct screen *screen)
{
	screen->indent = TEXT_COLUMN + 2;
	screen_to(screen, TEXT_COLUMN);
	screen_words(screen, tones[check->outcome],
		     check->outcome == OUTCOME_KEPT     ? "+"
		     : check->outcome == OUTCOME_UNSURE ? "?"
							: "-");
	screen_space(screen, 1);
	screen_format(screen, TONE_PLAIN, "%s: %s%s%s: %s", check->subject, check->setting,
		      *check->value ? " = " : "", check->value, check->means);
	screen_newline(screen);
}

/** The same lines are wanted by several checks: once is enough. */
static bool said_before(const struct diagnosis *diagnosis, size_t index)
{
	const struct check *check = &diagnosis->checks[index];

	for (size_t i = 0; i < index; i++)
		if (g_str_equal(diagnosis->checks[i].set, check->set) &&
		    g_str_equal(diagnosis->checks[i].set_in, check->set_in))
			return true;
	return false;
}

/** Lines to be copied: never wrapped. */
static void set_lines(const struct check *check, struct screen *screen)
{
	g_auto(GStrv) lines = g_strsplit(check->set, "\n", -1);

	screen->indent = TEXT_COLUMN;
	screen_to(screen, LABEL_COLUMN);
	screen_words(screen, TONE_GREEN, "SET");
	screen_to(screen, TEXT_COLUMN);
	screen_format(screen, TONE_PLAIN, "in %s:", check->set_in);
	screen_newline(screen);
	for (char **line = lines; *line; line++)
		fprintf(screen->out, "%*s%s\n", COMMAND_COLUMN, "", *line);
}

void report_doctor_text(const struct diagnosis *diagnosis, const struct report_style *style,
			FILE *out)
{
	struct screen screen;
	bool first = true;

	screen_init(&screen, out, style->width, style->color);
	for (unsigned concern = 0; concern < CONCERNS; concern++) {
		if (!concerns_any(diagnosis, concern))
			continue;
		heading(diagnosis, &screen, concern);
		for (size_t i = 0; i < diagnosis->count; i++)
			if (diagnosis->checks[i].concern == concern)
				check_text(&diagnosis->checks[i], &screen);
		screen_newline(&screen);
	}
	for (size_t i = 0; i < diagnosis->count; i++) {
		const struct check *check = &diagnosis->checks[i];

		if (!*check->set || check->outcome == OUTCOME_KEPT || said_before(diagnosis, i))
			continue;
		if (!first)
			screen_newline(&screen);
		first = false;
		set_lines(check, &screen);
	}
}

static void check_json(const struct check *check, struct json_writer *json)
{
	g_auto(GStrv) lines = g_strsplit(check->set, "\n", -1);

	json_put_object(json, NULL);
	json_put_string(json, "concern", concern_name(check->concern));
	json_put_string(json, "outcome", outcome_name(check->outcome));
	json_put_string(json, "subject", check->subject);
	json_put_string(json, "setting", check->setting);
	json_put_known(json, "value", check->value);
	json_put_string(json, "means", check->means);
	json_put_array(json, "set");
	for (char **line = lines; *check->set && *line; line++)
		json_put_string(json, NULL, *line);
	json_end_array(json);
	json_put_known(json, "set_in", check->set_in);
	json_end_object(json);
}

void report_doctor_json(const struct diagnosis *diagnosis, FILE *out)
{
	struct json_writer json;

	json_writer_init(&json, out);
	json_put_object(&json, NULL);
	json_put_string(&json, "schema", DOCTOR_SCHEMA);
	json_put_object(&json, "outcomes");
	for (unsigned concern = 0; concern < CONCERNS; concern++)
		json_put_known(&json, concern_name(concern),
			       concerns_any(diagnosis, concern)
				       ? outcome_name(diagnosis_outcome(diagnosis, concern))
				       : NULL);
	json_end_object(&json);
	json_put_array(&json, "checks");
	for (size_t i = 0; i < diagnosis->count; i++)
		check_json(&diagnosis->checks[i], &json);
	json_end_array(&json);
	json_end_object(&json);
	json_writer_done(&json);
}
