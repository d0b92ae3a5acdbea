/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups of a cell whose kernel gives none (abi/cgroup_state.h), enforced from outside by the supervisor, which looks at the members of groups
 * every 100 ms (less often where a look takes more than a twentieth of that time):
 *
 *   memory.max    when what the members of a group and those below use together (anonymous and shared memory, by /proc/PID/status; where that is not told, Pss) is
 *                 more, the one that uses most is killed, by oom_score_adj as the kernel would choose; with memory.oom.group all of its group
 *   cpu.max       processor time is paid out of an account that fills at the limit's rate and holds at most two periods, or 200 ms; while it is overdrawn
 *                 all members are stopped (SIGSTOP)
 *   cpuacct (v1)  which processor each thread ran on last is asked, and what it used since the last look is taken to have been used there
 *   cgroup.freeze all members are stopped
 *   cgroup.events, memory.events  are written when they change, which inotify(7) tells
 *   release_agent (v1)  is run in the cell when a group with notify_on_release has lost its last member or group
 *   cgroup.event_control (v1)  an eventfd(2) is told of a group that is out of memory, or uses more or less than so much
 *
 * What is stopped so is seen by a parent that waits for stopped children, and by whoever continues it it goes on until the next look. What a member
 * does between two looks is not seen. pids.max is the members' own affair (gaps/cgroup/cgroup_tasks.c).
 */
#ifndef LICHEN_HOST_CGROUP_ENFORCER_H
#define LICHEN_HOST_CGROUP_ENFORCER_H

#include "abi/cgroup_state.h"
#include "host/supervise.h"

struct aside;
struct cgroup_enforcer;

/* For a cell's state; NULL: no memory. supervisor: what it stops of the guest is then not followed. aside: how a release_agent is started; stays the
 * caller's. */
struct cgroup_enforcer *cgroup_enforcer_new(struct cgroup_state *state, struct supervisor *supervisor, const struct aside *aside);
/* A member wants to be told (abi/broker.h, BROKER_CGROUP_EVENT) by this enforcer: takes the eventfd. */
void cgroup_enforcer_event(void *enforcer, u64 group, u64 threshold, int eventfd);
/* Lets all go on. */
void cgroup_enforcer_free(struct cgroup_enforcer *enforcer);
struct service cgroup_enforcer_service(struct cgroup_enforcer *enforcer);

#endif
