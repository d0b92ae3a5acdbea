/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a cell, as /proc tells: descendants of its monitor (which adopts orphans, where the kernel has PR_SET_CHILD_SUBREAPER), those
 * that have LICHEN_CELL=ID in their environment, and descendants of these. Without a living monitor the environment alone tells.
 * Limit: a process that has cleared its environment, and been orphaned where there is no subreaper (gVisor of 2022) or after its monitor was killed, is
 * not found here (cell_members.h finds it where something is filled).
 */
#ifndef LICHEN_HOST_CELL_PROCESS_H
#define LICHEN_HOST_CELL_PROCESS_H

#include <sys/types.h>

#include "base/types.h"

#define CELL_VARIABLE "LICHEN_CELL"

struct cell_process {
	pid_t pid, parent;
	char state; /* as /proc/PID/stat has it; zombies are left out, unless other threads live */
	u64 ticks;  /* processor time, in clock ticks … */
	u64 waited; /* … and that of children that it waited for */
	u32 threads;
	u64 started; /* after boot, in clock ticks */
	bool member, kernel;
};

enum cell_search {
	CELL_BY_PARENT, /* descendants of the monitor alone: all there are, where it adopts orphans and nobody joined the cell */
	CELL_BY_ENVIRONMENT, /* the others as well */
};

/* Lists them in the order of pids; monitor: its pid, 0 = it is dead. free(3) *ret. The count, or negative errno. *ret_unknown (may be NULL):
 * how many others have no environment to be read: a process in execve has none for a moment. */
int cell_processes(const char *id, pid_t monitor, enum cell_search search, struct cell_process **ret, int *ret_unknown) MUST_CHECK;

/*
 * A thread whose number stands for the process in /proc: files there about the memory of a process say nothing once its first thread has ended, though
 * others live. The process's own number unless that has.
 */
pid_t cell_process_thread(const struct cell_process *process) MUST_CHECK;

/* Kills all of them but the caller, and those that they still start; reaps what is the caller's child. 0, or -ETIMEDOUT: some do not end. */
int cell_processes_kill(const char *id, pid_t monitor, enum cell_search search);

#endif
