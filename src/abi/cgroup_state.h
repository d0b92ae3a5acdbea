/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups of a cell: gap cgroup's area of the commons. Written by members (gaps/cgroup), read by the supervisor, which enforces limits from
 * outside (host/cgroup_enforcer.h) and adds to `count`.
 *
 * A hierarchy is a tree of groups. Each group has a directory with files below the hierarchy's own directory on the host, where paths are resolved as
 * everywhere in the cell's tree; what a file tells that cannot be written there is made when it is opened. So names, owners and modes are the host
 * file system's, and a row here has what counts: settings as numbers, and events.
 *
 * Who is in a group is a row of `task` for each process, found by its pid: an inherited copy of its parent's. A process that has no row, or whose
 * row names a group that is no more, is in the root group. Rows of the dead are collected by who looks.
 */
#ifndef LICHEN_ABI_CGROUP_STATE_H
#define LICHEN_ABI_CGROUP_STATE_H

#include <assert.h>

#include "abi/view_state.h"
#include "base/types.h"

#define CGROUP_GROUPS_MAX 4096u
#define CGROUP_TREES_MAX 16u
#define CGROUP_TASKS_MAX 16384u
#define CGROUP_NAME_SIZE 256u
#define CGROUP_DEPTH_MAX 64u
#define CGROUP_NO_LIMIT UINT64_MAX
#define CGROUP_CPUS_MAX 64u /* processors that are told apart */

enum cgroup_state_of { CGROUP_FREE = 0, CGROUP_MAKING = 1, CGROUP_READY = 2, CGROUP_REMOVING = 3 };

/* In the order in which the kernel lists them. */
enum cgroup_controller {
	CGROUP_CPUSET,
	CGROUP_CPU,
	CGROUP_CPUACCT,
	CGROUP_IO, /* v1: blkio */
	CGROUP_MEMORY,
	CGROUP_DEVICES,
	CGROUP_FREEZER,
	CGROUP_NET_CLS,
	CGROUP_PERF_EVENT,
	CGROUP_NET_PRIO,
	CGROUP_HUGETLB,
	CGROUP_PIDS,
	CGROUP_CONTROLLERS,
	CGROUP_CORE = CGROUP_CONTROLLERS, /* files that every group has */
};

/* Settings that are numbers. */
enum cgroup_setting {
	CGROUP_SET_PIDS_MAX,
	CGROUP_SET_MEMORY_MAX,
	CGROUP_SET_MEMORY_HIGH,
	CGROUP_SET_OOM_GROUP,
	CGROUP_SET_CPU_QUOTA,  /* microseconds … */
	CGROUP_SET_CPU_PERIOD, /* … in each of so many */
	CGROUP_SET_FREEZE,
	CGROUP_SET_MAX_DEPTH,
	CGROUP_SET_MAX_DESCENDANTS,
	CGROUP_SET_NOTIFY, /* v1: notify_on_release … */
	CGROUP_SET_CLONE,  /* … and cgroup.clone_children, which new groups inherit */
	CGROUP_SETTINGS = 24,
};

/* What is counted, of the group itself unless it says otherwise. */
enum cgroup_count {
	CGROUP_COUNT_PIDS, /* charged so far, never less than there are: counted anew where it reaches a limit. With all below */
	CGROUP_COUNT_PIDS_PEAK,   /* with all below */
	CGROUP_COUNT_PIDS_EVENTS, /* forks that were refused for this group's limit */
	CGROUP_COUNT_MEMORY_PEAK, /* bytes, with all below */
	CGROUP_COUNT_MEMORY_HIGH,
	CGROUP_COUNT_MEMORY_MAX,
	CGROUP_COUNT_OOM,
	CGROUP_COUNT_OOM_KILL, /* members that were killed */
	CGROUP_COUNT_OOM_GROUP_KILL,
	CGROUP_COUNT_CPU_USER, /* microseconds, of members that have ended or left */
	CGROUP_COUNT_CPU_SYSTEM,
	CGROUP_COUNT_CPU_PERIODS,
	CGROUP_COUNT_CPU_THROTTLED,
	CGROUP_COUNT_CPU_THROTTLED_US,
	CGROUP_COUNT_FROZEN, /* 1: all members, and those below, are stopped */
	CGROUP_COUNT_FROZEN_US,
	CGROUP_COUNT_RELEASABLE, /* v1: 1: somebody has been in it, or below it, since its release_agent was last thought of */
	CGROUP_COUNTS = 32,
};

/* Files that poll(2) and inotify(7) watch. */
enum cgroup_told {
	CGROUP_TOLD_EVENTS,
	CGROUP_TOLD_MEMORY,
	CGROUP_TOLD_MEMORY_LOCAL,
	CGROUP_TOLD_PIDS,
	CGROUP_TOLD_PIDS_LOCAL,
	CGROUP_TOLDS = 6, /* none of these */
};

struct cgroup {
	u32 state;              /* enum cgroup_state_of */
	u32 generation;         /* +1 at each use of the row */
	u32 tree;               /* index of its hierarchy */
	u32 parent;             /* index; of a root: its own */
	u32 depth;              /* below the root */
	u32 hash;               /* of the name */
	u32 subtree;            /* v2: bit per controller that its children have */
	u32 given;              /* bit per controller that it has itself */
	u32 told[CGROUP_TOLDS]; /* +1 whenever such a file says something else */
	s32 maker;              /* pid of who makes or removes it */
	u32 reserved32;
	u64 set[CGROUP_SETTINGS];
	u64 count[CGROUP_COUNTS];
	u64 percpu
		[CGROUP_CPUS_MAX]; /* v1, cpuacct: microseconds that members were seen to use on each processor, by the supervisor */
	char name[CGROUP_NAME_SIZE];
};
static_assert(sizeof(struct cgroup) == 64 + 8 * (CGROUP_SETTINGS + CGROUP_COUNTS + CGROUP_CPUS_MAX) + CGROUP_NAME_SIZE,
	      "shared between agents");

/* A hierarchy: 0 is the unified one (v2), all others v1. */
struct cgroup_tree {
	u32 state; /* enum cgroup_state_of */
	u32 root;  /* index of its root group */
	u32 controllers;
	u32 device;     /* number of its file system, as in struct fs_mount */
	char name[64];  /* of a named one ("systemd") */
	char path[256]; /* directory on the host, without a slash at the end */
	char release_agent[256];
};
static_assert(sizeof(struct cgroup_tree) == 592, "shared between agents");

/* A process. Where a place says which group: index | generation << 16. */
struct cgroup_task {
	u32 place[CGROUP_TREES_MAX];
	u64 birth;                  /* pid of who made it << 32 | a number of its; 0: somebody moved it before it was entered */
	u32 births;                 /* processes that it made */
	u32 forking;                /* those of them that have no row yet */
	u64 user[CGROUP_TREES_MAX]; /* processor time when it came into the group, microseconds */
	u64 system[CGROUP_TREES_MAX];
	u64 last_user, last_system; /* when it was last looked at */
};
static_assert(sizeof(struct cgroup_task) == 352, "shared between agents");

/* An open file of those that can be watched, in a process whose reads of it come to the agent. Whoever is short of a row takes any. */
#define CGROUP_WATCHES_MAX 512u
struct cgroup_watch {
	s32 pid; /* 0: free */
	s32 fd;
	u64 device, inode;
	u32 group, generation;
	u32 told; /* enum cgroup_told */
	u32 unread;
	u64 seen; /* told[] when it was last read from its start */
};
static_assert(sizeof(struct cgroup_watch) == 48, "shared between agents");

struct cgroup_state {
	u32 lock;        /* struct lock (agent/agent.h): who makes or removes groups, or counts anew */
	u32 groups_used; /* rows from here on have never been used */
	u32 tasks_used;  /* some process is, or was, in another group than a root */
	u32 limited;     /* some group has, or had, a limit of pids */
	u32 changes;     /* +1, and sleepers are woken, whenever something in told[] changes */
	u32 watch_next;  /* row of `watch` that is taken next */
	u32 changing;    /* 1 + the group whose children are given controllers, or lose them, 0 = none; under the lock */
	u32 reserved[9];
	struct cgroup_tree tree[CGROUP_TREES_MAX];
	struct cgroup group[CGROUP_GROUPS_MAX]; /* 0: the root of the unified hierarchy */
	u32 space[CGROUP_SPACES_MAX]
		 [CGROUP_TREES_MAX]; /* roots of cgroup namespaces (abi/view_state.h), as in struct cgroup_task */
	s32 pid[CGROUP_TASKS_MAX];   /* 0: free; negative: being taken by that process */
	struct cgroup_task task[CGROUP_TASKS_MAX];
	struct cgroup_watch watch[CGROUP_WATCHES_MAX];
};

/* Where the row of a process may be: CGROUP_PROBES places from here on. */
#define CGROUP_PROBES 128u
static inline u32 cgroup_place(s32 pid, u32 probe)
{
	return ((u32)pid + probe) % CGROUP_TASKS_MAX;
}

/* The group of a place in a hierarchy, by its number. */
static inline u32 cgroup_of_place(const struct cgroup_state *s, u32 place, u32 tree)
{
	u32 group = (u16)place % CGROUP_GROUPS_MAX;
	const struct cgroup *g = &s->group[group];

	if (group && g->tree == tree && (u16)g->generation == place >> 16 && g->state != CGROUP_FREE)
		return group;
	return s->tree[tree].root;
}

static inline u32 cgroup_of_task(const struct cgroup_state *s, const struct cgroup_task *task, u32 tree)
{
	return cgroup_of_place(s, __atomic_load_n(&task->place[tree], __ATOMIC_ACQUIRE), tree);
}

/* The group above; a root's is itself. Loops that go up count, for the state is everybody's: at most CGROUP_DEPTH_MAX steps are right. */
static inline u32 cgroup_above(const struct cgroup_state *s, u32 group)
{
	return s->group[group % CGROUP_GROUPS_MAX].parent % CGROUP_GROUPS_MAX;
}
/* for each group from `from` up, without the root */
#define CGROUP_EACH_UP(s, g, from)                                                                   \
	for (u32 g = (from), g##_steps = 0; cgroup_above(s, g) != g && g##_steps < CGROUP_DEPTH_MAX; \
	     g = cgroup_above(s, g), g##_steps++)

/* Whether a group is another one, or lies below it. */
static inline bool cgroup_is_below(const struct cgroup_state *s, u32 group, u32 above)
{
	for (u32 i = 0; i <= CGROUP_DEPTH_MAX && group < CGROUP_GROUPS_MAX; i++) {
		if (group == above)
			return true;
		if (s->group[group].parent == group)
			return false;
		group = s->group[group].parent;
	}
	return false;
}

/* Adds what a process used since it came into its groups to what those keep. */
static inline void cgroup_settle(struct cgroup_state *s, const struct cgroup_task *task)
{
	for (u32 t = 0; t < CGROUP_TREES_MAX; t++) {
		struct cgroup *g = &s->group[cgroup_of_task(s, task, t)];

		if (s->tree[t].state != CGROUP_READY)
			continue;
		if (task->last_user > task->user[t])
			(void)__atomic_fetch_add(&g->count[CGROUP_COUNT_CPU_USER], task->last_user - task->user[t],
						 __ATOMIC_RELAXED);
		if (task->last_system > task->system[t])
			(void)__atomic_fetch_add(&g->count[CGROUP_COUNT_CPU_SYSTEM], task->last_system - task->system[t],
						 __ATOMIC_RELAXED);
	}
}

#endif
