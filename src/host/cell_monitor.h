/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor of a cell: the lichen process that runs its command, once or as often as --restart says. There is no daemon: the monitor of a cell in
 * the background, and of one whose terminal can be detached from, is a child of `lichen run` that went on in a session of its own.
 *
 *   1 cell_store_create()      the cell is there, its lock is held
 *   2 the command is started   state: running; the socket is served while it runs (cell_control.h), output goes to the log of the cells just named
 *   3 it ends                  what it left running is killed; state: restarting and back to 2, or
 *   4                          state: exited, or the cell is removed (--rm); whoever waits is told; the lock goes with the process
 *
 * A monitor that is killed takes the command's first process along (PR_SET_PDEATHSIG). What that had started is killed by `lichen rm`.
 */
#ifndef LICHEN_HOST_CELL_MONITOR_H
#define LICHEN_HOST_CELL_MONITOR_H

#include "host/cell_config.h"
#include "host/launch.h"

/* Who looks after a cell's command from outside of it: the manager of units (units/manager.h). */
struct cell_attendant {
	int input;                   /* becomes the command's standard input */
	void (*started)(void *data); /* in the monitor, as soon as the command runs */
	void *data;
};

/* Who keeps a record of each run of the command, in the monitor. Both return 0, or negative errno after setting the result's status, stage and detail: then
 * the command is not started, and not again. */
struct cell_recorder {
	int (*starting)(void *data, struct launch_result *result);
	int (*ended)(void *data, struct launch_result *result);
	void *data;
};

struct cell_run {
	const struct cell_config *config;
	int store, dir, monitor;                /* descriptors of cell_store_create(); they become the monitor's */
	struct launch launch;                   /* all of it but setup and hooks */
	const struct cell_attendant *attendant; /* NULL = none */
	const struct cell_recorder *recorder;   /* NULL = none */
};

/* Runs a cell in this process, to its end. As launch_run(). */
int cell_monitor_run(const struct cell_run *run, struct launch_result *result) MUST_CHECK;

/* Runs a cell in the background. Returns when the command has been started: 0; or could not be: as launch_run(). ret_client: NULL, or gets a connection for
 * attach_run(), as whose command it is attached to from the start; the caller's. */
int cell_monitor_detach(const struct cell_run *run, int *ret_client, struct launch_result *result) MUST_CHECK;

#endif
