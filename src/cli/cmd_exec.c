// SPDX-License-Identifier: Apache-2.0
/* lichen exec: runs a further command in a cell. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cell_options.h"
#include "cli/cells.h"
#include "cli/words.h"
#include "host/cell_join.h"
#include "lichen.h"

struct exec_options {
	bool detach, interactive, tty;
	const char *workdir;
	struct option_words env;
};

static const struct option_row options[] = {
	{ .name = "detach",
	  .letter = 'd',
	  .offset = offsetof(struct exec_options, detach),
	  .help = "run in the background; its output is dropped" },
	{ .name = "interactive",
	  .letter = 'i',
	  .offset = offsetof(struct exec_options, interactive),
	  .help = "let the command read our standard input" },
	{ .name = "tty",
	  .letter = 't',
	  .offset = offsetof(struct exec_options, tty),
	  .help = "insist that standard input is a terminal" },
	{ .name = "env",
	  .letter = 'e',
	  .value = "KEY[=VALUE]",
	  .offset = offsetof(struct exec_options, env),
	  .parse = guest_parse_env,
	  .help = "set a variable, besides those of the cell; without value: as it is here" },
	{ .name = "workdir",
	  .letter = 'w',
	  .value = "DIR",
	  .offset = offsetof(struct exec_options, workdir),
	  .help = "run in this directory, instead of the cell's; from there if it is not absolute" },
};

/* The directory to run in, allocated. */
static char *workdir_of(const struct cell_found *found, const char *given)
{
	char *cell = cell_text_bytes(json_object_get(found->config, "workdir")), *path = NULL;
	if (!cell || !given)
		return cell;
	if (asprintf(&path, "%s%s%s", *given == '/' ? "" : cell, *given == '/' ? "" : "/", given) < 0)
		path = NULL;
	free(cell);
	return path;
}

static int run_in(const struct cell_found *found, const struct exec_options *given, const char *word, char *const *argv)
{
	struct launch_result result = { .status = LICHEN_EXIT_FAILED, .stage = "the cell's config.json is damaged" };
	struct launch_limit *limits = NULL;
	struct cell_join join = {
		.dir = found->dir, .input = FD_NONE, .output = FD_NONE, .detached = given->detach, .placed = given->workdir != NULL
	};
	char **cell = cell_strings(found->config, "env"), **merged = cell ? guest_env(&given->env, cell) : NULL;
	char **env = merged ? cells_env(merged, found->id) : NULL, *workdir = workdir_of(found, given->workdir);
	CLEANUP_FD int null = given->interactive && !given->detach ? FD_NONE : open("/dev/null", O_RDONLY | O_CLOEXEC);
	int r = env && workdir ? cell_limits(found->config, &limits, &join.limit_count) : -EBADMSG;
	if (r == 0) {
		join.limits = limits;
		join.input = null;
		join.launch = (struct launch){ .argv = argv, .envp = env, .workdir = workdir };
		r = cell_join_run(&join, &result);
	}
	if (r == -EBUSY && result.status == LICHEN_EXIT_FAILED)
		result.status = cells_say(&command_exec, word, "it is paused; `lichen unpause %s`", word);
	else if (r == -ESRCH && result.status == LICHEN_EXIT_FAILED)
		result.status = cells_say(&command_exec, word, "it does not run");
	else if (r < 0)
		guest_say_failure(argv[0], workdir, &result);
	free((void *)env); /* the mark in it lives as long as the process */
	free((void *)merged);
	cell_strings_free(cell);
	free(workdir);
	free(limits);
	return r < 0 || !given->detach ? result.status : 0;
}

static int run(int argc, char **argv)
{
	struct exec_options given = { 0 };
	struct cell_found found;
	int first, status = command_parse(&command_exec, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (argc - first < 2)
		return command_usage(&command_exec, first == argc ? "which cell?" : "there is no command to run");
	if (given.tty && (given.detach || !isatty(STDIN_FILENO)))
		return command_usage(&command_exec, given.detach ? "--tty and --detach contradict each other"
								 : "--tty: standard input is no terminal");
	CLEANUP_FD int store = cells_open(&command_exec);
	if (store < 0 || cells_find(&command_exec, store, argv[first], &found) < 0)
		return CELLS_FAILED;
	char **command = argv + first + 1;
	if (strcmp(*command, "--") == 0 && command[1])
		command++;
	status = found.state.status == CELL_RUNNING ? run_in(&found, &given, argv[first], command)
						    : cells_say(&command_exec, argv[first], "it does not run");
	cells_done(&found);
	return status;
}

static const char *const notes[] = {
	"Exit status: that of CMD, 128+n when signal n ended it; 1 no such cell, or it does not run; 125 lichen failed, 126 CMD cannot be "
	"executed, 127 no such CMD.",
	NULL,
};

const struct command command_exec = {
	.name = "exec",
	.synopsis = "[OPTION…] CELL CMD [ARG…]",
	.summary = "Runs a further command in a cell",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.word_ends_options = true,
	.usage_status = LICHEN_EXIT_FAILED,
	.notes = notes,
	.run = run,
};
