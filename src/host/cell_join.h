/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a further command in a cell: a child of the caller that becomes a member of the cell (same commons, same filter, same gaps), by what the
 * monitor hands over (cell_control.h). It is killed when the cell is over.
 */
#ifndef LICHEN_HOST_CELL_JOIN_H
#define LICHEN_HOST_CELL_JOIN_H

#include "host/launch.h"

struct cell_join {
	int dir;              /* of the cell */
	struct launch launch; /* argv, envp, workdir, network; identity with become; the rest is the cell's */
	bool placed;          /* launch.workdir was asked for, and is not just the cell's own */
	bool terminal;        /* it gets one of its own (terminal.h), which reads from ours if `interactive` */
	bool interactive;
	int input, output; /* what the command reads and writes; negative = ours */
	bool detached;     /* in the background, with no streams */
	const struct launch_limit *limits;
	size_t limit_count;
};

/* Runs it to its end, as launch_run(); detached, until it has been started. -ESRCH: the cell does not run. */
int cell_join_run(const struct cell_join *join, struct launch_result *result) MUST_CHECK;

#endif
