/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that tell or take the number of a process (pid_view.c). Those that take one are the kernel's once 1 has become init's number;
 * a process that is not of the cell is not there for them.
 */
#include "gaps/namespaces/namespaces_int.h"

#define NOBODY 0x7fffffff /* a pid that no process has */

enum verdict pids_getpid(struct call *call)
{
	s32 pid = agent_caller_pid();

	return namespaces_done(call, pids_is_init(pid) ? 1 : pid);
}

enum verdict pids_gettid(struct call *call)
{
	s32 tid = agent_caller_tid();

	return namespaces_done(call, pids_is_init(tid) ? 1 : tid);
}

/* Where the host lets nobody adopt orphans they are told that init has. */
enum verdict pids_getppid(struct call *call)
{
	s32 above = processes_parent((s32)sys0(__NR_getppid)), parent;

	if (pids_is_init(agent_caller_pid()))
		return namespaces_done(call, 0);
	parent = pids_to_guest(above);
	if (!parent && !pids_space()->adopts && pids_space_of(above) == UINT32_MAX)
		parent = 1;
	return namespaces_done(call, parent);
}

/* --- groups and sessions -------------------------------------------------------------------------------------------------------------- */

/* A pid that a call takes: the host's, 0 stays, a stranger's becomes nobody's. */
static s32 taken(s32 pid)
{
	return pid == 1 ? pids_to_host(1) : pid > 1 && !pids_visible(pid) ? NOBODY : pid;
}

enum verdict pids_getpgrp(struct call *call)
{
	return namespaces_done(call, pids_group_to_guest((s32)sys0(__NR_getpgrp)));
}

enum verdict pids_getpgid(struct call *call) /* and getsid */
{
	long r = sys1(call->nr, taken((s32)call->arg[0]));

	return namespaces_done(call, r > 0 ? pids_group_to_guest((s32)r) : r);
}

enum verdict pids_setsid(struct call *call)
{
	long r = sys0(__NR_setsid);

	return r < 0 ? namespaces_done(call, r) : pids_getpid(call); /* gVisor of 2022 says 0 */
}

enum verdict pids_setpgid(struct call *call)
{
	call->arg[0] = (u64)taken((s32)call->arg[0]);
	if ((s32)call->arg[1] == 1)
		call->arg[1] = (u64)pids_to_host(1);
	return CALL_PASS;
}

#define TIOCGPGRP_ 0x540fu

enum verdict pids_ioctl(struct call *call)
{
	s32 group = 0;
	long r;

	if ((u32)call->arg[1] == TIOCGPGRP_) {
		r = sys3(__NR_ioctl, call->arg[0], TIOCGPGRP_, &group);
		if (r == 0) {
			group = pids_group_to_guest(group);
			r = guest_write(call->arg[2], &group, sizeof(group));
		}
		return namespaces_done(call, r);
	}
	if (guest_read(&group, call->arg[2], sizeof(group)) < 0 || group != 1)
		return CALL_PASS;
	group = pids_to_host(1);
	call->extra[0] = (u32)group;
	call->edited = 3;
	return CALL_PASS;
}

/* --- others --------------------------------------------------------------------------------------------------------------------------- */

/* The first argument is a process. */
enum verdict pids_of_visible(struct call *call)
{
	s32 pid = (s32)call->arg[0];

	if (pid > 0)
		call->arg[0] = (u64)taken(pid);
	return CALL_PASS;
}

enum verdict pids_ptrace(struct call *call)
{
	if ((s32)call->arg[1] > 0)
		call->arg[1] = (u64)taken((s32)call->arg[1]);
	return CALL_PASS;
}

enum verdict pids_kcmp(struct call *call)
{
	for (u32 i = 0; i < 2; i++)
		if ((s32)call->arg[i] > 0)
			call->arg[i] = (u64)taken((s32)call->arg[i]);
	return CALL_PASS;
}

/* PRIO_PROCESS and PRIO_PGRP are 0 and 1, IOPRIO_WHO_PROCESS and IOPRIO_WHO_PGRP 1 and 2; behind them come users. */
static enum verdict of_which(struct call *call, u32 process)
{
	u32 which = (u32)call->arg[0];
	s32 who = (s32)call->arg[1];

	if (which - process < 2 && who > 0)
		call->arg[1] = which == process || who == 1 ? (u64)taken(who) : (u64)who;
	return CALL_PASS;
}

enum verdict pids_priority(struct call *call)
{
	return of_which(call, 0);
}

enum verdict pids_ioprio(struct call *call)
{
	return of_which(call, 1);
}

enum verdict pids_wait4(struct call *call)
{
	call->arg[0] = (u64)pids_to_host(1);
	return CALL_PASS;
}

enum verdict pids_waitid(struct call *call)
{
	u32 type = (u32)call->arg[0];

	if (type == 1 || type == 2) /* P_PID, P_PGID */
		call->arg[1] = (u64)pids_to_host(1);
	return CALL_PASS;
}

/* A negative owner is a group. */
enum verdict pids_setown(struct call *call)
{
	s32 owner = (s32)call->arg[2];

	if (owner == 1 || owner == -1)
		call->arg[2] = (u64)(owner == 1 ? pids_to_host(1) : -pids_to_host(1));
	return CALL_PASS;
}

enum verdict pids_timer_create(struct call *call)
{
	struct { /* struct sigevent */
		u64 value;
		s32 signo, notify, tid, rest[11];
	} event;
	static_assert(sizeof(event) == 64, "struct sigevent");

	if (guest_read(&event, call->arg[1], sizeof(event)) < 0 || !(event.notify & 4 /* SIGEV_THREAD_ID */) || event.tid != 1)
		return CALL_PASS;
	event.tid = pids_to_host(1);
	return namespaces_done(call, sys3(__NR_timer_create, call->arg[0], &event, call->arg[2]));
}

/* SO_PEERCRED: what the kernel tells, but for the pid. Gap identity has more to correct. */
enum verdict pids_getsockopt(struct call *call)
{
	s32 pid;

	if ((u32)call->arg[1] != 1 /* SOL_SOCKET */ || identity_on())
		return CALL_PASS;
	call->ret = sys5(__NR_getsockopt, call->arg[0], call->arg[1], call->arg[2], call->arg[3], call->arg[4]);
	if (call->ret == 0 && guest_read(&pid, call->arg[3], sizeof(pid)) == 0) {
		pid = pids_to_guest(pid);
		if (guest_write(call->arg[3], &pid, sizeof(pid)) < 0)
			call->ret = -EFAULT;
	}
	return CALL_DONE;
}
