/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cells of a user: one directory each below `cells` of the state directory.
 *
 *   cells/lock          held (flock) by who makes or removes a cell, and by nobody for long
 *   cells/ID/config.json  what it was made with; replaced whole by rename and update
 *   cells/ID/state      what changes (cell_state.h)
 *   cells/ID/monitor    held (flock) by the process that runs the cell, from before the directory has its name to its end: whether a cell lives
 *                       is asked of the kernel, and no kill -9 makes the answer wrong
 *   cells/ID/log, log.1 output of a cell in the background, or whose terminal can be detached from (cell_log.h)
 *   cells/ID/agent      which agent its members execute (cell_members.h)
 *   cells/ID/socket     where its monitor listens (cell_control.h)
 *   cells/.ID           being made or removed; what a killed lichen left of it is cleared by the next one that holds the lock
 *
 * A name is taken as long as a cell has it: names are compared under the lock, so that of two that want the same one gets it.
 */
#ifndef LICHEN_HOST_CELL_STORE_H
#define LICHEN_HOST_CELL_STORE_H

#include <limits.h>

#include "host/cell_config.h"
#include "host/cell_state.h"

/* Opens the directory of cells; `path` (PATH_MAX) as for state_dir_open(). A descriptor or negative errno. */
int cell_store_open(char path[PATH_MAX]) MUST_CHECK;

/*
 * Makes a cell: gives it an id, and a name if config->name is empty, both written to *config. *ret_dir is its directory, *ret_monitor the
 * descriptor that holds its lock: as long as any process has that open, the cell lives. 0 or negative errno; -EEXIST: the name is taken.
 */
int cell_store_create(int store, struct cell_config *config, int *ret_dir, int *ret_monitor) MUST_CHECK;

/* Removes a cell that nobody runs, or (`own`) that the caller runs. 0, -ENOENT, -EBUSY: it runs; or negative errno. */
int cell_store_remove(int store, const char *id, bool own);

/* The ids of all cells, oldest first as far as config.json can be read, in one array (free(3) it). The count, or negative errno. */
int cell_store_list(int store, char (**ret_ids)[CELL_ID_SIZE]) MUST_CHECK;

/* Finds a cell by name, id or the beginning of one. 0; -ENOENT; -ENOTUNIQ: the beginning of several; or negative errno. */
int cell_store_find(int store, const char *word, char ret_id[CELL_ID_SIZE]) MUST_CHECK;

/* A cell's directory: a descriptor or negative errno. */
int cell_store_dir(int store, const char *id) MUST_CHECK;
/* Its config.json. 0; -EBADMSG: it is damaged; or negative errno. */
int cell_store_config(int dir, json_t **ret) MUST_CHECK;
/* Its state, with CELL_DEAD found out. 0 or negative errno. */
int cell_store_state(int dir, struct cell_state *ret) MUST_CHECK;
/* Writes members into its config.json, which is replaced as a whole. 0; -EEXIST: another cell has that `name`; or negative errno. */
int cell_store_change(int store, const char *id, json_t *members) MUST_CHECK;
/* Whether its monitor lives. */
bool cell_store_alive(int dir);
/* Waits until it does not. 0 or negative errno. */
int cell_store_wait(int dir) MUST_CHECK;

#endif
