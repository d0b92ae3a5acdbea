/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one command of a unit as a guest of the cell, as `lichen exec` does: a process of its own (the runner), a child of the manager, launches and
 * supervises it, and tells over a pipe what becomes of it.
 */
#ifndef LICHEN_UNITS_UNIT_RUN_H
#define LICHEN_UNITS_UNIT_RUN_H

#include <sys/types.h>

#include "host/cell_control.h"
#include "host/launch.h"
#include "units/unit_command.h"
#include "units/unit_socket.h"

/* What the manager was given to join the cell with. */
struct unit_cell {
	int dir; /* the cell's directory */
	char id[16];
	struct cell_reply reply;
	struct cell_fds fds;
};

enum unit_report_kind {
	UNIT_FORKED,  /* pid */
	UNIT_STARTED, /* its execve has worked */
	UNIT_ENDED,   /* status, or error and text: it could not be started */
};

struct unit_report {
	enum unit_report_kind kind;
	pid_t pid;
	int status, error;
	char text[256];
};

struct unit_run {
	const struct unit *unit;
	const struct unit_command *command;
	const struct word_list *env; /* with all that the command shall have, but for LISTEN_PID */
	const struct unit_cell *cell;
	int output[2];                             /* standard output and error */
	const struct unit_sockets *const *sockets; /* handed over; NULL-terminated; NULL = none */
};

/* Starts the runner. Its pid, with *ret_report the pipe (non-blocking, close-on-exec) that struct unit_report come from; or negative errno. */
pid_t unit_run_start(const struct unit_run *run, int *ret_report) MUST_CHECK;

/* Which gap lets a unit have the user that it wants where we are not root; false: none is needed. */
bool unit_needs_identity(const struct unit *unit);

#endif
