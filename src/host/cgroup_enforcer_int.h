/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the enforcer of control groups. */
#ifndef LICHEN_HOST_CGROUP_ENFORCER_INT_H
#define LICHEN_HOST_CGROUP_ENFORCER_INT_H

#include <sys/types.h>

#include "host/cgroup_enforcer.h"

#define LOOK_MS 100
#define IDLE_MS 250   /* while there is no group */
#define LOOK_SHARE 20 /* looking takes at most this part of the time */
#define ACCOUNT_US 200000

/* A living process that is in a group. */
struct cgroup_member {
	pid_t pid;
	u32 row; /* of state->task */
	char state;
	u64 memory; /* bytes; 0: not asked yet */
	bool asked;
};

/* What is known of a group besides its row. */
struct cgroup_known {
	u32 generation;
	bool begun;   /* its account */
	bool stopped; /* for its account, in which: */
	s64 account;  /* microseconds */
	s64 owed;     /* microseconds of a period that is not over */
	u64 used;     /* processor time at the last look */
};

struct cgroup_enforcer {
	struct cgroup_state *state;
	struct supervisor *supervisor;
	s64 next, last; /* ms, monotonic */
	struct cgroup_member *members;
	u32 member_count;
	struct cgroup_known known[CGROUP_GROUPS_MAX];
	pid_t held[CGROUP_TASKS_MAX]; /* by row: whom we stopped */
	u32 held_count;
};

/* The living members of a group and those below: calls `each`. */
bool cgroup_member_in(const struct cgroup_enforcer *e, const struct cgroup_member *member, u32 group);
/* Writes text to a file of a group, if it says something else. */
void cgroup_tell(const struct cgroup_enforcer *e, u32 group, const char *file, const char *text);
/* cgroup_enforcer_memory.c */
void cgroup_enforce_memory(struct cgroup_enforcer *e, u32 group);

#endif
