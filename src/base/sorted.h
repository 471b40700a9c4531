// SPDX-License-Identifier: Apache-2.0
// Arrays in ascending order of a number that each element begins with.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** For qsort(): by the number at the beginning of each. */
static inline int sorted_compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/**
 * The elements of @a size bytes each that begin with @a key: the index of the first, or where it would stand; how many
 * goes to @a ret_count.
 */
static inline size_t sorted_run(const void *elements, size_t count, size_t size, uint64_t key,
				size_t *ret_count)
{
	const char *base = elements;
	size_t low = 0, high = count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sorted_compare(base + middle * size, &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < count && sorted_compare(base + end * size, &key) == 0;)
		end++;
	*ret_count = end - low;
	return low;
}
