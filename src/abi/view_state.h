/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views: what of the cell a task sees by its namespaces and its root directory (agent/view.h). Part of the commons.
 *
 * A view is a row that never changes while it is used, and of which there are no two alike; a task has the number of its row. Row 0 is the view in
 * which the cell begins, and is there always. Every process holds a POSIX read lock on the byte of each other row that its tasks have
 * (VIEW_LOCK_BASE + row of the commons file), so what nobody holds may be used again; rows are collected only when all are taken.
 */
#ifndef LICHEN_ABI_VIEW_STATE_H
#define LICHEN_ABI_VIEW_STATE_H

#include <assert.h>

#include "base/types.h"

#define VIEWS_MAX 1024u
#define VIEW_ROOT_SIZE 4352u /* as FS_PATH_MAX */
#define VIEW_TASKS_MAX 16384u
#define VIEW_ENDED 0x80000000u
#define VIEW_LOCK_BASE ((UINT64_C(1) << 60) + (UINT64_C(1) << 32))

enum view_row_state { VIEW_FREE = 0, VIEW_READY = 1 };

struct view {
	u32 state;        /* enum view_row_state */
	u32 hash;         /* of all that follows, and of the root's text */
	u32 space;        /* mount namespace: index in struct fs_spaces */
	u32 root_mount;   /* id of the mount that the root directory lies on; 0: the root is the namespace's own */
	u32 root_length;  /* of the root directory's path below that mount's root, in view_state.root[] of the row: "" or "/…" */
	u32 uts, ipc;     /* other namespaces: numbers that their gaps give, 0: those of the cell's beginning */
	u32 pid;          /* pid namespace: index in view_state.pid_space[]; never changes in the life of a process */
	u32 pid_children; /* the one that its children are born in */
	u32 cgroup;       /* cgroup namespace: index in struct cgroup_state's space[] */
	u32 net;          /* network namespace: a number, 0: the cell's, or one of the kernel's */
	u32 reserved;
};
static_assert(sizeof(struct view) == 48, "shared between agents");

/*
 * A pid namespace (gaps/namespaces/pid_view.c). In each only its first process, init, has another number: 1; all others have the host's. Rows are
 * never used again. 0 is the cell's: all that there is, unless commons->namespaces.pids says that the first process of the cell is pid 1.
 */
struct pid_space {
	s32 init;      /* its number on the host; 0: there is none yet */
	u32 parent;    /* the namespace above */
	u32 level;     /* how many are above */
	u32 dead;      /* init has ended: nobody is born here any more */
	u32 adopts;    /* init is a subreaper (prctl(2)) */
	u32 subreaper; /* what it says of itself */
	u64 handled;   /* signals that it has a handler for or ignores, bit sig - 1 */
	u64 blocked;   /* that its main thread blocks */
};
static_assert(sizeof(struct pid_space) == 40, "shared between agents");

#define PID_SPACES_MAX 16384u
#define PID_LEVELS_MAX 32u /* MAX_PID_NS_LEVEL */
#define CGROUP_SPACES_MAX 16384u

struct view_state {
	u32 lock;                      /* struct lock (agent/agent.h): who makes or frees rows */
	u32 used;                      /* a view other than 0 has been made: from then on tasks are entered in task[] */
	u32 pid_spaces;                /* rows of pid_space[] that have been some namespace's, but for 0 … */
	u32 cgroup_spaces;             /* … and of cgroup namespaces */
	u32 net_spaces;                /* network namespaces made so far */
	u64 agent_device, agent_inode; /* of the cell's agent, by which its processes are known */
	u32 reserved[7];
	struct view view[VIEWS_MAX];
	u64 task[VIEW_TASKS_MAX]; /* pid or tid << 32 | row, for who asks about others; 0: free. Found by the number's hash. Of a process that is ending in
	                           * a pid namespace: VIEW_ENDED | that, in the row's place */
	char root[VIEWS_MAX][VIEW_ROOT_SIZE];
	struct pid_space pid_space[PID_SPACES_MAX];
};

#endif
