// SPDX-License-Identifier: Apache-2.0
#include "evidence/text/gctrace.h"

#include <glib.h>
#include <time.h>

#define NS_PER_S   1000000000ll
#define NUMBER_MAX 1e15 /* larger ones are nobody's time, size or count */

/* Moves behind the next @word. */
static bool skip_to(struct text *at, const char *word)
{
	size_t n = strlen(word);
	const char *found = at->n ? memmem(at->p, at->n, word, n) : NULL;

	if (!found)
		return false;
	at->n -= (size_t)(found + n - at->p);
	at->p = found + n;
	return true;
}

/* A decimal number without sign or exponent, with a fraction or without. */
static bool take_number(struct text *at, double *ret)
{
	size_t n = 0;
	double value = 0, unit = 0;

	for (; n < at->n && value < NUMBER_MAX; n++) {
		if (at->p[n] == '.' && unit == 0)
			unit = 1;
		else if (g_ascii_isdigit(at->p[n])) {
			value = value * 10 + (at->p[n] - '0');
			unit *= 10;
		} else
			break;
	}
	if (n == 0 || !g_ascii_isdigit(at->p[0]) || value >= NUMBER_MAX)
		return false;
	at->p += n;
	at->n -= n;
	*ret = unit > 1 ? value / unit : value;
	return true;
}

static bool take_count(struct text *at, uint64_t *ret)
{
	double value;

	if (!take_number(at, &value))
		return false;
	*ret = (uint64_t)value;
	return true;
}

static bool digits_at(struct text text, size_t at, size_t count, int *ret)
{
	*ret = 0;
	for (size_t i = at; i < at + count; i++) {
		if (i >= text.n || !g_ascii_isdigit(text.p[i]))
			return false;
		*ret = *ret * 10 + (text.p[i] - '0');
	}
	return true;
}

static bool is_one_of(struct text text, size_t at, const char *these)
{
	return at < text.n && text.p[at] && strchr(these, text.p[at]);
}

/* "Z", "+02:00", "-0700"; nothing counts as UTC. */
static int64_t zone_s(struct text text, size_t at)
{
	int hours, minutes;
	size_t colon;

	if (!is_one_of(text, at, "+-") || !digits_at(text, at + 1, 2, &hours))
		return 0;
	colon = at + 3 < text.n && text.p[at + 3] == ':';
	if (!digits_at(text, at + 3 + colon, 2, &minutes))
		return 0;
	return (text.p[at] == '-' ? -1 : 1) * (hours * 3600ll + minutes * 60ll);
}

/* "2026-01-02T15:04:05.999Z", "2026/01/02 15:04:05": the last two characters may be missing. */
static bool stamp_at(struct text text, size_t at, int64_t *ret)
{
	struct tm tm = {0};
	int64_t fraction = 0, unit = NS_PER_S, seconds;
	size_t end = at + 19;

	if (!digits_at(text, at, 4, &tm.tm_year) || !is_one_of(text, at + 4, "-/") ||
	    !digits_at(text, at + 5, 2, &tm.tm_mon) || !is_one_of(text, at + 7, "-/") ||
	    !digits_at(text, at + 8, 2, &tm.tm_mday) || !is_one_of(text, at + 10, "T ") ||
	    !digits_at(text, at + 11, 2, &tm.tm_hour) || !is_one_of(text, at + 13, ":") ||
	    !digits_at(text, at + 14, 2, &tm.tm_min) || !is_one_of(text, at + 16, ":") ||
	    !digits_at(text, at + 17, 2, &tm.tm_sec) || tm.tm_year < 1970)
		return false;
	if (is_one_of(text, end, ".,"))
		for (end++; end < text.n && g_ascii_isdigit(text.p[end]); end++) {
			unit /= 10;
			fraction += unit * (text.p[end] - '0');
		}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = timegm(&tm) - zone_s(text, end);
	if (seconds >= INT64_MAX / NS_PER_S - 1) /* the year 2262 */
		return false;
	*ret = seconds * NS_PER_S + fraction;
	return true;
}

static int64_t stamp_in(struct text prefix)
{
	int64_t stamp;

	for (size_t i = 0; i + 19 <= prefix.n; i++)
		if (stamp_at(prefix, i, &stamp))
			return stamp;
	return 0;
}

/* ", 4->5->1 MB, 5 MB goal, 1 MB stacks, 0 MB globals, 8 P (forced)" */
static bool take_heap(struct text at, struct gctrace_cycle *cycle)
{
	uint64_t procs;
	double value;

	if (!skip_to(&at, " ms cpu, ") || !take_number(&at, &cycle->before_mb) ||
	    !text_take(&at, "->") || !take_number(&at, &cycle->after_mb) || !text_take(&at, "->") ||
	    !take_number(&at, &cycle->live_mb) || !text_take(&at, " MB, ") ||
	    !take_number(&at, &cycle->goal_mb) || !text_take(&at, " MB goal"))
		return false;
	while (text_take(&at, ", ") && take_number(&at, &value)) {
		if (text_take(&at, " MB stacks"))
			cycle->stacks_mb = value;
		else if (text_take(&at, " MB globals"))
			cycle->globals_mb = value;
		else if (text_take(&at, " P")) {
			procs = (uint64_t)value;
			cycle->procs = (uint32_t)MIN(procs, UINT32_MAX);
		}
	}
	cycle->forced = text_take(&at, " (forced)");
	return true;
}

bool gctrace_line(struct text line, struct gctrace_cycle *ret)
{
	for (struct text at = line; skip_to(&at, "gc ");) {
		struct text prefix = {line.p, (size_t)(at.p - line.p) - 3}, rest = at;
		struct gctrace_cycle cycle = {0};

		if (!take_count(&rest, &cycle.number) || !text_take(&rest, " @") ||
		    !take_number(&rest, &cycle.at_s) || !text_take(&rest, "s ") ||
		    !take_number(&rest, &cycle.cpu_percent) || !text_take(&rest, "%") ||
		    !take_heap(rest, &cycle))
			continue;
		cycle.stamp_ns = stamp_in(prefix);
		*ret = cycle;
		return true;
	}
	return false;
}

static uint32_t named_count(struct text line, const char *name)
{
	uint64_t count = 0;

	if (!skip_to(&line, name) || !take_count(&line, &count))
		return 0;
	return (uint32_t)MIN(count, UINT32_MAX);
}

/* "runqueue=1 [0 2]" and, since 1.26, "runqueue=1 [ 0 2 ]" */
static uint64_t queues(struct text line)
{
	uint64_t sum = 0, one;

	if (!skip_to(&line, " runqueue=") || !take_count(&line, &sum))
		return 0;
	if (!text_take(&line, " ["))
		return sum;
	while (line.n && *line.p != ']') {
		while (text_take(&line, " "))
			;
		if (!take_count(&line, &one))
			break;
		sum += one;
	}
	return sum;
}

bool schedtrace_take(struct text line, struct schedtrace_line *ret)
{
	uint64_t at_ms;

	if (!skip_to(&line, "SCHED ") || !take_count(&line, &at_ms) ||
	    !text_take(&line, "ms: gomaxprocs="))
		return false;
	*ret = (struct schedtrace_line){
		.at_ms = (int64_t)at_ms,
		.idle_procs = named_count(line, " idleprocs="),
		.threads = named_count(line, " threads="),
		.idle_threads = named_count(line, " idlethreads="),
		.run_queue = queues(line),
	};
	take_count(&line, &at_ms);
	ret->gomaxprocs = (uint32_t)MIN(at_ms, UINT32_MAX);
	return true;
}
