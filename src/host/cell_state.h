/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changes while a cell lives: its file `state`, two slots of 512 bytes, written in turn. The file has its full size from the start, so
 * that a full disk cannot keep the end of a cell from being written down; a slot that was torn fails its check, and the other one counts.
 */
#ifndef LICHEN_HOST_CELL_STATE_H
#define LICHEN_HOST_CELL_STATE_H

#include <assert.h>

#include "base/types.h"

#define CELL_SLOT 512u

enum cell_status {
	CELL_CREATED,    /* its monitor has not started the command yet */
	CELL_RUNNING,    /* pid is the command's process */
	CELL_RESTARTING, /* the command has ended, and the monitor waits before it starts it again */
	CELL_EXITED,     /* over; exit tells how */
	CELL_DEAD,       /* never written: the monitor has vanished without writing CELL_EXITED (cell_store_state()) */
};

enum cell_flag {
	CELL_PAUSED = 1u << 0,     /* while it runs: its processes are stopped */
	CELL_OOM_KILLED = 1u << 1, /* in the last run a process was killed for the limit of memory */
};

struct cell_state {
	u64 sequence;
	u32 status; /* enum cell_status */
	s32 monitor, pid;
	s32 exit; /* status as a shell has it: 128+n for signal n; 125, 126, 127 when `error` is set */
	u32 restarts;
	s32 log_error;   /* positive errno: why the log could not be written, the last time that it could not */
	s64 started;     /* nanoseconds since 1970, 0 = never */
	s64 finished;    /* of the last run; 0 = none has ended */
	u64 log_lost;    /* bytes of output that the log lacks since it could not be written */
	char error[256]; /* why the command could not be started; "" = it was */
	u32 flags;       /* enum cell_flag */
	char reserved[188];
	u64 check;
};
static_assert(sizeof(struct cell_state) == CELL_SLOT, "state is a file format");

/* Makes a file of full size with this state in it. 0 or negative errno. */
int cell_state_create(int dir, const struct cell_state *state) MUST_CHECK;
/* Writes the next state; its sequence is raised. 0 or negative errno. */
int cell_state_write(int fd, struct cell_state *state);
/* The state that was written last. -EBADMSG: the file is damaged. */
int cell_state_read(int dir, struct cell_state *ret) MUST_CHECK;

const char *cell_status_name(enum cell_status status);

#endif
