/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The area of gap processes in the commons: who waits for whom where the kernel does not know it. A row is kept for each process below a
 * subreaper, from its birth until it has been waited for, and for those that clone(CLONE_PARENT) made. Rows are claimed by
 * compare-and-swap and shown by one store; nothing in them is counted.
 *
 * Limits of a cell: 4096 such processes, 256 subreapers. A further process is the kernel's alone.
 */
#ifndef LICHEN_GAPS_PROCESSES_PROCESSES_H
#define LICHEN_GAPS_PROCESSES_PROCESSES_H

#include <assert.h>

#include "abi/commons.h"
#include "base/types.h"

#define PROCESSES_ROWS 4096u
#define PROCESSES_REAPERS 256u

enum process_state { PROCESS_FREE = 0, PROCESS_WRITING = 1, PROCESS_KNOWN = 2 };

struct process_row {
	u32 state; /* enum process_state */
	s32 pid;
	s32 parent;  /* the kernel's, at its birth */
	s32 heir;    /* who waits for it once it is adopted */
	s32 reaper;  /* its nearest subreaper; 0: none */
	u32 adopted; /* it is the heir's: its parent has ended, or CLONE_PARENT was asked for */
	u32 exited;  /* status is what it gave to exit_group */
	s32 status;  /* as wait(2) has it */
	u32 signal;  /* the last one sent in the cell that ends a process by default; 0: none */
	u32 uid;
	s32 group; /* its process group, when last seen */
	u32 reserved;
};
static_assert(sizeof(struct process_row) == 48, "process_row is shared between agents");

/* What a process has written to its loginuid. */
#define PROCESSES_LOGINS 256u
struct process_login {
	s32 pid; /* 0: free */
	u32 uid, session;
	u32 reserved;
};

struct processes_area {
	u32 used;     /* a subreaper or CLONE_PARENT was asked for: before, nothing is kept */
	u32 high;     /* no row at or behind it is in use */
	u32 idle;     /* a futex that nobody wakes */
	u32 siblings; /* the kernel has CLONE_PARENT */
	u32 logins;   /* there are some */
	u32 sessions; /* the last session's number */
	u32 reserved[10];
	s32 reaper[PROCESSES_REAPERS];
	struct process_login login[PROCESSES_LOGINS];
	struct process_row row[PROCESSES_ROWS];
};
static_assert(offsetof(struct processes_area, reaper) == 64, "processes_area is shared between agents");

#define PROCESSES_AREA_SIZE ALIGN_UP((u64)sizeof(struct processes_area), LAYOUT_PAGE)

#endif
