/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait4(2), waitid(2): for who may have children that the kernel does not count as such. Their rows are looked at, then the kernel is asked without
 * waiting, then a moment passes. Who has none such, and is no subreaper, is passed on to the kernel.
 */
#include "gaps/processes/processes_int.h"

#define WNOHANG_ 1u
#define WEXITED_ 4u
#define WNOWAIT_ 0x01000000u
#define P_PID_ 1u
#define P_PGID_ 2u
#define LOOK_NS 5000000

#define SIGCHLD_ 17
#define CLD_EXITED_ 1
#define CLD_KILLED_ 2

/* Which children are waited for: all of them 0, else one or those of a group. */
struct wanted {
	s32 me, pid, group;
	bool keep; /* WNOWAIT */
	bool look; /* none is to be taken: only whether there are some */
};

/* A child that has ended. */
struct ended {
	s32 pid, status;
	u32 uid;
};

static bool fits(const struct wanted *w, const struct process_row *row)
{
	s32 group;

	if (w->pid)
		return row->pid == w->pid;
	group = w->group ? (s32)sys1(__NR_getpgid, row->pid) : 0;
	return (group < 0 ? row->group : group) == w->group;
}

/* How it ended: what it said, else the last signal that may have been the end of it. */
static s32 status_of(const struct process_row *row)
{
	if (__atomic_load_n(&row->exited, __ATOMIC_ACQUIRE))
		return row->status;
	return row->signal ? (s32)row->signal : 9;
}

/* Whether rows concern the caller: children that it adopts, or that it gave away by CLONE_PARENT. */
static bool concerned(s32 me)
{
	const struct process_row *row = processes_area()->row;

	if (family_is_reaper(me))
		return true;
	for (u32 i = 0; i < processes_high(); i++)
		if (process_known(&row[i]) && row[i].adopted && (row[i].heir == me || row[i].parent == me))
			return true;
	return false;
}

/* Whether the one child that is waited for is another's, by CLONE_PARENT. */
static bool given_away(const struct wanted *w)
{
	const struct process_row *row = w->pid ? family_find(w->pid) : NULL;

	return row && row->adopted && row->heir != w->me;
}

/* Takes one of the adopted that has ended: 1. 0: there are some, -ECHILD: none. */
static long take_adopted(const struct wanted *w, struct ended *ret)
{
	struct process_row *row = processes_area()->row;
	long r = -ECHILD;

	for (u32 i = 0; i < processes_high(); i++) {
		u32 known = PROCESS_KNOWN;

		if (!process_known(&row[i]) || row[i].heir != w->me)
			continue;
		family_settle(&row[i]);
		if (!process_known(&row[i]) || !row[i].adopted || row[i].heir != w->me || !fits(w, &row[i]))
			continue;
		if (w->look || !family_gone(row[i].pid)) {
			r = 0;
			continue;
		}
		*ret = (struct ended){ .pid = row[i].pid, .status = status_of(&row[i]), .uid = row[i].uid };
		if (w->keep ||
		    __atomic_compare_exchange_n(&row[i].state, &known, PROCESS_FREE, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return 1;
	}
	return r;
}

/* The kernel's child is waited for: whether it was the caller's to wait for. */
static bool was_ours(s32 me, s32 pid, s32 status)
{
	struct process_row *row = family_find(pid);

	if (!row || !row->adopted || row->heir == me)
		return true;
	row->status = status;
	__atomic_store_n(&row->exited, 1, __ATOMIC_RELEASE);
	return false;
}

/* After a look at both kinds: whether to look again in a moment; else call->ret is the answer. adopted: 0 or -ECHILD; native: likewise. */
static bool look_again(struct call *call, long adopted, long native, bool nohang)
{
	struct agent_time moment = { 0, LOOK_NS };

	call->ret = native;
	if (native == -ECHILD && adopted == 0)
		call->ret = 0;
	if (call->ret || nohang)
		return false;
	call->ret = -EINTR;
	return agent_wait(call, &processes_area()->idle, 0, &moment) != -EINTR;
}

enum verdict processes_wait4(struct call *call)
{
	s32 which = (s32)call->arg[0], status = 0;
	struct wanted w = { .me = agent_caller_pid() };
	struct ended ended;
	long adopted, native;

	if (!processes_used() || !concerned(w.me) || which == (s32)0x80000000)
		return CALL_PASS;
	w.pid = which > 0 ? which : 0;
	w.group = which == 0 ? (s32)sys0(__NR_getpgrp) : which < -1 ? -which : 0;
	do {
		adopted = take_adopted(&w, &ended);
		if (adopted == 1) {
			if (call->arg[1] && guest_write(call->arg[1], &ended.status, sizeof(ended.status)) < 0)
				return processes_done(call, -EFAULT);
			return processes_done(call, ended.pid);
		}
		native = given_away(&w) ? -ECHILD : sys4(__NR_wait4, which, &status, (u32)call->arg[2] | WNOHANG_, call->arg[3]);
		if (native > 0 && !was_ours(w.me, (s32)native, status))
			native = 0; /* once more */
	} while (look_again(call, adopted, native, call->arg[2] & WNOHANG_));
	if (call->ret > 0 && call->arg[1] && guest_write(call->arg[1], &status, sizeof(status)) < 0)
		call->ret = -EFAULT;
	return CALL_DONE;
}

struct info { /* siginfo_t */
	s32 signo, error, code, pad, pid;
	u32 uid;
	s32 status;
	u8 rest[100];
};
static_assert(sizeof(struct info) == 128, "siginfo_t");

static struct info info_of(const struct ended *ended)
{
	bool killed = ended->status & 0x7f;

	return (struct info){ .signo = SIGCHLD_,
			      .code = killed ? CLD_KILLED_ : CLD_EXITED_,
			      .pid = ended->pid,
			      .uid = ended->uid,
			      .status = killed ? ended->status & 0x7f : ended->status >> 8 & 0xff };
}

/* Asks the kernel, without waiting: 1 with *info, 0: none yet, or negative errno. */
static long ask_kernel(const struct call *call, s32 me, struct info *info)
{
	long r;

	memset(info, 0, sizeof(*info));
	r = sys5(__NR_waitid, call->arg[0], call->arg[1], info, (u32)call->arg[3] | WNOHANG_, call->arg[4]);
	if (r < 0 || !info->pid)
		return r;
	return was_ours(me, info->pid, info->code == CLD_EXITED_ ? info->status << 8 : info->status) ? 1 : 0;
}

enum verdict processes_waitid(struct call *call)
{
	u32 type = (u32)call->arg[0], options = (u32)call->arg[3];
	struct wanted w = { .me = agent_caller_pid(), .keep = options & WNOWAIT_, .look = !(options & WEXITED_) };
	struct ended ended;
	struct info info;
	long adopted, native;

	if (!processes_used() || type > P_PGID_ || !concerned(w.me))
		return CALL_PASS;
	w.pid = type == P_PID_ ? (s32)call->arg[1] : 0;
	w.group = type == P_PGID_ ? (call->arg[1] ? (s32)call->arg[1] : (s32)sys0(__NR_getpgrp)) : 0;
	do {
		adopted = take_adopted(&w, &ended);
		native = adopted == 1 ? 1 : given_away(&w) ? -ECHILD : ask_kernel(call, w.me, &info);
		if (adopted == 1)
			info = info_of(&ended);
	} while (look_again(call, adopted, native, options & WNOHANG_));
	if (call->ret < 0)
		return CALL_DONE;
	call->ret = 0;
	if (call->arg[2] && guest_write(call->arg[2], &info, sizeof(info)) < 0)
		call->ret = -EFAULT;
	return CALL_DONE;
}
