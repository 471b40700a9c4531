// SPDX-License-Identifier: Apache-2.0
// The verdict on one screen: what happened, the map, both sides, then what to do and what is
// missing. Every line answers who, where, how do you know, or what now.
#include "report/report.h"

#include "model/data/lock.h"
#include "report/screen.h"
#include "report/source.h"
#include "report/words.h"
#include "model/stack/unwind.h"

#define LABEL_COLUMN     2
#define TEXT_COLUMN      10
#define QUOTE_DIGITS     5
#define FIELD_SPACE      3
#define SCREEN_WIDTH_MAX 120

/* How much of each list one screen has room for; the JSON has it all. */
#define SHOWN_OWNERS     2
#define SHOWN_USES       3
#define SHOWN_LOCKS      2
#define SHOWN_CALLERS    2
#define SHOWN_CANDIDATES 4 /* writes, with all who may have done them */
#define SHOWN_LIKEWISE   4 /* goroutines, of those after the first */
#define SHOWN_INNOCENTS  3
#define SHOWN_WAITS      2
#define SHOWN_WALKS      2
#define SHOWN_SOURCES    2
#define SHOWN_ADVICE     3
#define SHOWN_GAPS       5
#define SHOWN_FRAMES     6

struct verdict {
	const struct findings *findings;
	const struct report_style *style;
	struct screen screen;
};

static enum screen_tone confidence_tone(enum confidence confidence)
{
	static const enum screen_tone tones[] = {
		[CONFIDENCE_UNKNOWN] = TONE_DIM,
		[CONFIDENCE_POSSIBLE] = TONE_YELLOW,
		[CONFIDENCE_LIKELY] = TONE_YELLOW,
		[CONFIDENCE_PROVEN] = TONE_GREEN,
	};

	return (size_t)confidence < G_N_ELEMENTS(tones) ? tones[confidence] : TONE_PLAIN;
}

/* Begins a line of the left column, and everything after it hangs under the text column. */
static void label(struct verdict *v, enum screen_tone tone, const char *text)
{
	v->screen.indent = TEXT_COLUMN;
	screen_to(&v->screen, LABEL_COLUMN);
	screen_words(&v->screen, tone, text);
	screen_to(&v->screen, TEXT_COLUMN);
}

static void next_line(struct verdict *v)
{
	screen_newline(&v->screen);
	screen_space(&v->screen, v->screen.indent);
}

static void field(struct verdict *v, enum screen_tone tone, const char *text)
{
	if (!text || !*text)
		return;
	if (v->screen.column > v->screen.indent)
		screen_space(&v->screen, FIELD_SPACE);
	screen_field(&v->screen, tone, text);
}

static void field_take(struct verdict *v, enum screen_tone tone, char *text)
{
	field(v, tone, text);
	g_free(text);
}

static const char *title_of(const struct findings *findings)
{
	static const char *const deaths[] = {
		[DEATH_MAP_FATAL] = "concurrent map access",
		[DEATH_NIL_MAP_WRITE] = "assignment to entry in nil map",
		[DEATH_PANIC] = "panic",
		[DEATH_FATAL] = "fatal error",
		[DEATH_SIGNAL] = "killed by a signal",
		[DEATH_RACE] = "data race",
		[DEATH_UNKNOWN] = "cause of death not found",
	};

	if (findings->death == DEATH_MAP_FATAL && findings->fatal != MAP_FATAL_NONE)
		return go_map_fatal_message(findings->fatal);
	if (findings->message && *findings->message)
		return findings->message;
	return (size_t)findings->death < G_N_ELEMENTS(deaths) ? deaths[findings->death] : "unknown";
}

static bool is_map_fatal(const struct findings *findings)
{
	return findings->death == DEATH_MAP_FATAL;
}

static void heading(struct verdict *v)
{
	v->screen.indent = 0;
	screen_words(&v->screen, TONE_BOLD, title_of(v->findings));
	screen_space(&v->screen, 2);
	screen_right(&v->screen, confidence_tone(v->findings->confidence),
		     is_map_fatal(v->findings) || v->findings->death == DEATH_NIL_MAP_WRITE
			     ? confidence_name(v->findings->confidence)
			     : "not a map fatal");
	screen_newline(&v->screen);
}

static void caveat(struct verdict *v)
{
	if (!v->findings->caveat || !*v->findings->caveat)
		return;
	v->screen.indent = LABEL_COLUMN;
	screen_to(&v->screen, LABEL_COLUMN);
	screen_words(&v->screen, TONE_YELLOW, v->findings->caveat);
	screen_newline(&v->screen);
}

/* The sentence says in one line what the two sides below say in ten; it stands alone where they are
 * not. */
static void sentence(struct verdict *v)
{
	if (v->findings->other || !v->findings->sentence || !*v->findings->sentence)
		return;
	v->screen.indent = LABEL_COLUMN;
	screen_to(&v->screen, LABEL_COLUMN);
	screen_words(&v->screen, TONE_PLAIN, v->findings->sentence);
	screen_newline(&v->screen);
}

static void map_owners(struct verdict *v, const struct conflict_map *map)
{
	g_autoptr(GString) line = g_string_new(NULL);

	if (map->owner_count < 2)
		return;
	for (size_t i = 1; i < map->owner_count && i <= SHOWN_OWNERS; i++)
		g_string_append_printf(line, "%s%s (%s)", i > 1 ? ", " : "", map->owners[i].path,
				       map->owners[i].via);
	if (map->owner_count - 1 > SHOWN_OWNERS)
		g_string_append_printf(line, ", %zu more", map->owner_count - 1 - SHOWN_OWNERS);
	next_line(v);
	screen_words(&v->screen, TONE_DIM, "also ");
	screen_words(&v->screen, TONE_PLAIN, line->str);
}

static void map_state(struct verdict *v, const struct conflict_map *map)
{
	const struct map_integrity *found = &map->integrity;
	g_autofree char *entries = words_count(found->entries_found);

	if (map->address && map->sure < CONFIDENCE_PROVEN) {
		next_line(v);
		screen_words(&v->screen, TONE_DIM, "that it is this map: ");
		screen_words(&v->screen, confidence_tone(map->sure), confidence_name(map->sure));
	}
	if (map->readable && map->header.writing) {
		next_line(v);
		screen_words(&v->screen, TONE_PLAIN, "still marked as being written in the dump");
	}
	if (!found->checked || (found->count_matches && found->problems == 0))
		return;
	next_line(v);
	if (map->mid_write) {
		screen_format(&v->screen, TONE_PLAIN,
			      "%s entries found: it was caught in the middle of a write", entries);
		return;
	}
	screen_format(&v->screen, TONE_RED, "damaged: %s entries found", entries);
	if (found->problems)
		screen_format(&v->screen, TONE_RED, ", %llu problems, first: %s",
			      (unsigned long long)found->problems, found->first_problem);
}

static void append_frame(GString *string, const struct go_site *site)
{
	g_autofree char *function = words_function(site->function);
	g_autofree char *place = words_place(site);

	g_string_append_printf(string, "%s %s", function, place);
}

static void append_birth(GString *line, const char *verb, const struct goroutine *goroutine,
			 const struct go_site *site)
{
	if (!goroutine)
		return;
	g_string_append_printf(line, "%s%s%sby goroutine %llu", line->len ? ", " : "", verb,
			       *verb ? " " : "", (unsigned long long)goroutine->id);
	if (!site)
		return;
	g_string_append(line, " in ");
	append_frame(line, site);
}

static void map_births(struct verdict *v, const struct conflict_map *map)
{
	g_autoptr(GString) line = g_string_new(NULL);

	append_birth(line, "made", map->made_by, map->made_at);
	append_birth(line, "last grown", map->grown_by, map->grown_at);
	if (line->len == 0)
		return;
	next_line(v);
	screen_words(&v->screen, TONE_PLAIN, line->str);
}

/** "last read by goroutine 7 in main.get store.go:31, by goroutine 9 in ..." */
static void map_uses(struct verdict *v, const char *verb, const struct map_use *uses, size_t count)
{
	g_autoptr(GString) line = g_string_new(NULL);

	for (size_t i = 0; i < count && i < SHOWN_USES; i++)
		append_birth(line, i ? "" : verb, uses[i].goroutine,
			     uses[i].site.function ? &uses[i].site : NULL);
	if (count > SHOWN_USES)
		g_string_append_printf(line, " and %zu more", count - SHOWN_USES);
	next_line(v);
	screen_words(&v->screen, TONE_PLAIN, line->str);
}

static void map_line(struct verdict *v)
{
	const struct conflict_map *map = &v->findings->map;
	g_autofree char *entries = words_count(map->header.count);

	if (!is_map_fatal(v->findings) && !map->address && !map->type)
		return;
	screen_newline(&v->screen);
	label(v, TONE_BOLD, "map");
	field(v, TONE_BOLD, map->owner_count ? map->owners[0].path : "owner not found");
	field(v, TONE_PLAIN, map->type ? map->type->name : "type not found");
	if (map->readable)
		field_take(v, TONE_PLAIN, g_strdup_printf("%s entries", entries));
	if (map->address)
		field_take(v, TONE_DIM,
			   g_strdup_printf("%s%#llx",
					   !map->readable      ? ""
					   : map->header.swiss ? "swiss "
							       : "hmap ",
					   (unsigned long long)map->address));
	else
		field(v, TONE_DIM, "address not found");
	map_owners(v, map);
	map_births(v, map);
	if (map->reader_count) {
		map_uses(v, "last read", map->readers, map->reader_count);
		map_uses(v, "last written", map->writers, map->writer_count);
	}
	map_state(v, map);
	screen_newline(&v->screen);
}

static void quote(struct verdict *v, const struct go_site *site)
{
	g_autofree char *line = source_line(site->file, site->line, v->style->source_root);
	g_autofree char *quoted = NULL;

	if (!line)
		return;
	quoted = g_strdup_printf("%*d | %s", QUOTE_DIGITS, site->line, line);
	next_line(v);
	screen_cut(&v->screen, TONE_PLAIN, quoted);
}

static bool same_site(const struct go_site *a, const struct go_site *b)
{
	return a->line == b->line && g_strcmp0(a->function, b->function) == 0;
}

/* Index of the frame after the one that stands at @a site; 0 when it is not on the stack. */
static size_t frame_above(const struct stack *stack, const struct go_site *site)
{
	for (size_t i = 0; i < stack->count; i++)
		if (same_site(stack->frames[i].site, site))
			return i + 1;
	return 0;
}

/* Frames of the program's own from @a from on, after @a words: @a shown of them, the rest as a number. */
static void frames(struct verdict *v, const char *words, const struct stack *stack, size_t from,
		   size_t shown)
{
	g_autoptr(GString) line = g_string_new(NULL);
	size_t count = 0;

	for (size_t i = from; stack && i < stack->count; i++) {
		const struct go_site *site = stack->frames[i].site;

		if (!site->function || go_is_runtime_function(site->function) || count++ >= shown)
			continue;
		if (count > 1)
			g_string_append(line, ", ");
		append_frame(line, site);
	}
	if (count == 0)
		return;
	if (count > shown)
		g_string_append_printf(line, ", %zu more", count - shown);
	next_line(v);
	screen_words(&v->screen, TONE_DIM, words);
	screen_words(&v->screen, TONE_PLAIN, line->str);
}

/* Who called @a site; where the goroutine was, when that was somewhere else by then. */
static void whereabouts(struct verdict *v, const struct stack *stack, const struct go_site *site)
{
	size_t above = stack ? frame_above(stack, site) : 0;

	frames(v, above ? "called by " : "stood by then in ", stack, above, SHOWN_CALLERS);
}

static void started_by(struct verdict *v, const struct goroutine *goroutine)
{
	g_autoptr(GString) line = g_string_new(NULL);

	if (!goroutine || !goroutine->created_by.function)
		return;
	append_frame(line, &goroutine->created_by);
	next_line(v);
	screen_words(&v->screen, TONE_DIM, "started by ");
	screen_words(&v->screen, TONE_PLAIN, line->str);
}

#define WHY "why: "

static void reasons(struct verdict *v, const struct side *side)
{
	g_autoptr(GString) line = g_string_new(NULL);

	if (side->witnesses.count == 0)
		return;
	for (size_t i = 0; i < side->witnesses.count; i++)
		g_string_append_printf(line, "%s%s", i ? "; " : "", side->witnesses.items[i].fact);
	if (!g_str_has_suffix(line->str, "."))
		g_string_append_c(line, '.');
	next_line(v);
	screen_words(&v->screen, TONE_DIM, WHY);
	v->screen.indent += strlen(WHY);
	screen_words(&v->screen, TONE_PLAIN, line->str);
	v->screen.indent -= strlen(WHY);
}

static const char *operation_label(enum map_operation operation)
{
	static const char *const labels[] = {
		[MAP_READ] = "READ",   [MAP_ASSIGN] = "WRITE",    [MAP_DELETE] = "DELETE",
		[MAP_CLEAR] = "CLEAR", [MAP_ITERATE] = "ITERATE", [MAP_CLONE] = "CLONE",
		[MAP_MAKE] = "MAKE",   [MAP_GROW] = "WRITE",      [MAP_WRITE] = "WRITE",
	};

	return (size_t)operation < G_N_ELEMENTS(labels) ? labels[operation] : "";
}

static void who_and_where(struct verdict *v, const struct goroutine *goroutine,
			  const struct go_site *site)
{
	if (goroutine)
		field_take(v, TONE_BOLD,
			   g_strdup_printf("goroutine %llu", (unsigned long long)goroutine->id));
	field_take(v, TONE_PLAIN,
		   site->function ? words_function(site->function)
				  : g_strdup("its stack was not printed"));
	field_take(v, TONE_BOLD, words_place(site));
}

static void side_block(struct verdict *v, const struct side *side)
{
	screen_newline(&v->screen);
	label(v, TONE_RED, operation_label(side->operation));
	who_and_where(v, side->goroutine, &side->site);
	screen_space(&v->screen, 2);
	screen_right(&v->screen, confidence_tone(side->confidence),
		     confidence_name(side->confidence));
	quote(v, &side->site);
	whereabouts(v, side->stack, &side->site);
	started_by(v, side->goroutine);
	if (side->role != SIDE_DETECTOR)
		reasons(v, side);
	screen_newline(&v->screen);
}

static bool same_write(const struct side *a, const struct side *b)
{
	return a->goroutine && b->goroutine && a->site.function && b->site.function &&
	       a->site.line == b->site.line && a->operation == b->operation &&
	       g_str_equal(a->site.function, b->site.function) &&
	       g_str_equal(a->site.file, b->site.file);
}

/** True when one before it may have done the same write: then it is shown there. */
static bool is_shown_before(const struct verdict *v, size_t index)
{
	const struct side *candidates = v->findings->candidates;

	for (size_t i = 0; i < index; i++)
		if (same_write(&candidates[i], &candidates[index]))
			return true;
	return false;
}

/** The goroutines after @a index that may have done the same write, best first. */
static void likewise(struct verdict *v, size_t index)
{
	const struct side *candidates = v->findings->candidates;
	g_autoptr(GString) line = g_string_new(NULL);
	size_t count = 0;

	for (size_t i = index + 1; i < v->findings->candidate_count; i++) {
		if (!same_write(&candidates[index], &candidates[i]))
			continue;
		if (count++ < SHOWN_LIKEWISE)
			g_string_append_printf(line, "%s%llu", count > 1 ? ", " : "",
					       (unsigned long long)candidates[i].goroutine->id);
	}
	if (!count)
		return;
	if (count > SHOWN_LIKEWISE)
		g_string_append_printf(line, " and %zu more", count - SHOWN_LIKEWISE);
	next_line(v);
	screen_format(&v->screen, TONE_PLAIN, "after it, for the same write: goroutine%s %s",
		      count > 1 ? "s" : "", line->str);
}

static void candidate_line(struct verdict *v, size_t index)
{
	const struct side *side = &v->findings->candidates[index];
	g_autofree char *state = side->goroutine ? words_state(side->goroutine) : g_strdup("");

	label(v, TONE_YELLOW, "MAYBE");
	who_and_where(v, side->goroutine, &side->site);
	screen_space(&v->screen, 2);
	screen_right(&v->screen, confidence_tone(side->confidence),
		     confidence_name(side->confidence));
	next_line(v);
	screen_format(&v->screen, TONE_PLAIN, "%s%s%s", map_operation_name(side->operation),
		      *state ? "; " : "", state);
	reasons(v, side);
	likewise(v, index);
	if (side->goroutine && !side->site.function)
		started_by(v, side->goroutine);
	screen_newline(&v->screen);
}

static void and_more(struct verdict *v, size_t count, size_t shown, const char *what)
{
	if (count <= shown)
		return;
	label(v, TONE_DIM, "");
	screen_format(&v->screen, TONE_DIM, "and %zu more %s: see --json", count - shown, what);
	screen_newline(&v->screen);
}

static void candidates(struct verdict *v)
{
	size_t count = v->findings->candidate_count, writes = 0;

	if (v->findings->other || !is_map_fatal(v->findings))
		return;
	screen_newline(&v->screen);
	if (count == 0) {
		label(v, TONE_YELLOW, "OTHER");
		screen_words(&v->screen, TONE_PLAIN,
			     "no second party found: nothing in this evidence points at one");
		screen_newline(&v->screen);
	}
	for (size_t i = 0; i < count; i++) {
		if (is_shown_before(v, i) || ++writes > SHOWN_CANDIDATES)
			continue;
		candidate_line(v, i);
	}
	and_more(v, writes, SHOWN_CANDIDATES, "candidates");
}

static void innocents(struct verdict *v)
{
	size_t count = v->findings->innocent_count;

	if (count)
		screen_newline(&v->screen);
	for (size_t i = 0; i < count && i < SHOWN_INNOCENTS; i++) {
		const struct innocent *innocent = &v->findings->innocents[i];

		label(v, TONE_DIM, "CLEARED");
		who_and_where(v, innocent->goroutine, &innocent->site);
		next_line(v);
		screen_format(&v->screen, TONE_PLAIN, "%s; %s", innocent->looked_guilty,
			      innocent->ruled_out);
		screen_newline(&v->screen);
	}
	and_more(v, count, SHOWN_INNOCENTS, "cleared");
}

/* "12 goroutines in sync.(*Mutex).Lock   main.put   store.go:40, for up to 3 min" */
static void many_at(struct verdict *v, uint64_t count, const char *what, const struct go_site *site,
		    int64_t longest_ns)
{
	g_autofree char *number = words_count(count), *age = words_wait(longest_ns);

	field_take(v, TONE_PLAIN,
		   g_strdup_printf("%s goroutine%s %s", number, count == 1 ? "" : "s", what));
	field_take(v, TONE_PLAIN, words_function(site->function));
	field_take(v, TONE_BOLD, words_place(site));
	if (*age)
		screen_format(&v->screen, TONE_PLAIN, ", for up to %s", age);
}

/* The first line of all is set apart from what stands before. */
static void waiting_label(struct verdict *v, const char *name, size_t shown, bool *begun)
{
	if (!*begun)
		screen_newline(&v->screen);
	*begun = true;
	label(v, TONE_BOLD, shown ? "" : name);
}

/* Who waits for a lock that has to do with the map; where nothing raced, the largest crowds. */
static void lock_lines(struct verdict *v, const struct blocked *blocked, bool *begun)
{
	bool raced = is_map_fatal(v->findings);
	size_t shown = 0;

	for (size_t i = 0; i < blocked->crowd_count && shown < SHOWN_WAITS; i++) {
		const struct blocked_crowd *crowd = &blocked->crowds[i];
		g_autofree char *what = g_strdup_printf("waiting in %s", crowd->lock);

		if (raced && !*crowd->bearing)
			continue;
		waiting_label(v, "WAITS", shown++, begun);
		many_at(v, crowd->count, what, crowd->frame->site, crowd->longest_ns);
		if (*crowd->bearing) {
			next_line(v);
			screen_words(&v->screen, TONE_PLAIN, crowd->bearing);
		}
		screen_newline(&v->screen);
	}
}

static bool is_party(const struct findings *findings, const struct goroutine *goroutine)
{
	return (findings->detector && findings->detector->goroutine == goroutine) ||
	       (findings->other && findings->other->goroutine == goroutine);
}

/* A walk over such a map that was not at its end: a write meanwhile is a race, too. */
static void walk_lines(struct verdict *v, const struct walks *walks, bool *begun)
{
	size_t shown = 0;

	for (size_t i = 0; i < walks->count && shown < SHOWN_WALKS; i++) {
		const struct walk *walk = &walks->items[i];

		if (!walk->type || walk->type != v->findings->map.type ||
		    is_party(v->findings, walk->goroutine))
			continue;
		waiting_label(v, "WALKS", shown++, begun);
		many_at(v, walk->count, walk->way, walk->site, walk->longest_ns);
		next_line(v);
		screen_words(&v->screen, TONE_PLAIN,
			     "over a map of this type: if it is this one, a write before that "
			     "ends is a race, too");
		screen_newline(&v->screen);
	}
}

static void source_lines(struct verdict *v, const struct blocked *blocked, bool *begun)
{
	for (size_t i = 0; i < blocked->source_count && i < SHOWN_SOURCES; i++) {
		const struct blocked_source *source = &blocked->sources[i];
		g_autofree char *waiting = words_count(source->waiting);
		g_autofree char *what = g_strdup_printf("(%s waiting) started by", waiting);

		waiting_label(v, "MANY", i, begun);
		many_at(v, source->count, what, source->created_by, source->longest_ns);
		screen_newline(&v->screen);
	}
}

/* What goroutines waited for, where it tells more of this death: of one that hung, or was told to quit, all of it. */
static void waiting(struct verdict *v)
{
	const struct blocked *blocked = v->findings->blocked;
	bool hung = v->findings->death == DEATH_FATAL || v->findings->death == DEATH_SIGNAL ||
		    v->findings->death == DEATH_UNKNOWN;
	bool begun = false;

	if (!blocked || (!is_map_fatal(v->findings) && !hung))
		return;
	lock_lines(v, blocked, &begun);
	if (hung)
		source_lines(v, blocked, &begun);
	else
		walk_lines(v, &blocked->walks, &begun);
}

/* Advice about being surer has a line of its own. */
static bool is_about_certainty(const struct advice *advice)
{
	return g_strcmp0(advice->pattern, "race-build") == 0 ||
	       g_strcmp0(advice->pattern, "traceback") == 0 ||
	       g_strcmp0(advice->pattern, "recorder") == 0;
}

static void advice_lines(struct verdict *v, bool certainty, const char *name)
{
	size_t shown = 0;

	for (size_t i = 0; i < v->findings->advice_count; i++) {
		const struct advice *advice = &v->findings->advice[i];

		if (is_about_certainty(advice) != certainty || shown++ >= SHOWN_ADVICE)
			continue;
		label(v, TONE_GREEN, shown == 1 ? name : "");
		screen_words(&v->screen, TONE_PLAIN, advice->text);
		screen_newline(&v->screen);
	}
}

static void gaps(struct verdict *v)
{
	const struct gap_list *list = &v->findings->program->gaps;

	for (size_t i = 0; i < list->count && i < SHOWN_GAPS; i++) {
		const struct gap *gap = &list->items[i];

		label(v, TONE_YELLOW, i ? "" : "MISSING");
		screen_words(&v->screen, TONE_PLAIN, gap->what);
		if (gap->why && *gap->why)
			screen_format(&v->screen, TONE_PLAIN, ": %s", gap->why);
		if (gap->would_decide && *gap->would_decide)
			screen_format(&v->screen, TONE_DIM, "; would decide: %s",
				      gap->would_decide);
		screen_newline(&v->screen);
	}
	and_more(v, list->count, SHOWN_GAPS, "missing facts");
}

static struct goroutine *goroutine_of_death(struct program *program)
{
	for (size_t i = 0; i < program->goroutine_count; i++)
		if (program->goroutines[i].detector)
			return &program->goroutines[i];
	return NULL;
}

/* Index of the innermost frame of the program's own; the count when there is none. */
static size_t first_own_frame(const struct stack *stack)
{
	size_t at = 0;

	while (at < stack->count && (!stack->frames[at].site->function ||
				     go_is_runtime_function(stack->frames[at].site->function)))
		at++;
	return at;
}

/* Another death: where it happened, as the program's own frames tell it. */
static void place_of_death(struct verdict *v)
{
	struct goroutine *goroutine = goroutine_of_death(v->findings->program);
	const struct stack *stack;
	size_t at;

	if (!goroutine)
		return;
	stack = program_stack(v->findings->program, goroutine);
	at = first_own_frame(stack);
	screen_newline(&v->screen);
	label(v, TONE_RED, "AT");
	if (at < stack->count) {
		who_and_where(v, goroutine, stack->frames[at].site);
		quote(v, stack->frames[at].site);
	} else {
		field_take(v, TONE_BOLD,
			   g_strdup_printf("goroutine %llu, all in the runtime",
					   (unsigned long long)goroutine->id));
	}
	frames(v, "called by ", stack, at + 1, SHOWN_FRAMES);
	started_by(v, goroutine);
	screen_newline(&v->screen);
}

static void sides(struct verdict *v)
{
	if (v->findings->detector)
		side_block(v, v->findings->detector);
	else
		place_of_death(v);
	if (v->findings->other)
		side_block(v, v->findings->other);
}

/** What the locks beside the map were at that moment. */
static void locks(struct verdict *v)
{
	const struct conflict_map *map = &v->findings->map;

	for (size_t i = 0; i < map->lock_count && i < SHOWN_LOCKS; i++) {
		const struct lock *lock = map->locks[i].lock;

		if (i == 0) {
			screen_newline(&v->screen);
			label(v, TONE_BOLD, "LOCKS");
		} else {
			next_line(v);
		}
		field(v, TONE_BOLD, lock->path);
		field(v, TONE_DIM, go_lock_kind_name(lock->kind));
		next_line(v);
		screen_words(&v->screen, TONE_PLAIN, map->locks[i].says);
	}
	if (map->lock_count > SHOWN_LOCKS) {
		next_line(v);
		screen_format(&v->screen, TONE_DIM, "%zu more", map->lock_count - SHOWN_LOCKS);
	}
	if (map->lock_count)
		screen_newline(&v->screen);
}

void report_text(const struct report_input *input, const struct report_style *style, FILE *out)
{
	struct verdict v = {.findings = input->findings, .style = style};

	screen_init(&v.screen, out, MIN(style->width, SCREEN_WIDTH_MAX), style->color);
	heading(&v);
	caveat(&v);
	sentence(&v);
	map_line(&v);
	sides(&v);
	locks(&v);
	candidates(&v);
	innocents(&v);
	waiting(&v);
	if (v.findings->advice_count || v.findings->program->gaps.count)
		screen_newline(&v.screen);
	advice_lines(&v, false, "FIX");
	advice_lines(&v, true, "SURE?");
	gaps(&v);
}
