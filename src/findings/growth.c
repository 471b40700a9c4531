// SPDX-License-Identifier: Apache-2.0
#include "findings/growth.h"

#include "findings/changepoint.h"

#include <glib.h>
#include <math.h>

#define NS_PER_S     1e9
#define BYTES_PER_MB 1048576.0

static const char *const verdict_names[] = {
	[GROWTH_UNKNOWN] = "unknown", [GROWTH_STEADY] = "steady", [GROWTH_CHURN] = "churn",
	[GROWTH_BURST] = "burst",     [GROWTH_LEAK] = "leak",
};

const char *growth_verdict_name(enum growth_verdict verdict) { return verdict_names[verdict]; }

/*
 * The figures of the rules. What varies by less than NOISE_FACTOR standard deviations of the
 * sampling, or by less than SWING_LEAST of its height, stands still. TREND is Goodman and Kruskal's
 * gamma: 1 when every later value is higher, 0 when none is more likely to be.
 */
#define NOISE_FACTOR   4.0
#define SWING_LEAST    0.2
#define TREND_LEAST    0.6
#define STAND_MAX      1.1 /* of the climb: how long a leak may stand still, and one profile more */
#define CLIMBS_LEAST   3   /* profiles that a leak must have been seen to rise in */
#define TURNOVER_LEAST 2.0 /* allocated against held */
#define CHURN_SWINGS   3.0 /* allocated against what came and went */
#define SAMPLES_LEAST  8   /* of the profiler: fewer are an accident */
#define LEVEL_RATIO    2.0 /* neighbouring rates that differ by less are one */
#define ABSENT_SHARE   0.1 /* of a rise: what was held before it is next to nothing */
#define BURST_SHARE    0.7 /* of all that was allocated, within BURST_PART of the time */
#define BURST_PART     0.4

/* One site's series, unpacked. */
struct course {
	const struct growth *growth;
	const struct profile_series *series;
	size_t n;
	double *held; /* bytes in use, one a point */
	double *made; /* bytes allocated since the start of the series */
	double *at;   /* seconds since the first point, or its number */
	double unit;  /* bytes that one sample stands for */
	double low, high, swing;
	size_t onset, last_rise; /* points; see find_rise() */
	size_t climbs;           /* points at which it rose to a new height */
};

static double noise_of(const struct course *c, double level)
{
	return sqrt(MAX(level, c->unit) * c->unit);
}

/* Bytes that a sample of objects of that size stands for (scaleHeapSample, protomem.go). */
static double sample_unit(double object_bytes, double period)
{
	if (object_bytes <= 0)
		return MAX(period, 1);
	if (period <= 1)
		return object_bytes;
	return object_bytes / (1 - exp(-object_bytes / period));
}

static void unpack(struct course *c, const struct growth_site *site)
{
	double objects = 0, bytes = 0, period = 1;

	for (size_t i = 0; i < c->n; i++) {
		const struct allocation *value = &site->values[i];

		c->held[i] = (double)MAX(value->inuse_bytes, 0);
		c->made[i] = (double)value->alloc_bytes - (double)site->values[0].alloc_bytes;
		c->made[i] = MAX(c->made[i], i ? c->made[i - 1] : 0);
		objects = MAX(objects, (double)MAX(value->alloc_objects, value->inuse_objects));
		bytes = MAX(bytes, (double)MAX(value->alloc_bytes, value->inuse_bytes));
		period = MAX(period, (double)c->series->points[i].period);
		c->at[i] = c->series->timed ? (double)(c->series->points[i].time_ns -
						       c->series->points[0].time_ns) /
						      NS_PER_S
					    : (double)i;
	}
	c->unit = sample_unit(objects > 0 ? bytes / objects : 0, period);
}

/*
 * The rise: from the point after which it climbed to the last new height. A new height is one above
 * all before by more than a twentieth of the swing.
 */
static void find_rise(struct course *c)
{
	double top = c->held[0];

	c->low = c->high = c->held[0];
	for (size_t i = 1; i < c->n; i++) {
		c->low = MIN(c->low, c->held[i]);
		c->high = MAX(c->high, c->held[i]);
	}
	c->swing = c->high - c->low;
	c->onset = c->last_rise = 0;
	for (size_t i = 1; i < c->n; i++) {
		if (c->held[i] <= top + c->swing / 20)
			continue;
		if (!c->climbs)
			c->onset = i - 1;
		c->climbs++;
		c->last_rise = i;
		top = c->held[i];
	}
}

/* Goodman and Kruskal's gamma of the values from the onset on. */
static double trend(const struct course *c)
{
	double up = 0, down = 0;

	for (size_t i = c->onset; i < c->n; i++)
		for (size_t j = i + 1; j < c->n; j++) {
			up += c->held[j] > c->held[i];
			down += c->held[j] < c->held[i];
		}
	return up + down > 0 ? (up - down) / (up + down) : 0;
}

static bool stands_still(const struct course *c)
{
	return c->swing < NOISE_FACTOR * noise_of(c, c->high) || c->swing < SWING_LEAST * c->high;
}

static double mean_held(const struct course *c)
{
	double sum = 0;

	for (size_t i = 0; i < c->n; i++)
		sum += c->held[i];
	return sum / (double)c->n;
}

/* The part of the time in which most was allocated: the shortest window that holds BURST_SHARE. */
static bool made_at_once(const struct course *c, size_t *ret_first, size_t *ret_last)
{
	double total = c->made[c->n - 1], span = c->at[c->n - 1] - c->at[0], best = INFINITY;

	for (size_t i = 0, j = 0; i + 1 < c->n; i++) {
		while (j < c->n && c->made[j] - c->made[i] < BURST_SHARE * total)
			j++;
		if (j == c->n)
			break;
		if (c->at[j] - c->at[i] < best) {
			best = c->at[j] - c->at[i];
			*ret_first = i;
			*ret_last = j;
		}
	}
	return best <= BURST_PART * span && *ret_last + 1 < c->n;
}

static char *size_words(struct arena *arena, double bytes)
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
	size_t unit = 0;

	while (fabs(bytes) >= 1000 && unit + 1 < G_N_ELEMENTS(units)) {
		bytes /= 1024;
		unit++;
	}
	return arena_format(arena, unit && fabs(bytes) < 10 ? "%.1f %s" : "%.0f %s", bytes,
			    units[unit]);
}

static char *span_words(const struct course *c, double span)
{
	if (!c->series->timed)
		return arena_format(c->growth->arena, "%.0f profiles", span);
	return arena_format(c->growth->arena, span < 10 ? "%.1f s" : "%.0f s", span);
}

/* It rose, and stayed there: how does the climb compare with the time since? */
static enum growth_verdict judge_rise(const struct course *c, struct growth_site *site)
{
	double climb = c->at[c->last_rise] - c->at[c->onset];
	double stand = c->at[c->n - 1] - c->at[c->last_rise];
	double step = (c->at[c->n - 1] - c->at[0]) / (double)(c->n - 1);
	struct arena *arena = c->growth->arena;
	const char *from = size_words(arena, c->held[c->onset]),
		   *to = size_words(arena, c->held[c->n - 1]);
	bool doubled = c->climbs == 1 && c->held[c->onset] > c->unit * SAMPLES_LEAST &&
		       c->high < 2.6 * c->held[c->onset];

	if (doubled) {
		site->because = arena_format(
			arena,
			"in use went from %s to %s in one step: a map that is full doubles, and a "
			"longer series shows whether it does so again",
			from, to);
		return GROWTH_UNKNOWN;
	}
	if (stand > STAND_MAX * climb + step) {
		site->because = arena_format(arena,
					     "in use rose from %s to %s within %s, and has stood "
					     "still for %s since",
					     from, to, span_words(c, climb), span_words(c, stand));
		return GROWTH_BURST;
	}
	if (c->climbs < CLIMBS_LEAST) {
		site->because = arena_format(arena,
					     "in use rose from %s to %s at the end of the series: "
					     "whether it goes on, a longer one shows",
					     from, to);
		return GROWTH_UNKNOWN;
	}
	site->because = arena_format(arena,
				     "in use rose from %s to %s over %s, to a new height in %zu of "
				     "%zu profiles, and was still rising",
				     from, to, span_words(c, c->at[c->n - 1] - c->at[c->onset]),
				     c->climbs, c->n - c->onset);
	return GROWTH_LEAK;
}

static enum growth_verdict judge_still(const struct course *c, struct growth_site *site)
{
	double made = c->made[c->n - 1], held = mean_held(c);
	double freed = made - (c->held[c->n - 1] - c->held[0]);
	struct arena *arena = c->growth->arena;
	size_t first = 0, last = 0;

	if (c->high + made < SAMPLES_LEAST * c->unit) {
		site->because = "the profiler met it too seldom to tell";
		return GROWTH_UNKNOWN;
	}
	if (freed < SAMPLES_LEAST * c->unit || freed < TURNOVER_LEAST * held) {
		bool moved = c->swing >= SWING_LEAST * c->high;

		site->because = arena_format(arena, "allocated %s and holds %s: %s",
					     size_words(arena, made), size_words(arena, held),
					     moved ? "it moved by no more than samples vary"
						   : "neither moved");
		return moved ? GROWTH_UNKNOWN : GROWTH_STEADY;
	}
	if (made_at_once(c, &first, &last)) {
		site->because = arena_format(
			arena,
			"of %s that it allocated, %.0f %% fell within %s; next to nothing stayed",
			size_words(arena, made), 100 * (c->made[last] - c->made[first]) / made,
			span_words(c, c->at[last] - c->at[first]));
		return GROWTH_BURST;
	}
	site->because = arena_format(arena, "allocated %s and holds %s", size_words(arena, made),
				     size_words(arena, held));
	return GROWTH_CHURN;
}

/* It moved up and down, or came and went. */
static enum growth_verdict judge_moving(const struct course *c, struct growth_site *site)
{
	double made = c->made[c->n - 1];
	size_t first = 0, last = 0;
	struct arena *arena = c->growth->arena;

	if (made >= CHURN_SWINGS * c->swing && !made_at_once(c, &first, &last)) {
		site->because = arena_format(arena,
					     "allocated %s, while what it holds moved between %s "
					     "and %s",
					     size_words(arena, made), size_words(arena, c->low),
					     size_words(arena, c->high));
		return GROWTH_CHURN;
	}
	site->because =
		arena_format(arena, "in use rose to %s and is back at %s",
			     size_words(arena, c->high), size_words(arena, c->held[c->n - 1]));
	return GROWTH_BURST;
}

static enum growth_verdict judge(struct course *c, struct growth_site *site)
{
	find_rise(c);
	if (c->n < GROWTH_PROFILES_LEAST) {
		site->because = "fewer than four profiles show no trend";
		return GROWTH_UNKNOWN;
	}
	if (stands_still(c))
		return judge_still(c, site);
	if (c->climbs && c->held[c->n - 1] - c->held[c->onset] >= c->swing / 2 &&
	    trend(c) >= TREND_LEAST)
		return judge_rise(c, site);
	if (c->high - c->held[0] <= c->swing / 20) { /* fell from where it was at first */
		site->because = arena_format(c->growth->arena, "in use fell from %s to %s",
					     size_words(c->growth->arena, c->held[0]),
					     size_words(c->growth->arena, c->held[c->n - 1]));
		return c->made[c->n - 1] >= CHURN_SWINGS * c->swing ? GROWTH_CHURN : GROWTH_STEADY;
	}
	return judge_moving(c, site);
}

/* Samples in each interval, per median interval, on Anscombe's scale. */
static void rates_of(const struct course *c, double *ret)
{
	double usual = (c->at[c->n - 1] - c->at[0]) / (double)(c->n - 1);

	for (size_t i = 1; i < c->n; i++) {
		double made = c->series->has_alloc ? c->made[i] - c->made[i - 1]
						   : MAX(c->held[i] - c->held[i - 1], 0);
		double part = c->at[i] - c->at[i - 1];

		ret[i - 1] = 2 * sqrt(made / c->unit * (part > 0 ? usual / part : 1) + 3.0 / 8);
	}
}

static double rate_between(const struct course *c, size_t from, size_t to)
{
	double span = c->at[to] - c->at[from], made = 0;

	if (c->series->has_alloc)
		made = c->made[to] - c->made[from];
	else
		for (size_t i = from + 1; i <= to; i++)
			made += MAX(c->held[i] - c->held[i - 1], 0);
	return span > 0 ? made / span : made;
}

static bool differ(const struct course *c, size_t from, size_t between, size_t to)
{
	double a = rate_between(c, from, between), b = rate_between(c, between, to);
	double span = MIN(c->at[between] - c->at[from], c->at[to] - c->at[between]);

	return MAX(a, b) > LEVEL_RATIO * MIN(a, b) && fabs(a - b) * span > NOISE_FACTOR * c->unit;
}

/* Joins neighbours until all differ. Bounds are points: 0, changes ..., n - 1. */
static size_t join_equal(const struct course *c, size_t *bounds, size_t count)
{
	for (size_t i = 1; i + 1 < count;) {
		if (differ(c, bounds[i - 1], bounds[i], bounds[i + 1])) {
			i++;
			continue;
		}
		memmove(bounds + i, bounds + i + 1, (count - i - 1) * sizeof(*bounds));
		count--;
		i = 1;
	}
	return count;
}

static void keep_change(const struct course *c, struct growth_site *site, size_t from, size_t at,
			size_t to)
{
	site->changes[site->change_count++] = (struct growth_change){
		.point = at + 1,
		.before = rate_between(c, from, at),
		.after = rate_between(c, at, to),
	};
}

/* The longest stretch of intervals from @from on in which next to nothing was allocated. */
static size_t longest_pause(const struct course *c, size_t from)
{
	size_t longest = 0, pause = 0;

	for (size_t i = from + 1; i < c->n; i++) {
		pause = rate_between(c, i - 1, i) * (c->at[i] - c->at[i - 1]) <
					NOISE_FACTOR * c->unit
				? pause + 1
				: 0;
		longest = MAX(longest, pause);
	}
	return longest;
}

/*
 * Where a leak began. A growing map allocates in ever rarer and larger steps, so that its later
 * changes are no changes at all, and a quiet beginning may be such a pause: unless next to nothing
 * was held before, or the quiet was longer than any later one.
 */
static void keep_onset(const struct course *c, struct growth_site *site, const size_t *bounds,
		       size_t count)
{
	size_t at = bounds[1];
	double before, rise;

	if (count < 3 || rate_between(c, 0, at) * LEVEL_RATIO > rate_between(c, at, c->n - 1))
		return;
	before = c->held[at];
	rise = c->held[c->n - 1] - before;
	if (before <= ABSENT_SHARE * rise || at > longest_pause(c, at))
		keep_change(c, site, 0, at, c->n - 1);
}

/* A burst begins where the rate rises, and ends where it was last high. */
static void keep_burst(const struct course *c, struct growth_site *site, const size_t *bounds,
		       size_t count)
{
	size_t first = 1, last = count - 2;

	while (first <= last && rate_between(c, bounds[first - 1], bounds[first]) >=
					rate_between(c, bounds[first], bounds[first + 1]))
		first++;
	if (first <= last)
		keep_change(c, site, bounds[first - 1], bounds[first],
			    bounds[MAX(last, first + 1)]);
	if (first < last)
		keep_change(c, site, bounds[first], bounds[last], c->n - 1);
}

/* The changes that the verdict is about. Bounds are points: 0, changes ..., n - 1. */
static void keep_changes(const struct course *c, struct growth_site *site, const size_t *bounds,
			 size_t count)
{
	site->changes = arena_array(c->growth->arena, count, sizeof(*site->changes));
	if (count < 3 || site->verdict == GROWTH_STEADY)
		return;
	if (site->verdict == GROWTH_LEAK) {
		keep_onset(c, site, bounds, count);
	} else if (site->verdict == GROWTH_BURST) {
		keep_burst(c, site, bounds, count);
	} else {
		for (size_t i = 1; i + 1 < count; i++)
			keep_change(c, site, bounds[i - 1], bounds[i], bounds[i + 1]);
	}
}

/*
 * The steps in which a leaking map allocates are no noise, though they would be taken for it: there
 * the sampler's own has to do.
 */
static double penalty_of(const struct growth_site *site, const double *rates, size_t count)
{
	double noise = site->verdict == GROWTH_LEAK ? 1 : changepoint_noise(rates, count);

	return changepoint_penalty(MAX(noise, 1), count);
}

static void find_changes(const struct course *c, struct growth_site *site)
{
	size_t intervals = c->n - 1, count;
	g_autofree double *rates = g_new(double, intervals + 1);
	g_autofree size_t *bounds = g_new0(size_t, intervals + 2);

	if (c->n < GROWTH_PROFILES_LEAST)
		return;
	rates_of(c, rates);
	count = changepoint_find(rates, intervals, penalty_of(site, rates, intervals), bounds + 1);
	bounds[count + 1] = intervals;
	keep_changes(c, site, bounds, join_equal(c, bounds, count + 2));
}

/* How much larger @to is; profiles may hold any numbers. */
static int64_t grown(int64_t from, int64_t to)
{
	int64_t difference;

	if (to <= from)
		return 0;
	return __builtin_sub_overflow(to, from, &difference) ? INT64_MAX : difference;
}

static void add_saturated(int64_t *to, int64_t value)
{
	if (__builtin_add_overflow(*to, value, to))
		*to = value < 0 ? INT64_MIN : INT64_MAX;
}

static void expand(struct growth *growth, struct growth_site *site)
{
	const struct allocation_site *from = site->site;
	struct allocation known = {0};
	size_t next = 0;

	site->values =
		arena_array(growth->arena, growth->series->point_count, sizeof(*site->values));
	for (size_t i = 0; i < growth->series->point_count; i++) {
		known.inuse_bytes = known.inuse_objects = 0; /* a profile without it: none in use */
		if (next < from->value_count && from->values[next].point == i)
			known = from->values[next++].value;
		site->values[i] = known;
	}
	site->first = site->values[0];
	site->last = site->values[growth->series->point_count - 1];
	site->allocated = grown(site->first.alloc_bytes, site->last.alloc_bytes);
}

static void analyse(struct growth *growth, struct growth_site *site)
{
	size_t n = growth->series->point_count;
	g_autofree double *numbers = g_new0(double, 3 * n);
	struct course course = {
		.growth = growth,
		.series = growth->series,
		.n = n,
		.held = numbers,
		.made = numbers + n,
		.at = numbers + 2 * n,
	};

	expand(growth, site);
	unpack(&course, site);
	site->verdict = judge(&course, site);
	find_changes(&course, site);
}

static double share(int64_t part, int64_t whole)
{
	return whole > 0 ? CLAMP((double)part / (double)whole, 0, 1) : 0;
}

/* A leak before a burst before churn; then what holds more, then what allocated more. */
static int by_gravity(const void *a, const void *b)
{
	const struct growth_site *x = a, *y = b;

	if (x->verdict != y->verdict && MAX(x->verdict, y->verdict) > GROWTH_STEADY)
		return x->verdict < y->verdict ? 1 : -1;
	if (x->last.inuse_bytes != y->last.inuse_bytes)
		return x->last.inuse_bytes < y->last.inuse_bytes ? 1 : -1;
	if (x->allocated != y->allocated)
		return x->allocated < y->allocated ? 1 : -1;
	return x->site < y->site ? -1 : x->site > y->site;
}

static bool judged(const struct allocation_site *site) { return site->role != SITE_NO_MAP; }

static void add_sites(struct growth *growth)
{
	const struct profile_series *series = growth->series;
	const struct series_point *first = &series->points[0],
				  *last = &series->points[series->point_count - 1];
	int64_t allocated = grown(first->total.alloc_bytes, last->total.alloc_bytes);

	growth->sites = arena_array(growth->arena, series->site_count, sizeof(*growth->sites));
	for (size_t i = 0; i < series->site_count; i++) {
		struct growth_site *site = &growth->sites[growth->site_count];

		if (!judged(&series->sites[i]))
			continue;
		growth->site_count++;
		site->site = &series->sites[i];
		analyse(growth, site);
		site->inuse_share = share(site->last.inuse_bytes, last->total.inuse_bytes);
		site->alloc_share = share(site->allocated, allocated);
		if (site->site->role == SITE_MAP_UNKNOWN)
			continue;
		add_saturated(&growth->maps.inuse_bytes, site->last.inuse_bytes);
		add_saturated(&growth->maps.inuse_objects, site->last.inuse_objects);
		add_saturated(&growth->maps.alloc_bytes, site->last.alloc_bytes);
		add_saturated(&growth->maps.alloc_objects, site->last.alloc_objects);
		add_saturated(&growth->maps_allocated, site->allocated);
	}
	qsort(growth->sites, growth->site_count, sizeof(*growth->sites), by_gravity);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values, size_t count)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof(*values), by_value);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

#define SLOPES_MAX 400 /* cycles that the trend looks at; more are thinned out */

/* Theil-Sen: the median slope of all pairs, which single high cycles do not move. */
static void live_trend(struct growth *growth)
{
	const struct gc_log *gc = growth->gc;
	size_t step = gc->cycle_count / SLOPES_MAX + 1;
	g_autofree double *slopes = g_new(double, SLOPES_MAX *SLOPES_MAX / 2 + SLOPES_MAX);
	size_t count = 0;

	for (size_t i = 0; i < gc->cycle_count; i += step)
		for (size_t j = i + step; j < gc->cycle_count; j += step) {
			double span = gc->cycles[j].at_s - gc->cycles[i].at_s;

			if (span > 0)
				slopes[count++] =
					(gc->cycles[j].live_mb - gc->cycles[i].live_mb) / span;
		}
	growth->live_mb_per_min = 60 * median(slopes, count);
}

struct growth_pressure growth_pressure_at(const struct growth *growth,
					  const struct growth_change *change)
{
	const struct gc_log *gc = growth->gc;
	const struct series_point *points = growth->series->points;
	int64_t start = points[0].time_ns, at = points[change->point - 1].time_ns,
		end = points[growth->series->point_count - 1].time_ns;
	struct growth_pressure pressure = {0};
	g_autofree double *live = NULL;
	size_t before = 0, after = 0;

	if (!gc || !*gc->clock || !growth->series->timed || start >= at || at >= end)
		return pressure;
	live = g_new(double, 2 * gc->cycle_count + 1);
	for (size_t i = 0; i < gc->cycle_count; i++) {
		const struct gc_cycle *cycle = &gc->cycles[i];

		if (cycle->time_ns >= start && cycle->time_ns < at)
			live[before++] = cycle->live_mb;
		else if (cycle->time_ns >= at && cycle->time_ns <= end)
			live[gc->cycle_count + after++] = cycle->live_mb;
	}
	pressure.known = before && after;
	pressure.cycles_per_s_before = (double)before / ((double)(at - start) / NS_PER_S);
	pressure.cycles_per_s_after = (double)after / ((double)(end - at) / NS_PER_S);
	pressure.live_mb_before = median(live, before);
	pressure.live_mb_after = median(live + gc->cycle_count, after);
	return pressure;
}

static void note_gaps(struct growth *growth)
{
	const struct profile_series *series = growth->series;

	if (series->point_count < GROWTH_PROFILES_LEAST)
		gap_add(&growth->gaps, growth->arena, "a trend",
			series->point_count == 1
				? "a single profile shows where maps live now, and what made them"
				: "fewer than four profiles show no trend",
			"whether a site leaks, churns, burst or is steady: take one every minute "
			"or so, and give them all");
	if (!series->timed && series->point_count > 1)
		gap_add(&growth->gaps, growth->arena, "when the profiles were taken",
			"they carry no time, and their files' times do not tell: they are taken in "
			"the order of their names, at equal distances",
			"rates, and the order itself");
	if (!series->has_alloc)
		gap_add(&growth->gaps, growth->arena, "what was allocated",
			"a profile has only what is in use",
			"churn: what was allocated and freed again");
	for (size_t i = 0; i < series->site_count; i++)
		if (series->sites[i].role == SITE_MAP_UNKNOWN) {
			gap_add(&growth->gaps, growth->arena, "which sites make or grow maps",
				"profiles leave out the runtime's own frames; the program's code "
				"tells them: give the binary as well",
				"which of the sites below are maps, and of which type");
			return;
		}
}

struct growth *growth_derive(const struct profile_series *series, const struct gc_log *gc)
{
	struct growth *growth = g_new0(struct growth, 1);

	growth->series = series;
	growth->gc = gc;
	growth->arena = arena_new();
	note_gaps(growth);
	if (series->point_count)
		add_sites(growth);
	if (gc)
		live_trend(growth);
	return growth;
}

void growth_free(struct growth *growth)
{
	if (!growth)
		return;
	g_free(growth->gaps.items);
	arena_free(growth->arena);
	g_free(growth);
}

static bool is_of_type(const struct growth_site *site, const char *map_type)
{
	return !map_type || !*site->site->map_type || strcmp(site->site->map_type, map_type) == 0;
}

static bool is_map(const struct growth_site *site)
{
	return site->site->role == SITE_MAP_GROW || site->site->role == SITE_MAP_MAKE;
}

const struct growth_site *growth_in_function(const struct growth *growth, const char *function,
					     const char *map_type)
{
	const struct growth_site *best = NULL;

	for (size_t i = 0; i < growth->site_count; i++) {
		const struct growth_site *site = &growth->sites[i];
		const char *via = site->site->via.function;

		if (!is_map(site) || !is_of_type(site, map_type) || !site->site->site.function ||
		    (strcmp(site->site->site.function, function) != 0 &&
		     (!via || strcmp(via, function) != 0)))
			continue;
		/* one that grows a map says more than one that makes it */
		if (!best ||
		    (best->site->role == SITE_MAP_MAKE && site->site->role == SITE_MAP_GROW))
			best = site;
	}
	return best;
}

const struct growth_site *growth_of_type(const struct growth *growth, const char *map_type,
					 const struct growth_site *after)
{
	size_t i = after ? (size_t)(after - growth->sites) + 1 : 0;

	for (; i < growth->site_count; i++)
		if (is_map(&growth->sites[i]) &&
		    strcmp(growth->sites[i].site->map_type, map_type) == 0)
			return &growth->sites[i];
	return NULL;
}
