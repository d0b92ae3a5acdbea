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
#define VIEW_LOCK_BASE ((UINT64_C(1) << 60) + (UINT64_C(1) << 32))

enum view_row_state { VIEW_FREE = 0, VIEW_READY = 1 };

struct view {
	u32 state;         /* enum view_row_state */
	u32 hash;          /* of all that follows, and of the root's text */
	u32 space;         /* mount namespace: index in struct fs_spaces */
	u32 root_mount;    /* id of the mount that the root directory lies on; 0: the root is the namespace's own */
	u32 root_length;   /* of the root directory's path below that mount's root, in view_state.root[] of the row: "" or "/…" */
	u32 uts, ipc, pid; /* other namespaces: numbers that their gaps give, 0: those of the cell's beginning */
};
static_assert(sizeof(struct view) == 32, "shared between agents");

struct view_state {
	u32 lock; /* struct lock (agent/agent.h): who makes or frees rows */
	u32 used; /* a view other than 0 has been made: from then on tasks are entered in task[] */
	u32 reserved[14];
	struct view view[VIEWS_MAX];
	u64 task[VIEW_TASKS_MAX]; /* pid or tid << 32 | row, for who asks about others; 0: free. Found by the number's hash */
	char root[VIEWS_MAX][VIEW_ROOT_SIZE];
};

#endif
