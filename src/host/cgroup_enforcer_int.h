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

/* Somebody who wants to be told of a group. */
#define EVENTS_MAX 256u
struct cgroup_event {
	int fd; /* an eventfd; negative: the row is free */
	u32 group, generation;
	u64 threshold; /* bytes; CGROUP_NO_LIMIT: out of memory */
	bool above;    /* when it was last looked at */
};

struct cgroup_enforcer {
	struct cgroup_state *state;
	struct supervisor *supervisor;
	const struct aside *aside;
	struct cgroup_event events[EVENTS_MAX];
	u32 event_count;             /* rows from here on have never been used */
	s64 next, last;              /* ms, monotonic */
	struct cgroup_cpu_seen *cpu; /* NULL: not needed yet, or … */
	bool cpu_untold;             /* … this kernel does not tell where a thread ran */
	struct cgroup_member *members;
	u32 member_count;
	struct cgroup_known known[CGROUP_GROUPS_MAX];
	pid_t held[CGROUP_TASKS_MAX]; /* by row: whom we stopped */
	u32 held_count;
};

/* The living members of a group and those below: calls `each`. */
bool cgroup_member_in(const struct cgroup_enforcer *e, const struct cgroup_member *member, u32 group);
/* Writes text to a file of a group, if it says something else. */
void cgroup_tell(const struct cgroup_enforcer *e, u32 group, enum cgroup_told which, const char *text);
/* The path of a group below its hierarchy's root: "/a/b", "" of the root. 0 or negative errno. */
#define GROUP_PATH_SIZE 1024
int cgroup_path(const struct cgroup_state *s, u32 group, char path[GROUP_PATH_SIZE]);
/* cgroup_enforcer_cpu.c: who used which processor since the last look. */
void cgroup_cpu_look(struct cgroup_enforcer *e);
/* cgroup_enforcer_memory.c */
void cgroup_enforce_memory(struct cgroup_enforcer *e, u32 group);
u64 cgroup_used_memory(struct cgroup_enforcer *e, u32 group);
/* cgroup_enforcer_release.c: v1, of a group whose members have just been looked at */
void cgroup_release(struct cgroup_enforcer *e, u32 group, bool populated);
/* cgroup_enforcer_event.c: a group is out of memory, and so are those below it; what has changed since the last look; the end. */
void cgroup_events_oom(struct cgroup_enforcer *e, u32 group);
void cgroup_events_look(struct cgroup_enforcer *e);
void cgroup_events_free(struct cgroup_enforcer *e);

#endif
