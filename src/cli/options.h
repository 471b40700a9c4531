// SPDX-License-Identifier: Apache-2.0
// Options of the command line. Subcommands take groups of them, so that one name means one thing
// everywhere.
#pragma once
#include "base/error.h"
#include "findings/findings.h"

#include <glib.h>
#include <stdio.h>

enum option_group {
	OPTIONS_OUTPUT = 1 << 0,   /**< --json, --format, --color, -o, -q */
	OPTIONS_EVIDENCE = 1 << 1, /**< --force */
	OPTIONS_SOURCE = 1 << 2,   /**< --source-root */
	OPTIONS_VERDICT = 1 << 3,  /**< --fail-on */
	OPTIONS_VALUES = 1 << 4,   /**< --values, --limit */
	OPTIONS_ALL = 1 << 5,      /**< --all */
	OPTIONS_SYSTEM = 1 << 6,   /**< --system */
	OPTIONS_DOCTOR = 1 << 7,   /**< --pid, --root */
	/** -o DIR, --run, --source, --seconds, --download, --json, --color, -q */
	OPTIONS_REPRODUCE = 1 << 8,
	/** -o DIR, --go, --runs, --minutes, --svg, --download, --json, --color, -q */
	OPTIONS_SENSITIVITY = 1 << 9,
	OPTIONS_RECORD = 1 << 10,  /**< --pid, --remove, --keep, --folder, --report-shared */
	OPTIONS_PROCESS = 1 << 11, /**< --pid */
	OPTIONS_STOP = 1 << 12,  /**< --hold, --core, --record; options end at the first argument */
	OPTIONS_WATCH = 1 << 13, /**< --map, --type, --events, --seconds */
	OPTIONS_RECORDED = 1 << 14, /**< --allocs, --reads */
};
#define OPTION_GROUPS 15

enum output_format { FORMAT_TEXT, FORMAT_JSON };

struct options {
	gboolean hold, help, record, report_shared, allocs, reads, json, quiet, force, values, all,
		system, blocked, remove, keep, run, download;
	gint limit, pid, seconds, runs, minutes, events;
	char *go, *svg, *source;
	char *root, *folder, *map, *type;
	char *core, *format_name, *color_name, *source_root, *fail_on_name, *output;
	/* What the names above mean. */
	enum output_format format;
	bool color;
	bool fail; /**< --fail-on was given */
	enum confidence fail_on;
};

/** Parses and removes the options in @a argv that belong to @a groups. */
struct error *options_parse(unsigned groups, int *argc, char ***argv, struct options *ret);
void options_done(struct options *options);
/** Whether what goes to @a fd is to be colored: as asked, else when it is a terminal. */
bool options_color_on(const struct options *options, int fd);
/** Prints one line an option. */
void options_help(unsigned groups, FILE *out);
/** Columns of the terminal on standard output; $COLUMNS, else 100. */
unsigned options_width(void);
