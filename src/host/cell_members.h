/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that an agent runs in, whatever their parents and environments are. */
#ifndef LICHEN_HOST_CELL_MEMBERS_H
#define LICHEN_HOST_CELL_MEMBERS_H

/*
 * Kills all processes whose program is the agent behind `agent`, and those that they still start: what is left of a cell whose first process was
 * pid 1, and has ended (pid_namespaces(7)). Those that may not be looked at are not found. 0, or -ETIMEDOUT: some do not end.
 */
int cell_members_kill(int agent);

/*
 * The same after the monitor itself was killed: it notes the agent in `agent` of the cell's directory, so that those are found that were orphaned and have
 * cleared their environment, as a container's have. 0, also where nothing was noted, or before this boot; or negative errno. Once nobody is left, the note
 * is to be forgotten: another cell's agent may become what it says.
 */
int cell_members_note(int dir, int agent);
int cell_members_kill_noted(int dir);
void cell_members_forget(int dir);

#endif
