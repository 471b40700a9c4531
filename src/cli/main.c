// SPDX-License-Identifier: Apache-2.0
// Finds the command, parses its options, runs it, and tells the user what went wrong and what to do
// next.
#include "cli/command.h"

#include "evidence/file/mapping.h"
#include "report/utf8.h"

#include <locale.h>
#include <sys/stat.h>

#define STATUS_USAGE 2

/* The one place where an error meets the user. Its text may quote names from the evidence. */
static int complain(struct error *error)
{
	g_autofree char *text = utf8_safe(error_text(error));
	g_autofree char *hint = utf8_safe(error_hint(error));
	int status = error_exit_status(error_code(error));

	fprintf(stderr, "mapfault: %s\n  next: %s\n", text, hint);
	error_free(error);
	return status;
}

static bool is_file(const char *name)
{
	struct stat info;

	return strchr(name, '/') || g_str_equal(name, "-") || stat(name, &info) == 0;
}

static struct error *unknown(const char *name)
{
	const struct command *close = command_suggest(name);
	struct error *error = error_new(ERROR_NOT_FOUND, place_whole(""),
					"\"%s\" is neither a command nor a file", name);

	if (close)
		return error_with_hint(error, "did you mean `mapfault %s`?", close->name);
	return error_with_hint(error, "see `mapfault help`");
}

/* The first word, if it names a command, which is then removed; else diagnose. */
static struct error *choose(int *argc, char **argv, const struct command **ret)
{
	*ret = command_find(argv[1]);
	if (*ret) {
		memmove(argv + 1, argv + 2, (size_t)(*argc - 1) * sizeof(*argv));
		(*argc)--;
		return NULL;
	}
	*ret = &command_diagnose;
	return argv[1][0] == '-' || is_file(argv[1]) ? NULL : unknown(argv[1]);
}

static struct error *check_count(const struct invocation *invocation)
{
	const struct command *command = invocation->command;
	// a process given with --pid takes the place of one file
	bool pid = (command->takes & OPTIONS_PROCESS) && invocation->options.pid;
	size_t n = invocation->argument_count + pid;

	if (n >= command->arguments_min && n <= command->arguments_max)
		return NULL;
	return error_with_hint(error_new(ERROR_USAGE, place_whole(""), "%s: too %s arguments",
					 command->name,
					 n < command->arguments_min ? "few" : "many"),
			       "mapfault %s%s%s; see `mapfault help %s`", command->name,
			       *command->arguments ? " " : "", command->arguments, command->name);
}

static struct error *run(struct invocation *invocation, int argc, char **argv, int *ret_status)
{
	struct error *error, *lost;

	TRY(choose(&argc, argv, &invocation->command));
	TRY(options_parse(invocation->command->takes, &argc, &argv, &invocation->options));
	invocation->arguments = argv + 1;
	invocation->argument_count = (size_t)argc - 1;
	if (invocation->options.help) {
		command_help(invocation->command, stdout);
		return NULL;
	}
	TRY(check_count(invocation));
	error = invocation->command->run(invocation, ret_status);
	lost = mappings_check(); // if so, it is the reason for whatever else went wrong
	if (!lost)
		return error;
	error_free(error);
	return lost;
}

/* `mapfault --help` is about the whole program, `mapfault --version` a habit. */
static bool is_alone(int argc, char **argv, const char *option)
{
	return argc == 2 && g_str_equal(argv[1], option);
}

/* GLib tells so when it gets no memory, and would abort. */
static void on_log(const char *domain, GLogLevelFlags level, const char *message, void *unused)
{
	if ((level & G_LOG_LEVEL_ERROR) && (!message || strstr(message, "failed to allocate")))
		memory_exhausted();
	g_log_default_handler(domain, level, message, unused);
}

int main(int argc, char **argv)
{
	char *version[] = {argv[0], (char[]){"version"}, NULL};
	struct invocation invocation = {0};
	struct error *error;
	int status = 0;

	setlocale(LC_CTYPE, "");
	g_log_set_default_handler(on_log, NULL);
	if (argc < 2 || is_alone(argc, argv, "--help") || is_alone(argc, argv, "-h")) {
		commands_help(argc < 2 ? stderr : stdout);
		return argc < 2 ? STATUS_USAGE : 0;
	}
	if (is_alone(argc, argv, "--version"))
		error = run(&invocation, 2, version, &status);
	else
		error = run(&invocation, argc, argv, &status);
	options_done(&invocation.options);
	return error ? complain(error) : status;
}
