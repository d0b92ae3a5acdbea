// SPDX-License-Identifier: Apache-2.0
/* lichen rm: removes cells that have ended, and what a killed monitor left of them. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cells.h"
#include "cli/words.h"
#include "host/cell_cgroup.h"
#include "host/cell_control.h"
#include "host/cell_process.h"
#include "lichen.h"

#define KILLED_MS 10000

struct rm_options {
	bool force;
	bool volumes; /* they always go: no step asks for it */
};

static const struct option_row options[] = {
	{ .name = "force",
	  .letter = 'f',
	  .offset = offsetof(struct rm_options, force),
	  .help = "kill those that run; a cell that is not there is no failure" },
	{ .name = "volumes",
	  .letter = 'v',
	  .offset = offsetof(struct rm_options, volumes),
	  .rare = true,
	  .help = "volumes without a name go, too, as they do in any case" },
};

/* Ends a cell that runs. */
static int end(const struct cell_found *found)
{
	struct cell_reply reply;
	int r = cell_control_ask(found->dir, CELL_STOP, SIGKILL, KILLED_MS, &reply, NULL, NULL);
	if (r == 0)
		r = cell_control_ask(found->dir, CELL_WAIT, 0, KILLED_MS, &reply, NULL, NULL);
	return r >= 0 || r == -ESRCH ? cell_store_wait(found->dir) : r;
}

int cells_remove(int store, const struct cell_found *found, bool force)
{
	int r = force && cell_store_alive(found->dir) ? end(found) : 0;
	if (r == 0 && found->state.status == CELL_DEAD)
		r = cells_clear_up(found);
	return r == 0 ? cell_store_remove(store, found->id, false) : r;
}

static int remove_one(int store, const char *word, void *data)
{
	const struct rm_options *given = data;
	char id[CELL_ID_SIZE];
	struct cell_found found;
	if (given->force && cell_store_find(store, word, id) == -ENOENT)
		return 0;
	if (cells_find(&command_rm, store, word, &found) < 0)
		return CELLS_FAILED;
	bool dead = found.state.status == CELL_DEAD;
	int r = cells_remove(store, &found, given->force);
	cells_done(&found);
	if (r == -EBUSY && !dead)
		return cells_say(&command_rm, word, "it runs; `lichen stop %s` ends it, --force kills it", word);
	if (r < 0 && !(r == -ENOENT && given->force)) /* it had --rm */
		return cells_say(&command_rm, word, "%s (%s)", strerror(-r), errno_name(-r));
	puts(word);
	return 0;
}

static int run(int argc, char **argv)
{
	struct rm_options given = { 0 };
	int first, status = command_parse(&command_rm, argc, argv, &given, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_rm, "which cell?");
	return cells_each(&command_rm, argc - first, argv + first, remove_one, &given);
}

const struct command command_rm = {
	.name = "rm",
	.synopsis = "[OPTION…] CELL…",
	.summary = "Removes cells that have ended",
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run,
};
