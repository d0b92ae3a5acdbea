// SPDX-License-Identifier: Apache-2.0
/* lichen COMMAND: finds the command, and answers help and --version. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "cli/cell_helper.h"
#include "cli/commands.h"
#include "cli/words.h"
#include "host/supervise.h"
#include "lichen.h"

/* In the order in which they are listed. */
static const struct listed_command {
	const char *about; /* what those from here on are about; NULL = as before */
	const struct command *command;
} commands[] = {
	{ "machine", &command_doctor }, { NULL, &command_why },     { "cells", &command_run },   { NULL, &command_exec },
	{ NULL, &command_attach },      { NULL, &command_ps },      { NULL, &command_logs },     { NULL, &command_stop },
	{ NULL, &command_kill },        { NULL, &command_wait },    { NULL, &command_rm },       { NULL, &command_inspect },
	{ NULL, &command_top },         { NULL, &command_stats },   { NULL, &command_diff },     { NULL, &command_cp },
	{ NULL, &command_export },      { NULL, &command_commit },  { NULL, &command_pause },    { NULL, &command_unpause },
	{ NULL, &command_update },      { NULL, &command_rename },  { "images", &command_pull }, { NULL, &command_images },
	{ NULL, &command_load },        { NULL, &command_save },    { NULL, &command_tag },      { NULL, &command_rmi },
	{ NULL, &command_image },       { NULL, &command_volume },  { NULL, &command_system },   { "daemons", &command_up },
	{ NULL, &command_down },        { NULL, &command_restart }, { NULL, &command_reload },   { NULL, &command_status },
	{ NULL, &command_oci },         { "cages", &command_cage }, { NULL, &command_flow },     { NULL, &command_audit },
	{ NULL, &command_pii },
};

int command_usage(const struct command *command, const char *format, ...)
{
	va_list args;
	fprintf(stderr, "lichen %s: ", command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry 'lichen %s --help'.\n", command->name);
	return command->usage_status;
}

int command_no_action(const struct command *command, const char *word, const char *actions)
{
	if (!word)
		return command_usage(command, "there is nothing to do: %s", actions);
	return command_usage(command, "there is no '%.80s': %s", word, actions);
}

int command_flush(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "lichen: cannot write the output: %s\n", strerror(errno ? errno : EIO));
	return LICHEN_EXIT_IO;
}

int command_parse(const struct command *command, int argc, char **argv, void *into, int *ret_first)
{
	struct option_error error;
	int outcome = options_parse(command, argc, argv, into, ret_first, &error);
	switch (outcome) {
	case OPTIONS_OK:
		return -1;
	case OPTIONS_HELP:
	case OPTIONS_HELP_ALL:
		options_help(command, outcome == OPTIONS_HELP_ALL, stdout);
		return command_flush(0);
	default:
		return command_usage(command, "%s", error.text);
	}
}

static const struct command *find_command(const char *name)
{
	if (strcmp(name, command_init.name) == 0)
		return &command_init;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].command->name, name) == 0)
			return commands[i].command;
	return NULL;
}

static void print_commands(FILE *to)
{
	fputs("Usage: lichen COMMAND [OPTION…] [ARG…]\n"
	      "Runs programs where the kernel lacks what they need, and says what it lacks.\n\n",
	      to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-9s%-9s%s\n", commands[i].about ? commands[i].about : "", commands[i].command->name,
			commands[i].command->summary);
	fputs("           help     Tells about a command: lichen help run\n"
	      "\n"
	      "      --version  print the version and exit\n"
	      "  -h, --help     print this and exit\n",
	      to);
}

static int unknown_command(const char *name)
{
	struct guess guess = { .word = name };
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		guess_consider(&guess, commands[i].command->name);
	guess_consider(&guess, "help");
	const char *what = name[0] == '-' ? "option" : "command";
	if (guess.best)
		fprintf(stderr, "lichen: unknown %s '%s'; did you mean '%s'?\n", what, name, guess.best);
	else
		fprintf(stderr, "lichen: unknown %s '%s'\n", what, name);
	fputs("Try 'lichen help'.\n", stderr);
	return LICHEN_EXIT_USAGE;
}

static int help(const char *name)
{
	if (name && (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0))
		name = NULL;
	const struct command *command = name ? find_command(name) : NULL;
	if (name && !command)
		return unknown_command(name);
	if (command)
		options_help(command, false, stdout);
	else
		print_commands(stdout);
	return command_flush(0);
}

/* A link of this name is `lichen oci`, for those that take a runtime's path alone: containerd's BinaryName, podman's --runtime. */
static bool is_runtime(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strcmp(slash ? slash + 1 : path, "lichen-oci") == 0;
}

/* A stream that is closed stays so, for us and for who is started; but no file of ours comes to its number, into which others' words would go. */
static void keep_streams(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
}

int main(int argc, char **argv)
{
	keep_streams();
	supervise_take_children();
	if (argc > 1 && strcmp(argv[1], CELL_HELPER_NAME) == 0)
		return cell_helper_main(argc - 1, argv + 1);
	static char output[1 << 16]; /* holds any output whole, so that command_flush() learns the errno of writing it */
	setvbuf(stdout, output, _IOFBF, sizeof(output));
	if (argc > 0 && is_runtime(argv[0]))
		return command_oci.run(argc, argv);
	const char *name = argc > 1 ? argv[1] : NULL;
	if (!name) {
		print_commands(stderr);
		return LICHEN_EXIT_USAGE;
	}
	if (strcmp(name, "--version") == 0) {
		puts("lichen " LICHEN_VERSION);
		return command_flush(0);
	}
	if (strcmp(name, "help") == 0)
		return help(argc > 2 ? argv[2] : NULL);
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help(NULL);
	const struct command *command = find_command(name);
	if (!command)
		return unknown_command(name);
	return command->run(argc - 1, argv + 1);
}
