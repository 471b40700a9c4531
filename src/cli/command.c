// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <glib.h>

static const struct command *const table[] = {
	&command_diagnose, &command_goroutines, &command_goroutine, &command_maps,
	&command_map,      &command_sites,      &command_record,    &command_growth,
	&command_explain,  &command_doctor,     &command_repro,     &command_sensitivity,
	&command_version,  &command_help_about, &command_run,       &command_attach,
	&command_detach,   &command_watch,
};

const struct command *const *commands(size_t *ret_count)
{
	*ret_count = G_N_ELEMENTS(table);
	return table;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		if (g_str_equal(table[i]->name, name))
			return table[i];
	return NULL;
}

#define SUGGEST_NAME_MAX 16
#define SUGGEST_DISTANCE 2

/* Levenshtein's distance, one row at a time. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[SUGGEST_NAME_MAX + 1];
	size_t n = strlen(b);

	if (n > SUGGEST_NAME_MAX)
		return SUGGEST_NAME_MAX;
	for (unsigned i = 0; i <= n; i++)
		row[i] = i;
	for (unsigned i = 1; *a; a++, i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			unsigned above = row[j];

			row[j] = MIN(MIN(row[j], row[j - 1]) + 1, diagonal + (*a != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

const struct command *command_suggest(const char *name)
{
	const struct command *best = NULL;
	unsigned least = SUGGEST_DISTANCE + 1;

	if (strlen(name) > SUGGEST_NAME_MAX)
		return NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		unsigned d = distance(name, table[i]->name);

		if (d < least) {
			least = d;
			best = table[i];
		}
	}
	return best;
}

void command_help(const struct command *command, FILE *out)
{
	fprintf(out,
		"mapfault %s: %s\n\nExamples:\n%s\nUsage: mapfault %s [OPTION...] "
		"%s\n\n%s\nOptions:\n",
		command->name, command->summary, command->examples, command->name,
		command->arguments, command->about);
	options_help(command->takes, out);
}

void commands_help(FILE *out)
{
	fputs("mapfault tells whose fault a Go \"fatal error: concurrent map writes\" was,\n"
	      "from a core file and the program that left it.\n\n"
	      "Examples:\n"
	      "  mapfault core ./server           # the verdict: map, both goroutines, both lines\n"
	      "  mapfault --json core ./server    # the same for programs\n"
	      "  mapfault goroutines core ./server\n"
	      "  mapfault sites ./server          # every map operation in its code\n\n"
	      "Commands:\n",
	      out);
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		fprintf(out, "  %-12s %s\n", table[i]->name, table[i]->summary);
	fputs("\n`mapfault help COMMAND` shows a command's examples and options.\n"
	      "To get a core file: run with GOTRACEBACK=crash and `ulimit -c unlimited`.\n",
	      out);
}
