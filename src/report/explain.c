// SPDX-License-Identifier: Apache-2.0
// The report is somebody else's file: every key may be missing or of another type, and all text
// goes through the screen, which makes it safe.
#include "report/explain.h"

#include "report/screen.h"

#include <glib.h>

#define INDENT      2
#define FACT_INDENT 6

static void section(struct screen *screen, const char *title)
{
	screen_newline(screen);
	screen->indent = 0;
	screen_words(screen, TONE_BOLD, title);
	screen_newline(screen);
}

static void line(struct screen *screen, unsigned indent, enum screen_tone tone, const char *text)
{
	screen->indent = indent + INDENT;
	screen_to(screen, indent);
	screen_words(screen, tone, text);
	screen_newline(screen);
}

static void line_take(struct screen *screen, unsigned indent, enum screen_tone tone, char *text)
{
	line(screen, indent, tone, text);
	g_free(text);
}

static char *site_words(const json_t *site)
{
	if (!json_is_object(site))
		return g_strdup("a place not known");
	return g_strdup_printf("%s at %s:%lld", report_text_at(site, "function"),
			       report_text_at(site, "file"),
			       (long long)report_number_at(site, "line"));
}

static void witnesses(struct screen *screen, const json_t *list)
{
	size_t i;
	json_t *witness;

	json_array_foreach(list, i, witness)
	{
		const char *place = report_text_at(witness, "place");
		const char *evidence = report_text_at(witness, "evidence");

		line_take(screen, FACT_INDENT, TONE_PLAIN,
			  g_strdup_printf("- %s%s%s%s%s%s", report_text_at(witness, "fact"),
					  *evidence ? "  [" : "", evidence,
					  *evidence && *place ? ", " : "", *evidence ? place : "",
					  *evidence ? "]" : ""));
	}
}

/* What each rule argues; names as findings/ gives them. */
static const struct {
	const char *rule, *meaning;
} rules[] = {
	{"in_write_op", "it was inside a write of this very map at the time of the evidence"},
	{"only_writer", "nobody else, and no other line, can have written this map since the "
			"detector's goroutine was started"},
	{"in_write_op_same_type",
	 "it was inside a write of such a map; its frames no longer say which one"},
	{"second_detector", "it ran into the same check from the other side"},
	{"ghost_write",
	 "it was running, and its dead stack shows a write of this map that had ended"},
	{"reach_runnable", "it was running, and can get to a write of this map"},
	{"ghost_write_parked", "it waits; its dead stack shows a write of this map"},
	{"ghost_write_ended", "it has ended; its old stack still shows a write of this map"},
	{"same_object",
	 "it was running in a method of the very object whose map it is, by the text"},
	{"same_code", "it was in code of the same type or function as the detector, by the text"},
	{"write_site",
	 "the code writes the field or variable of this map there; no goroutine was seen near it"},
	{"write_site_of_type",
	 "the code writes a map of this type there; no goroutine was seen near it"},
	{"reach_ended", "it has ended; what it was started with comes to a write of such a map: "
			"listed, not accused"},
	{"reach_parked", "it waits, and can get to a write of this map: listed, not accused"},
};

static void rule_line(struct screen *screen, const char *rule)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
		if (g_str_equal(rules[i].rule, rule)) {
			line_take(screen, INDENT + 2, TONE_PLAIN,
				  g_strdup_printf("rule %s: %s", rule, rules[i].meaning));
			return;
		}
	if (*rule)
		line_take(screen, INDENT + 2, TONE_PLAIN, g_strdup_printf("rule %s", rule));
}

static void side(struct screen *screen, const json_t *side)
{
	const json_t *goroutine = json_object_get(side, "goroutine");
	g_autofree char *site = site_words(json_object_get(side, "site"));

	line_take(screen, INDENT, TONE_BOLD,
		  g_strdup_printf("goroutine %lld (%s): %s in %s, %s",
				  (long long)report_number_at(goroutine, "id"),
				  report_text_at(goroutine, "state"),
				  report_text_at(side, "operation"), site,
				  report_text_at(side, "confidence")));
	if (*report_text_at(side, "check"))
		line_take(screen, INDENT + 2, TONE_PLAIN,
			  g_strdup_printf("the runtime's check at %s of the operation fired",
					  report_text_at(side, "check")));
	rule_line(screen, report_text_at(side, "rule"));
	witnesses(screen, json_object_get(side, "witnesses"));
}

static void verdict(struct screen *screen, const json_t *report)
{
	const json_t *verdict = json_object_get(report, "verdict");

	screen->indent = 0;
	screen_words(screen, TONE_BOLD, report_text_at(verdict, "kind"));
	screen_space(screen, 2);
	screen_right(screen, TONE_BOLD, report_text_at(verdict, "confidence"));
	screen_newline(screen);
	line(screen, INDENT, TONE_PLAIN, report_text_at(verdict, "sentence"));
	if (*report_text_at(verdict, "message"))
		line_take(screen, INDENT, TONE_DIM,
			  g_strdup_printf("the runtime's last words: %s",
					  report_text_at(verdict, "message")));
}

static void map_owners(struct screen *screen, const json_t *map)
{
	size_t i;
	json_t *owner;

	json_array_foreach(json_object_get(map, "owners"), i, owner) line_take(
		screen, FACT_INDENT, TONE_PLAIN,
		g_strdup_printf("- held by %s (%s)  [%s]", report_text_at(owner, "path"),
				report_text_at(owner, "via"), report_text_at(owner, "word")));
}

static void map_state(struct screen *screen, const json_t *map)
{
	const json_t *integrity = json_object_get(map, "integrity");

	if (json_is_boolean(json_object_get(map, "writing")))
		line(screen, FACT_INDENT, TONE_PLAIN,
		     json_is_true(json_object_get(map, "writing"))
			     ? "- marked as being written at the time of the evidence"
			     : "- not marked as being written any more: that clears nobody, the "
			       "mark is "
			       "gone microseconds after the collision");
	if (json_is_object(integrity))
		line_take(screen, FACT_INDENT, TONE_PLAIN,
			  g_strdup_printf("- %lld entries found, %lld problems %s",
					  (long long)report_number_at(integrity, "entries_found"),
					  (long long)report_number_at(integrity, "problems"),
					  report_text_at(integrity, "first_problem")));
}

static void map_section(struct screen *screen, const json_t *report)
{
	const json_t *map = json_object_get(report, "map");

	if (!json_is_object(map))
		return;
	section(screen, "Why this map");
	line_take(screen, INDENT, TONE_BOLD,
		  g_strdup_printf("%s %s", report_text_at(map, "address"),
				  report_text_at(map, "type")));
	if (*report_text_at(map, "found_by"))
		line_take(screen, FACT_INDENT, TONE_PLAIN,
			  g_strdup_printf("- found by: %s; that it is this map is %s",
					  report_text_at(map, "found_by"),
					  report_text_at(map, "confidence")));
	map_owners(screen, map);
	map_state(screen, map);
}

static void sides(struct screen *screen, const json_t *report, const char *role, const char *title)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(report, "sides"), i, one)
	{
		if (!g_str_equal(report_text_at(one, "role"), role))
			continue;
		section(screen, title);
		side(screen, one);
	}
}

static void candidates(struct screen *screen, const json_t *report)
{
	const json_t *list = json_object_get(report, "candidates");
	size_t i;
	json_t *one;

	if (json_array_size(list) == 0)
		return;
	section(screen, "Who else it may have been");
	json_array_foreach(list, i, one) side(screen, one);
}

static void innocents(struct screen *screen, const json_t *report)
{
	const json_t *list = json_object_get(report, "innocents");
	size_t i;
	json_t *one;

	if (json_array_size(list) == 0)
		return;
	section(screen, "Who was ruled out");
	json_array_foreach(list, i, one)
	{
		g_autofree char *site = site_words(json_object_get(one, "site"));

		line_take(screen, INDENT, TONE_BOLD,
			  g_strdup_printf("goroutine %lld in %s",
					  (long long)report_number_at(one, "goroutine"), site));
		line_take(screen, FACT_INDENT, TONE_PLAIN,
			  g_strdup_printf("- suspected: %s", report_text_at(one, "looked_guilty")));
		line_take(screen, FACT_INDENT, TONE_PLAIN,
			  g_strdup_printf("- cleared: %s", report_text_at(one, "ruled_out")));
	}
}

static void flags(struct screen *screen, const json_t *report)
{
	const json_t *list = json_object_get(report, "flags_table");
	size_t i;
	json_t *one;

	if (json_array_size(list) == 0)
		return;
	section(screen, "Who was in an operation on this map");
	json_array_foreach(list, i, one) line_take(
		screen, INDENT, TONE_PLAIN,
		g_strdup_printf("goroutine %lld, %s: %s; %s",
				(long long)report_number_at(one, "goroutine"),
				report_text_at(one, "operation"), report_text_at(one, "saw_or_set"),
				report_text_at(one, "state_now")));
}

static void advice(struct screen *screen, const json_t *report)
{
	const json_t *list = json_object_get(report, "advice");
	size_t i;
	json_t *one;

	if (json_array_size(list) == 0)
		return;
	section(screen, "What to do, and why that");
	json_array_foreach(list, i, one)
	{
		line_take(screen, INDENT, TONE_PLAIN,
			  g_strdup_printf("%s (%s)", report_text_at(one, "text"),
					  report_text_at(one, "pattern")));
		witnesses(screen, json_object_get(one, "because"));
	}
}

static void gaps(struct screen *screen, const json_t *list)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		const char *decides = report_text_at(one, "would_decide");

		line_take(screen, INDENT, TONE_PLAIN,
			  g_strdup_printf("%s: %s%s%s", report_text_at(one, "what"),
					  report_text_at(one, "why"),
					  *decides ? "; would decide: " : "", decides));
	}
}

static bool has_file_gaps(const json_t *evidence)
{
	size_t i;
	json_t *one;

	json_array_foreach(evidence, i,
			   one) if (json_array_size(json_object_get(one, "gaps"))) return true;
	return false;
}

static void missing(struct screen *screen, const json_t *report)
{
	const json_t *evidence = json_object_get(report, "evidence");
	size_t i;
	json_t *one;

	if (json_array_size(json_object_get(report, "gaps")) == 0 && !has_file_gaps(evidence))
		return;
	section(screen, "What is missing");
	gaps(screen, json_object_get(report, "gaps"));
	json_array_foreach(evidence, i, one) gaps(screen, json_object_get(one, "gaps"));
}

static void evidence(struct screen *screen, const json_t *report)
{
	size_t i;
	json_t *one;

	section(screen, "From what");
	json_array_foreach(json_object_get(report, "evidence"), i, one) line_take(
		screen, INDENT, TONE_PLAIN,
		g_strdup_printf("[%s] %s %s %s %s", report_text_at(one, "id"),
				report_text_at(one, "path"), report_text_at(one, "go_version"),
				report_text_at(one, "arch"), report_text_at(one, "build_id")));
}

static void tell(struct screen *screen, const json_t *report)
{
	verdict(screen, report);
	map_section(screen, report);
	sides(screen, report, "detector", "Why this goroutine detected it");
	sides(screen, report, "other", "Why this is the other side");
	candidates(screen, report);
	innocents(screen, report);
	flags(screen, report);
	advice(screen, report);
	missing(screen, report);
	evidence(screen, report);
}

static void tell_to(FILE *out, const json_t *report, const struct report_style *style)
{
	struct screen screen;

	screen_init(&screen, out, style->width, style->color);
	tell(&screen, report);
}

struct error *report_explain_bytes(const char *name, const void *bytes, size_t size,
				   const struct report_style *style, FILE *out)
{
	scoped(report_document) json_t *report = NULL;

	TRY(report_document_parse(name, bytes, size, &report));
	tell_to(out, report, style);
	return NULL;
}

struct error *report_explain(const char *path, const struct report_style *style, FILE *out)
{
	scoped(report_document) json_t *report = NULL;

	TRY(report_document_read(path, &report));
	tell_to(out, report, style);
	return NULL;
}
