// SPDX-License-Identifier: Apache-2.0
/* lichen attach: our streams become, besides others', those of a cell's command; and what the commands that attach share. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cells.h"
#include "cli/words.h"
#include "host/attach.h"
#include "host/cell_control.h"
#include "lichen.h"

#define ANSWER_MS 10000

struct attach_options {
	bool no_input, no_proxy;
	struct cells_keys keys;
};

static int parse_proxy(void *field, const char *value, struct option_error *error)
{
	bool *no_proxy = field;
	*no_proxy = strcmp(value, "false") == 0;
	return *no_proxy || strcmp(value, "true") == 0
		     ? 0
		     : options_refuse(error, "option '--sig-proxy' needs true or false, not '%.100s'", value);
}

int cells_parse_keys(void *field, const char *value, struct option_error *error)
{
	struct cells_keys *given = field;
	given->given = true;
	return detach_keys_parse(value, &given->keys) < 0
		     ? options_refuse(
			       error,
			       "option '--detach-keys' needs at most %u keys separated by commas, letters or ctrl-X, not '%.100s'",
			       DETACH_KEYS_MAX, value)
		     : 0;
}

struct detach_keys cells_keys(const struct cells_keys *given)
{
	return given->given ? given->keys : DETACH_KEYS_DEFAULT;
}

void cells_say_detached(const struct command *command, const char *what, const char *back)
{
	fprintf(stderr, "\nlichen %s: detached; %s goes on%s%s\n", command->name, what, back ? ": lichen attach " : "",
		back ? back : "");
}

static const struct option_row options[] = {
	{ .name = "no-stdin", .offset = offsetof(struct attach_options, no_input), .help = "do not read our standard input" },
	{ .name = "sig-proxy",
	  .value = "BOOL",
	  .offset = offsetof(struct attach_options, no_proxy),
	  .parse = parse_proxy,
	  .help = "pass signals on to a command without a terminal (true), or let them end us (false)" },
	CELLS_KEYS_OPTION(struct attach_options, keys, false),
};

/* How the cell ended, as far as its monitor has written it down. */
static int say_lost(const char *word)
{
	return cells_say(&command_attach, word, "its monitor was killed: how it ended is not known");
}

static int attach(int connection, u32 streams, const struct attach_options *given, const char *word)
{
	struct attach to = {
		.connection = connection,
		.terminal = streams & CELL_HAS_TERMINAL,
		.input = (streams & CELL_TAKES_INPUT) && !given->no_input,
		.proxy = !given->no_proxy && !(streams & CELL_HAS_TERMINAL),
		.keys = cells_keys(&given->keys),
	};
	if (to.terminal && to.input && !isatty(STDIN_FILENO))
		return cells_say(&command_attach, word, "it reads from a terminal, and standard input is none: --no-stdin");
	if (to.terminal)
		attach_say_size(connection);
	int status = 0, r = attach_run(&to, &status);
	if (r == ATTACH_LOST)
		return say_lost(word);
	if (r == ATTACH_DETACHED)
		cells_say_detached(&command_attach, "the cell", word);
	if (r < 0)
		return cells_say(&command_attach, word, "%s (%s)", strerror(-r), errno_name(-r));
	return status;
}

static int attach_to(const struct cell_found *found, const struct attach_options *given, const char *word)
{
	u32 streams;
	if (found->state.status >= CELL_EXITED)
		return cells_say(&command_attach, word, "it does not run");
	if (found->state.flags & CELL_PAUSED)
		return cells_say(&command_attach, word, "it is paused; `lichen unpause %s`", word);
	CLEANUP_FD int connection = cell_control_attach(found->dir, ANSWER_MS, &streams);
	if (connection >= 0)
		return attach(connection, streams, given, word);
	if (connection == -EOPNOTSUPP)
		return cells_say(
			&command_attach, word,
			"its command has the streams of the `lichen run` that started it: attach to cells with --detach or --tty");
	if (connection == -ESRCH)
		return cells_say(&command_attach, word, "it does not run");
	return cells_say(&command_attach, word, "cannot attach: %s (%s)", strerror(-connection), errno_name(-connection));
}

static int run(int argc, char **argv)
{
	struct attach_options given = { 0 };
	struct cell_found found;
	int first, status = command_parse(&command_attach, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (argc - first != 1)
		return command_usage(&command_attach, first == argc ? "which cell?" : "to one at a time");
	CLEANUP_FD int store = cells_open(&command_attach);
	if (store < 0 || cells_find(&command_attach, store, argv[first], &found) < 0)
		return CELLS_FAILED;
	status = attach_to(&found, &given, argv[first]);
	cells_done(&found);
	return status;
}

static const char *const notes[] = {
	"Exit status: that of the cell, 128+n when signal n ended it; 0 detached; 1 no such cell, or it does not run.",
	NULL,
};

const struct command command_attach = {
	.name = "attach",
	.synopsis = "[OPTION…] CELL",
	.summary = "Attaches to the streams of a cell's command",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.notes = notes,
	.run = run,
};
