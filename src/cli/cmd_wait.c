// SPDX-License-Identifier: Apache-2.0
/* lichen wait: waits for the end of cells, and prints their exit statuses. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cells.h"
#include "cli/words.h"
#include "host/cell_control.h"
#include "lichen.h"

static int wait_one(int store, const char *word, void *data)
{
	struct cell_reply reply;
	struct cell_found found;
	(void)data;
	if (cells_find(&command_wait, store, word, &found) < 0)
		return CELLS_FAILED;
	int status = found.state.exit;
	if (found.state.status < CELL_EXITED) {
		status = cell_control_ask(found.dir, CELL_WAIT, 0, -1, &reply, NULL, NULL);
		/* no answer: it was about to end, or was killed */
		if (status < 0 && cell_store_wait(found.dir) == 0 && cell_store_state(found.dir, &found.state) == 0)
			status = found.state.exit;
	}
	bool dead = found.state.status == CELL_DEAD;
	cells_done(&found);
	if (dead)
		return cells_say(&command_wait, word, "its monitor was killed: how it ended is not known");
	if (status < 0)
		return cells_say(&command_wait, word, "%s (%s)", strerror(-status), errno_name(-status));
	printf("%d\n", status);
	return 0;
}

static int run(int argc, char **argv)
{
	int first, status = command_parse(&command_wait, argc, argv, NULL, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_wait, "which cell?");
	return cells_each(&command_wait, argc - first, argv + first, wait_one, NULL);
}

const struct command command_wait = {
	.name = "wait",
	.synopsis = "CELL…",
	.summary = "Waits until cells have ended, and prints their exit statuses",
	.usage_status = LICHEN_EXIT_USAGE,
	.run = run,
};
