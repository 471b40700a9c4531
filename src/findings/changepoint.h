// SPDX-License-Identifier: Apache-2.0
// Where a noisy series changes its level: penalised least squares.
#pragma once
#include <stddef.h>

/**
 * Splits values[0..count) into segments of constant mean so that
 *     sum of squared distances from the segments' means + penalty * number of changes
 * is least over all ways to split (optimal partitioning; candidates that can never win again are
 * pruned as PELT does: Killick, Fearnhead, Eckley, "Optimal detection of changepoints with a linear
 * computational cost", JASA 107, 2012). Exact: there is no start value and no chance in it. A
 * segment may be as short as one value, so a jump is placed between the two values it lies between.
 *
 * @param ret_starts  room for @a count indexes: the first value of each segment but the first
 * @return how many changes
 */
size_t changepoint_find(const double *values, size_t count, double penalty, size_t *ret_starts);

/**
 * Standard deviation of the noise, from differences of neighbours: 1.4826 / sqrt(2) times their
 * median absolute value. A few jumps do not move it.
 */
double changepoint_noise(const double *values, size_t count);

/** The penalty that the program uses for noise of that size: 3 * noise^2 * ln(count). */
double changepoint_penalty(double noise, size_t count);
