/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a further command in a cell: a child of the caller, or of a process in the background that the caller is attached to, which becomes a member of
 * the cell (same commons, same filter, same gaps), by what the monitor hands over (cell_control.h). It is killed when the cell is over.
 */
#ifndef LICHEN_HOST_CELL_JOIN_H
#define LICHEN_HOST_CELL_JOIN_H

#include "host/detach_keys.h"
#include "host/launch.h"

struct cell_join {
	int dir;              /* of the cell */
	struct launch launch; /* argv, envp, workdir, network; identity with become; the rest is the cell's */
	bool placed;          /* launch.workdir was asked for, and is not just the cell's own */
	bool terminal;        /* it gets one of its own, which we are attached to (attach.h) */
	bool interactive;     /* with `terminal`: it reads from ours */
	struct detach_keys detach_keys;
	int input, output; /* what the command reads and writes; negative = ours */
	bool detached;     /* in the background, with no streams */
	const struct launch_limit *limits;
	size_t limit_count;
};

/* Runs it to its end, as launch_run(), or until the keys are typed: then *ret_detached is set; detached, until it has been started. -ESRCH: the cell does not run. */
int cell_join_run(const struct cell_join *join, bool *ret_detached, struct launch_result *result) MUST_CHECK;

#endif
