// SPDX-License-Identifier: Apache-2.0
#include "report/chart.h"

#include <glib.h>

#define COLUMNS_PER_VALUE_MAX 3

bool chart_utf8(void) { return g_get_charset(NULL); }

size_t chart_width(size_t count, size_t room)
{
	if (count == 0)
		return 0;
	return count >= room ? room : count * MIN(room / count, COLUMNS_PER_VALUE_MAX);
}

size_t chart_column(size_t index, size_t count, size_t columns)
{
	return count ? MIN(index * columns / count, columns ? columns - 1 : 0) : 0;
}

char *chart_line(const double *values, size_t count, size_t columns, bool utf8)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};
	const size_t levels = G_N_ELEMENTS(blocks) - 1;
	g_autofree double *heights = g_new0(double, columns + 1);
	GString *line = g_string_new(NULL);
	double top = 0;

	for (size_t i = 0; i < count; i++) {
		size_t last = MAX(chart_column(i + 1, count, columns), 1) - 1;

		if (i + 1 == count)
			last = columns ? columns - 1 : 0;
		top = MAX(top, values[i]);
		for (size_t c = chart_column(i, count, columns); c < columns; c++) {
			heights[c] = MAX(heights[c], values[i]);
			if (c >= last)
				break;
		}
	}
	for (size_t c = 0; c < columns; c++) {
		size_t level = 0;

		if (top > 0 && heights[c] > 0)
			level = MAX((size_t)(heights[c] / top * (double)levels + 0.5), 1);
		g_string_append(line, (utf8 ? blocks : ascii)[MIN(level, levels)]);
	}
	return g_string_free(line, FALSE);
}
