// SPDX-License-Identifier: Apache-2.0
// A chart of squares, two panels: the share of runs that two goroutines' race was noticed in, and the
// goroutines that it takes to be noticed in nearly all.
#include "reproduce/sensitivity.h"

#include <glib.h>

#define LEFT   120
#define TOP    64
#define CELL_W 44
#define CELL_H 24
#define GAP    72
#define FONT   "font-family=\"sans-serif\" font-size=\"12\""

struct panel {
	const struct sensitivity *s;
	FILE *out;
	unsigned top;
};

static void text(const struct panel *panel, unsigned x, unsigned y, const char *anchor,
		 const char *color, const char *words)
{
	fprintf(panel->out,
		"<text x=\"%u\" y=\"%u\" text-anchor=\"%s\" fill=\"%s\" " FONT ">%s</text>\n", x, y,
		anchor, color, words);
}

/* From white to a full blue; dark squares have white words. */
static void square(const struct panel *panel, size_t column, size_t row, double depth,
		   const char *words)
{
	unsigned x = LEFT + (unsigned)column * CELL_W, y = panel->top + (unsigned)row * CELL_H;
	unsigned red = (unsigned)(247 - depth * (247 - 8)),
		 green = (unsigned)(251 - depth * (251 - 69));
	unsigned blue = (unsigned)(255 - depth * (255 - 148));

	fprintf(panel->out,
		"<rect x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" fill=\"rgb(%u,%u,%u)\"/>\n", x,
		y, CELL_W - 1, CELL_H - 1, red, green, blue);
	text(panel, x + CELL_W / 2, y + 16, "middle", depth > 0.55 ? "white" : "#222", words);
}

static void frame(const struct panel *panel, const char *title)
{
	text(panel, 8, panel->top - 32, "start", "#222", title);
	for (size_t v = 0; v < panel->s->version_count; v++) {
		g_autofree char *minor =
			g_strdup_printf("1.%u", toolchain_minor(panel->s->versions[v]));

		text(panel, LEFT + (unsigned)v * CELL_W + CELL_W / 2, panel->top - 8, "middle",
		     "#222", minor);
	}
	for (size_t race = 0; race < sensitivity_race_count; race++)
		text(panel, LEFT - 8, panel->top + (unsigned)race * CELL_H + 16, "end", "#222",
		     sensitivity_races[race].label);
}

static void share_panel(const struct panel *panel)
{
	const struct sensitivity *s = panel->s;

	frame(panel, "Share of runs in which the race of two goroutines was noticed, percent");
	for (size_t v = 0; v < s->version_count; v++)
		for (size_t race = 0; race < sensitivity_race_count; race++) {
			const struct sensitivity_cell *cell =
				sensitivity_find(s, s->versions[v], race, 2, sensitivity_procs(s));
			double share = cell && cell->runs ? (double)cell->detected / cell->runs : 0;
			g_autofree char *words =
				cell ? g_strdup_printf("%.0f", 100 * share) : g_strdup("");

			square(panel, v, race, share, words);
		}
}

static void enough_panel(const struct panel *panel)
{
	const struct sensitivity *s = panel->s;
	double counts = 0;

	for (const unsigned *n = sensitivity_goroutines; *n; n++)
		counts++;
	frame(panel,
	      "Goroutines until at least 99 % of the runs are noticed (- : not even with 64)");
	for (size_t v = 0; v < s->version_count; v++)
		for (size_t race = 0; race < sensitivity_race_count; race++) {
			unsigned enough = sensitivity_enough(s, s->versions[v], race, 0.99);
			bool known = sensitivity_find(s, s->versions[v], race, 2,
						      sensitivity_procs(s)) != NULL;
			g_autofree char *words = !known   ? g_strdup("")
						 : enough ? g_strdup_printf("%u", enough)
							  : g_strdup("-");
			double rank = 0;

			for (const unsigned *n = sensitivity_goroutines; *n; n++)
				rank += enough && *n >= enough;
			square(panel, v, race, rank / counts, words);
		}
}

void sensitivity_svg(const struct sensitivity *s, FILE *out)
{
	unsigned height = (unsigned)sensitivity_race_count * CELL_H;
	unsigned width = LEFT + (unsigned)s->version_count * CELL_W + 16;
	struct panel panel = {s, out, TOP};

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		width, TOP + 2 * height + GAP + 16, width, TOP + 2 * height + GAP + 16);
	share_panel(&panel);
	panel.top = TOP + height + GAP;
	enough_panel(&panel);
	fputs("</svg>\n", out);
}
