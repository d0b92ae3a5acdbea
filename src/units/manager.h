/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit manager: a process outside of the guests that starts the units of a cell in their order, watches over them, and stops them in the reverse one.
 *
 *   lichen up        makes the cell; its command is the holder, a guest that does nothing but wait (cell_helper_main.c)
 *   the monitor      runs the holder, as of any cell; forks the manager as soon as it runs
 *   the manager      joins the cell (cell_control.h), forks a runner for each command (unit_run.h), and writes what it knows to `units.json` in the
 *                    cell's directory (docs/unit-json.md)
 *
 * The holder's standard input is one end of a socket pair, `link` the other: its first byte says that it has made what it was to make (enum
 * manager_byte), and the units may start; a second one asks the manager to stop the units (`lichen down` and `lichen stop` signal the holder); the manager's end, however it comes, ends the holder, and with it the monitor ends all that is left of the cell.
 * The manager is the monitor's child, so that everything it started is a descendant of the monitor, too. When the monitor is killed the manager stops
 * the units and ends.
 */
#ifndef LICHEN_UNITS_MANAGER_H
#define LICHEN_UNITS_MANAGER_H

#include "units/profile.h"
#include "units/unit_set.h"

#define MANAGER_TEXT 480

enum manager_byte {
	MANAGER_HELD = 'h',
	MANAGER_STOP = 's',
};

enum manager_progress {
	MANAGER_SAYS,     /* a step was taken: `text` */
	MANAGER_READY,    /* all units are up, and answer */
	MANAGER_FAILED,   /* a unit could not be started, or died: `unit`, `text` */
	MANAGER_TIMEOUT,  /* it was not ready in time */
	MANAGER_UNPROVEN, /* it answers, but does not do its work */
	MANAGER_LOST,     /* it was ready, and then was not */
	MANAGER_REFUSED,  /* a condition is not met: nothing to be done */
};

/* What `lichen up` is told while it waits. */
struct manager_event {
	enum manager_progress progress;
	char unit[256];
	char text[MANAGER_TEXT];
};

struct manager_start {
	const struct unit_set *set;
	struct unit_profiles profiles; /* what is added to the units, and how they are asked whether they answer */
	char *const *env;              /* ours */
	int link;                      /* the manager's end of the pair */
	int events;                    /* where `lichen up` reads struct manager_event */
	s64 timeout;                   /* milliseconds for a unit to become ready, 0 = what the unit says */
};

/* Runs the manager, in a process of its own, to its end. `dir`, `id`: of the cell. */
NORETURN void manager_run(const struct manager_start *start, int dir, const char *id);

#endif
