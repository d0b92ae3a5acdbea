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
#include "cli/guest_user.h"
#include "cli/words.h"
#include "host/cell_join.h"
#include "host/cell_tree.h"
#include "lichen.h"

struct exec_options {
	bool detach, interactive, tty;
	const char *workdir;
	struct guest_user user;
	struct option_words env;
	struct cells_keys keys;
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
	  .help = "give the command a terminal of its own" },
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
	GUEST_USER_OPTION(struct exec_options, user),
	CELLS_KEYS_OPTION(struct exec_options, keys, false),
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

/* Who the command is: by the cell's own files as they are now. Returns -1, or the exit status after saying what is wrong. */
static int find_user(const struct cell_found *found, const struct exec_options *given, struct user_found *ret)
{
	struct cell_tree_spec spec;
	const char *layers[2];
	u32 count = 0;
	int error = cell_tree_read(found->config, found->dir, &spec);
	if (error && error != -ENODATA) {
		fprintf(stderr, "lichen exec: the cell's config.json is damaged\n");
		return LICHEN_EXIT_FAILED;
	}
	if (spec.tree.upper)
		layers[count++] = spec.tree.upper;
	layers[count++] = spec.tree.root ? spec.tree.root : "/";
	int status = guest_user_find(&command_exec, &given->user, NULL, layers, count, ret);
	cell_tree_done(&spec);
	return status;
}

/* The cell's variables, HOME of another user, and what the command line says; in one array, whose last words live as long as the process. */
static char **make_env(const struct cell_found *found, const struct exec_options *given, char *const *cell, const char *home)
{
	struct option_words of_user = { home ? (const char *[]){ home, NULL } : NULL, home != NULL };
	char **first = guest_env(&of_user, cell), **second = first ? guest_env(&given->env, first) : NULL;
	char **env = second ? cells_env(second, found->id) : NULL;
	free((void *)first);
	free((void *)second);
	return env;
}

static int join_cell(const struct cell_found *found, const struct exec_options *given, struct cell_join *join, bool *ret_detached,
		     struct launch_result *result)
{
	struct launch_limit *limits = NULL;
	const char *network = json_string_value(json_object_get(found->config, "network"));
	int r = cell_limits(found->config, &limits, &join->limit_count);
	if (r < 0)
		return r;
	if (network && strcmp(network, "none") == 0)
		join->launch.network = LAUNCH_NETWORK_NONE;
	join->launch.join_pid = found->state.pid;
	join->limits = limits;
	join->placed = given->workdir != NULL;
	join->terminal = given->tty;
	join->interactive = given->interactive;
	join->detached = given->detach;
	join->detach_keys = cells_keys(&given->keys);
	r = cell_join_run(join, ret_detached, result);
	free(limits);
	return r;
}

static int run_in(const struct cell_found *found, const struct exec_options *given, const char *word, char *const *argv)
{
	struct launch_result result = { .status = LICHEN_EXIT_FAILED, .stage = "the cell's config.json is damaged" };
	struct user_found user;
	char *home = NULL;
	int status = guest_user_given(&given->user) ? find_user(found, given, &user) : -1;
	if (status >= 0)
		return status;
	if (guest_user_given(&given->user) && asprintf(&home, "HOME=%s", user.home) < 0)
		home = NULL;
	char **cell = cell_strings(found->config, "env"), **env = cell ? make_env(found, given, cell, home) : NULL;
	char *workdir = workdir_of(found, given->workdir);
	CLEANUP_FD int null = given->interactive && !given->detach ? FD_NONE : open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct cell_join join = { .dir = found->dir, .input = null, .output = FD_NONE };
	int r = env && workdir ? 0 : -EBADMSG;
	bool detached = false;
	if (r == 0) {
		join.launch = (struct launch){ .argv = argv, .envp = env, .workdir = workdir };
		join.launch.become = guest_user_given(&given->user);
		if (join.launch.become)
			join.launch.identity = user.identity;
		r = join_cell(found, given, &join, &detached, &result);
	}
	if (r == -EBUSY && result.status == LICHEN_EXIT_FAILED)
		result.status = cells_say(&command_exec, word, "it is paused; `lichen unpause %s`", word);
	else if (r == -ESRCH && result.status == LICHEN_EXIT_FAILED)
		result.status = cells_say(&command_exec, word, "it does not run");
	else if (r < 0)
		guest_say_failure(argv[0], workdir, &result);
	else if (detached && !given->detach)
		cells_say_detached(&command_exec, "the command", NULL);
	free((void *)env); /* the mark in it lives as long as the process */
	cell_strings_free(cell);
	free(workdir);
	free(home);
	return r < 0 || !detached ? result.status : 0;
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
	if (given.tty && (given.detach || (given.interactive && !isatty(STDIN_FILENO))))
		return command_usage(&command_exec, given.detach ? "--tty and --detach contradict each other"
								 : "--tty and --interactive: standard input is no terminal");
	CLEANUP_FD int store = cells_open(&command_exec);
	if (store < 0 || cells_find(&command_exec, store, argv[first], &found) < 0)
		return CELLS_FAILED;
	char **command = argv + first + 1;
	if (strcmp(*command, "--") == 0 && command[1])
		command++;
	status = found.state.status == CELL_RUNNING ? run_in(&found, &given, argv[first], command)
						    : cells_say(&command_exec, argv[first], "it does not run");
	cells_done(&found);
	free((void *)given.env.words);
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
