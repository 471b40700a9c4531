// SPDX-License-Identifier: Apache-2.0
#include "findings/changepoint.h"

#include <glib.h>
#include <math.h>

#define PENALTY_FACTOR                                                                             \
	3 /* of ln n for each change: twice is Schwarz's criterion, which splits often */

struct partition {
	double *sum, *squares; /* of the first i values */
	double *best;          /* least cost of the first i values */
	size_t *last;          /* where the last segment of that begins */
	size_t *open;          /* beginnings that may still win */
	size_t open_count;
	double penalty;
};

/* Squared distances of values[from..to) from their mean. */
static double cost(const struct partition *p, size_t from, size_t to)
{
	double n = (double)(to - from), sum = p->sum[to] - p->sum[from];

	return MAX(p->squares[to] - p->squares[from] - sum * sum / n, 0);
}

static void extend(struct partition *p, size_t to)
{
	size_t kept = 0;

	p->best[to] = INFINITY;
	for (size_t i = 0; i < p->open_count; i++) {
		size_t from = p->open[i];
		double total = p->best[from] + cost(p, from, to) + p->penalty;

		if (total < p->best[to]) {
			p->best[to] = total;
			p->last[to] = from;
		}
	}
	for (size_t i = 0; i < p->open_count; i++) /* PELT: the others can never be best again */
		if (p->best[p->open[i]] + cost(p, p->open[i], to) <= p->best[to])
			p->open[kept++] = p->open[i];
	p->open_count = kept;
	p->open[p->open_count++] = to;
}

static size_t trace_back(const struct partition *p, size_t count, size_t *ret_starts)
{
	size_t n = 0, at = 0;

	for (size_t end = count; end > 0 && p->last[end] > 0; end = p->last[end])
		n++;
	for (size_t end = count; end > 0 && p->last[end] > 0; end = p->last[end])
		ret_starts[n - ++at] = p->last[end];
	return n;
}

size_t changepoint_find(const double *values, size_t count, double penalty, size_t *ret_starts)
{
	g_autofree double *numbers = g_new0(double, 3 * (count + 1));
	g_autofree size_t *indexes = g_new0(size_t, 2 * (count + 2));
	struct partition p = {
		.sum = numbers,
		.squares = numbers + count + 1,
		.best = numbers + 2 * (count + 1),
		.last = indexes,
		.open = indexes + count + 1,
		.open_count = 1,
		.penalty = penalty,
	};

	for (size_t i = 0; i < count; i++) {
		p.sum[i + 1] = p.sum[i] + values[i];
		p.squares[i + 1] = p.squares[i] + values[i] * values[i];
	}
	p.best[0] = -penalty; /* the first segment is no change */
	for (size_t to = 1; to <= count; to++)
		extend(&p, to);
	return trace_back(&p, count, ret_starts);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double changepoint_noise(const double *values, size_t count)
{
	g_autofree double *steps = g_new(double, count + 1);
	size_t n = count ? count - 1 : 0;
	double median;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		steps[i] = fabs(values[i + 1] - values[i]);
	qsort(steps, n, sizeof(*steps), by_value);
	median = n % 2 ? steps[n / 2] : (steps[n / 2 - 1] + steps[n / 2]) / 2;
	return 1.4826 / G_SQRT2 * median;
}

double changepoint_penalty(double noise, size_t count)
{
	return PENALTY_FACTOR * noise * noise * log((double)MAX(count, 2));
}
