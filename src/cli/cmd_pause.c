// SPDX-License-Identifier: Apache-2.0
/* lichen pause and lichen unpause: cells that stand still. */
#include <errno.h>
#include <string.h>

#include "cli/cells.h"
#include "cli/words.h"
#include "host/cell_control.h"
#include "lichen.h"

#define ANSWER_MS 30000

static int ask_one(const struct command *command, int store, const char *word, enum cell_request_kind kind)
{
	struct cell_found found;
	struct cell_reply reply;
	if (cells_find(command, store, word, &found) < 0)
		return CELLS_FAILED;
	int r = cell_control_ask(found.dir, kind, 0, ANSWER_MS, &reply, NULL, NULL);
	cells_done(&found);
	if (r == -ESRCH)
		return cells_say(command, word, "it does not run");
	if (r == -EALREADY)
		return cells_say(command, word, kind == CELL_PAUSE ? "it is paused already" : "it is not paused");
	if (r < 0)
		return cells_say(command, word, "%s (%s)", strerror(-r), errno_name(-r));
	puts(word);
	return 0;
}

static int pause_one(int store, const char *word, void *data)
{
	(void)data;
	return ask_one(&command_pause, store, word, CELL_PAUSE);
}

static int unpause_one(int store, const char *word, void *data)
{
	(void)data;
	return ask_one(&command_unpause, store, word, CELL_RESUME);
}

static int run(const struct command *command, int argc, char **argv, int (*act)(int store, const char *word, void *data))
{
	int first, status = command_parse(command, argc, argv, NULL, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(command, "which cell?");
	return cells_each(command, argc - first, argv + first, act, NULL);
}

static int run_pause(int argc, char **argv)
{
	return run(&command_pause, argc, argv, pause_one);
}

static int run_unpause(int argc, char **argv)
{
	return run(&command_unpause, argc, argv, unpause_one);
}

const struct command command_pause = {
	.name = "pause",
	.synopsis = "CELL…",
	.summary = "Stops all processes of cells",
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run_pause,
};

const struct command command_unpause = {
	.name = "unpause",
	.synopsis = "CELL…",
	.summary = "Lets the processes of paused cells go on",
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run_unpause,
};
