// SPDX-License-Identifier: Apache-2.0
#include "report/growth.h"

#include "report/chart.h"
#include "report/screen.h"
#include "report/words.h"

#define LABEL_COLUMN  10
#define CHART_COLUMN  20
#define SUMMARY_WIDTH 34 /* "12 MB at first, 14 MB at last" beside a chart */
#define CALLERS_SHOWN 3

static const enum screen_tone verdict_tones[] = {
	[GROWTH_UNKNOWN] = TONE_PLAIN, [GROWTH_STEADY] = TONE_GREEN, [GROWTH_CHURN] = TONE_YELLOW,
	[GROWTH_BURST] = TONE_YELLOW,  [GROWTH_LEAK] = TONE_RED,
};

static void label(struct screen *screen, const char *word)
{
	screen->indent = LABEL_COLUMN;
	screen_to(screen, LABEL_COLUMN);
	screen_words(screen, TONE_DIM, word);
	screen_to(screen, CHART_COLUMN);
	screen->indent = CHART_COLUMN;
}

static double *column_of(const struct growth *growth, const struct growth_site *site, bool inuse)
{
	size_t n = growth->series->point_count;
	double *values = g_new0(double, n + 1);

	for (size_t i = 0; i < n; i++) {
		const struct allocation *value = &site->values[i];
		int64_t before = i ? site->values[i - 1].alloc_bytes : value->alloc_bytes;

		values[i] = inuse ? (double)value->inuse_bytes
				  : MAX((double)value->alloc_bytes - (double)before, 0);
	}
	return values;
}

static size_t chart_room(const struct screen *screen)
{
	size_t taken = CHART_COLUMN + SUMMARY_WIDTH;

	return screen->width > taken + 12 ? screen->width - taken : screen->width - CHART_COLUMN;
}

static void chart(struct screen *screen, const char *word, const double *values, size_t count,
		  const char *summary)
{
	size_t columns = chart_width(count, chart_room(screen));
	g_autofree char *line = chart_line(values, count, columns, chart_utf8());

	if (count < 2) {
		label(screen, word);
		screen_words(screen, TONE_PLAIN, summary);
		screen_newline(screen);
		return;
	}
	label(screen, word);
	screen_cut(screen, TONE_PLAIN, line);
	screen_to(screen, CHART_COLUMN + (unsigned)columns + 2);
	screen_words(screen, TONE_PLAIN, summary);
	screen_newline(screen);
}

/* A row below the charts that points at where the rate changed. */
static void marks(struct screen *screen, const struct growth *growth,
		  const struct growth_site *site)
{
	size_t count = growth->series->point_count,
	       columns = chart_width(count, chart_room(screen));
	g_autofree char *row = g_strnfill(columns, ' ');

	if (!site->change_count || count < 2)
		return;
	for (size_t i = 0; i < site->change_count; i++)
		row[chart_column(site->changes[i].point, count, columns)] = '^';
	g_strchomp(row);
	screen_to(screen, CHART_COLUMN);
	screen_space(screen, (unsigned)strspn(row, " "));
	screen_cut(screen, TONE_BOLD, row + strspn(row, " "));
	screen_newline(screen);
}

static char *clock_words(int64_t time_ns)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(time_ns / 1000000000);

	return time ? g_date_time_format(time, "%H:%M:%S") : g_strdup("?");
}

static char *rate_words(const struct growth *growth, double rate)
{
	g_autofree char *bytes = words_bytes(rate);

	return g_strdup_printf("%s/%s", bytes, growth->series->timed ? "s" : "profile");
}

static void change_text(struct screen *screen, const struct growth *growth,
			const struct growth_change *change)
{
	const struct series_point *points = growth->series->points;
	g_autofree char *before = rate_words(growth, change->before);
	g_autofree char *after = rate_words(growth, change->after);
	g_autofree char *at = clock_words(points[change->point].time_ns);
	g_autofree char *from = g_path_get_basename(points[change->point - 1].path);
	g_autofree char *to = g_path_get_basename(points[change->point].path);
	struct growth_pressure pressure = growth_pressure_at(growth, change);

	label(screen, "changed");
	if (growth->series->timed)
		screen_format(screen, TONE_BOLD, "%s UTC ", at);
	screen_format(screen, TONE_PLAIN, "between %s and %s: %s before, %s after", from, to,
		      before, after);
	screen_newline(screen);
	if (!pressure.known)
		return;
	label(screen, "collector");
	screen_format(screen, TONE_PLAIN,
		      "%.1f cycles a second before, %.1f after; %.0f MB alive before, %.0f after",
		      pressure.cycles_per_s_before, pressure.cycles_per_s_after,
		      pressure.live_mb_before, pressure.live_mb_after);
	screen_newline(screen);
}

/* Frames outside the library above the site's own. */
static void callers_text(struct screen *screen, const struct allocation_site *site)
{
	size_t shown = 0, at = 0;

	if (!site->site.function)
		return;
	while (at < site->stack_count && strcmp(site->stack[at].function, site->site.function) != 0)
		at++;
	for (at++; at < site->stack_count && shown < CALLERS_SHOWN; at++) {
		g_autofree char *function = words_function(site->stack[at].function);
		g_autofree char *place = words_place(&site->stack[at]);

		if (go_is_runtime_function(site->stack[at].function))
			continue;
		if (shown++ == 0)
			label(screen, "called by");
		else
			screen_words(screen, TONE_DIM, ", ");
		screen_format(screen, TONE_DIM, "%s  %s", function, place);
	}
	if (shown)
		screen_newline(screen);
}

static const char *role_words(enum site_map_role role)
{
	switch (role) {
	case SITE_MAP_MAKE:
		return "makes";
	case SITE_MAP_GROW:
		return "grows";
	default:
		return "allocates";
	}
}

static void heading(struct screen *screen, const struct growth_site *site)
{
	const struct allocation_site *where = site->site;
	g_autofree char *function = words_function(where->site.function);
	g_autofree char *place = words_place(&where->site);

	screen->indent = LABEL_COLUMN;
	screen_words(screen, verdict_tones[site->verdict], growth_verdict_name(site->verdict));
	screen_to(screen, LABEL_COLUMN);
	screen_field(screen, TONE_BOLD, function);
	screen_space(screen, 2);
	screen_field(screen, TONE_BOLD, place);
	screen_newline(screen);
}

static void what_text(struct screen *screen, const struct allocation_site *site)
{
	g_autofree char *via = site->via.function ? words_function(site->via.function) : NULL;

	if (site->role == SITE_MAP_UNKNOWN && !via)
		return;
	label(screen, role_words(site->role));
	if (site->role != SITE_MAP_UNKNOWN)
		screen_field(screen, TONE_PLAIN,
			     *site->map_type ? site->map_type
					     : "a map of a type that is not known");
	if (*site->map_function)
		screen_format(screen, TONE_DIM, "  in %s", site->map_function);
	if (via)
		screen_format(screen, TONE_DIM, "  through %s", via);
	screen_newline(screen);
}

static void site_text(struct screen *screen, const struct growth *growth,
		      const struct growth_site *site)
{
	size_t count = growth->series->point_count;
	g_autofree double *held = column_of(growth, site, true);
	g_autofree double *made = column_of(growth, site, false);
	g_autofree char *first = words_bytes((double)site->first.inuse_bytes);
	g_autofree char *last = words_bytes((double)site->last.inuse_bytes);
	g_autofree char *allocated =
		words_bytes((double)(count > 1 ? site->allocated : site->last.alloc_bytes));
	g_autofree char *holds =
		g_strdup_printf("%s%s%s, %.0f %% of all", count > 1 ? first : "",
				count > 1 ? " to " : "", last, 100 * site->inuse_share);
	g_autofree char *makes = count > 1 ? g_strdup_printf("%s in all, %.0f %% of all", allocated,
							     100 * site->alloc_share)
					   : g_strdup_printf("%s since the start", allocated);

	heading(screen, site);
	what_text(screen, site->site);
	chart(screen, "in use", held, count, holds);
	if (growth->series->has_alloc)
		chart(screen, "allocated", made, count, makes);
	marks(screen, growth, site);
	if (count >= GROWTH_PROFILES_LEAST) {
		label(screen, "why");
		screen_words(screen, TONE_PLAIN, site->because);
		screen_newline(screen);
	}
	for (size_t i = 0; i < site->change_count; i++)
		change_text(screen, growth, &site->changes[i]);
	callers_text(screen, site->site);
	screen_newline(screen);
}

static void series_text(struct screen *screen, const struct growth *growth)
{
	const struct profile_series *series = growth->series;
	const struct series_point *first = series->points,
				  *last = &series->points[series->point_count - 1];
	g_autofree char *maps = words_bytes((double)growth->maps.inuse_bytes);
	g_autofree char *all = words_bytes((double)last->total.inuse_bytes);
	g_autofree char *from = clock_words(first->time_ns), *to = clock_words(last->time_ns);

	screen_format(screen, TONE_BOLD, "%zu heap profile%s", series->point_count,
		      series->point_count == 1 ? "" : "s");
	if (series->timed && series->point_count > 1)
		screen_format(screen, TONE_PLAIN, ", %s to %s UTC", from, to);
	screen_format(screen, TONE_PLAIN, ".  In use at last: %s", all);
	if (growth->site_count && growth->sites[0].site->role != SITE_MAP_UNKNOWN)
		screen_format(screen, TONE_PLAIN, ", of it maps: %s", maps);
	screen_newline(screen);
}

static void collector_text(struct screen *screen, const struct growth *growth)
{
	const struct gc_log *gc = growth->gc;
	const struct gc_cycle *last;
	g_autofree double *live = NULL;
	g_autofree char *summary = NULL;

	if (!gc || !gc->cycle_count)
		return;
	last = &gc->cycles[gc->cycle_count - 1];
	live = g_new(double, gc->cycle_count);
	for (size_t i = 0; i < gc->cycle_count; i++)
		live[i] = gc->cycles[i].live_mb;
	summary = g_strdup_printf("%.0f MB to %.0f MB", live[0], last->live_mb);
	screen_words(screen, TONE_BOLD, "collector");
	screen_newline(screen);
	chart(screen, "alive", live, gc->cycle_count, summary);
	label(screen, "trend");
	screen_format(screen, TONE_PLAIN,
		      "%+.1f MB a minute (median slope) over %zu cycles; %.0f %% of the processor",
		      growth->live_mb_per_min, gc->cycle_count, last->cpu_percent);
	if (gc->sched_count)
		screen_format(screen, TONE_PLAIN, "; run queue up to %zu, %lld threads",
			      gc->run_queue_max, (long long)gc->threads_max);
	screen_newline(screen);
	screen_newline(screen);
}

static void gaps_text(struct screen *screen, const struct gap_list *gaps)
{
	for (size_t i = 0; i < gaps->count; i++) {
		screen->indent = LABEL_COLUMN;
		screen_words(screen, TONE_YELLOW, "missing");
		screen_to(screen, LABEL_COLUMN);
		screen_format(screen, TONE_PLAIN, "%s: %s. It would tell %s.", gaps->items[i].what,
			      gaps->items[i].why, gaps->items[i].would_decide);
		screen_newline(screen);
	}
}

/* Steady sites are many and of no interest, unless all are. */
static size_t worth_showing(const struct growth *growth, bool all)
{
	size_t n = 0;

	if (all)
		return growth->site_count;
	while (n < growth->site_count && n < GROWTH_SITES_SHOWN &&
	       (growth->series->point_count < GROWTH_PROFILES_LEAST ||
		growth->sites[n].verdict > GROWTH_STEADY || n == 0))
		n++;
	return n;
}

void report_growth_text(const struct growth *growth, bool all, const struct report_style *style,
			FILE *out)
{
	size_t shown = worth_showing(growth, all);
	struct screen screen;

	screen_init(&screen, out, style->width, style->color);
	if (growth->series->point_count)
		series_text(&screen, growth);
	screen_newline(&screen);
	for (size_t i = 0; i < shown; i++)
		site_text(&screen, growth, &growth->sites[i]);
	if (growth->site_count > shown) {
		screen_format(&screen, TONE_DIM, "%zu more sites; --all shows them",
			      growth->site_count - shown);
		screen_newline(&screen);
		screen_newline(&screen);
	}
	if (!growth->site_count) {
		screen_words(&screen, TONE_PLAIN,
			     "No site in these profiles makes or grows a map.");
		screen_newline(&screen);
	}
	collector_text(&screen, growth);
	gaps_text(&screen, &growth->series->gaps);
	gaps_text(&screen, &growth->gaps);
	if (growth->gc)
		gaps_text(&screen, &growth->gc->gaps);
}
