// SPDX-License-Identifier: Apache-2.0
// The command table: one row a subcommand, each in a file of its own.
#pragma once
#include "base/error.h"
#include "cli/options.h"

/** What a command works with: its options, parsed, and the arguments that are left. */
struct invocation {
	const struct command *command;
	struct options options;
	char **arguments; /**< NULL-terminated */
	size_t argument_count;
};

struct command {
	const char *name;
	const char *arguments; /**< "EVIDENCE..." */
	const char *summary;   /**< one line, for the list of commands */
	const char *examples;  /**< lines of " mapfault ..." */
	const char *about;     /**< a paragraph */
	unsigned takes;        /**< enum option_group bits */
	size_t arguments_min, arguments_max;
	/** @a ret_status is the exit status of a run that did what it was asked. */
	struct error *(*run)(const struct invocation *invocation, int *ret_status);
};

/** All of them, in the order of the help. */
const struct command *const *commands(size_t *ret_count);
/** NULL when there is none of that name. */
const struct command *command_find(const char *name);
/** The command whose name is closest to a mistyped @a name; NULL when none is close. */
const struct command *command_suggest(const char *name);
/** Prints a command's help: examples first, then options. */
void command_help(const struct command *command, FILE *out);
/** Prints the list of commands. */
void commands_help(FILE *out);

extern const struct command command_diagnose, command_goroutines, command_goroutine, command_maps,
	command_map, command_run, command_attach, command_detach, command_watch, command_sites,
	command_record, command_growth, command_explain, command_doctor, command_repro,
	command_sensitivity, command_version, command_help_about;
