/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap processes, agent half: subreapers (PR_SET_CHILD_SUBREAPER of prctl(2)) and CLONE_PARENT of clone(2) where the kernel has neither: gVisor
 * of 2022 refuses the one and ignores the other, and containerd's shim waits for containers that runc has left behind.
 *
 * The kernel gives an orphan to a process that we are not, and only that one is told how it ended. So every process below a subreaper has a row in
 * the commons (family.c), which outlives it:
 *
 *   born       by its parent after fork, by itself, or before execve where it is a vfork child: whichever comes first
 *   ends       exit_group is seen, and its status noted; a signal is noted where it is sent (kill and its kin)
 *   orphaned   when its parent ends, which takes its children's rows through; a parent that is killed does not: that is found when the heir waits
 *   told       the supervisor watches an orphan (abi/broker.h), and sends its heir SIGCHLD once it has really ended
 *   waited     wait4 and waitid look at the rows of those that are the caller's, and at the kernel's (family_wait.c)
 *
 * Where nobody ever asks for a subreaper or CLONE_PARENT, the calls below are passed on.
 *
 * Limits:
 *   - processes.h: 4096 processes below subreapers, 256 subreapers.
 *   - How a process ended that was killed by what no process of the cell sent (its own fault, a terminal, the machine), or by raise(3) of another signal than
 *     SIGABRT, is told as SIGKILL; one
 *     that handled SIGTERM and was killed later so, as SIGTERM.
 *   - SIGCHLD tells who sent it, not who ended (SI_USER), comes up to some 10 ms late, and not for orphans of a killed parent before the
 *     subreaper waits. Other exit signals than SIGCHLD are not sent. Stops and continues of orphans are not told. Resources that they used are 0.
 *   - A waiting subreaper is EINTR after any signal with a handler, also with SA_RESTART; it looks every 5 ms. waitid(P_PIDFD) knows only the kernel's children.
 *   - Who made a sibling by CLONE_PARENT and waits for any child waits for the sibling's end, too, before it is told ECHILD.
 *   - /proc/PID/stat and status tell the kernel's parent. PR_SET_PDEATHSIG is the kernel's affair.
 */
#include "gaps/processes/processes_int.h"

#define PR_SET_CHILD_SUBREAPER_ 36u
#define CLONE_PARENT_ UINT64_C(0x8000)
#define CLONE_VM_ UINT64_C(0x100)
#define CLONE_THREAD_ UINT64_C(0x10000)
#define CLONE_PIDFD_ UINT64_C(0x1000)
#define WAIT_STEPS 10000u
#define CSIGNAL_ UINT64_C(0xff)

static bool refused(void)
{
	return commons()->refused & (1u << GAP_processes);
}

bool processes_adopt(s32 pid)
{
	return commons_area(GAP_processes) && family_set_reaper(pid, true) == 0;
}

enum verdict processes_prctl(struct call *call)
{
	s32 pid = agent_caller_pid(), on = family_is_reaper(pid);
	long r = refused() ? -EINVAL : sys5(__NR_prctl, call->arg[0], call->arg[1], call->arg[2], call->arg[3], call->arg[4]);

	if (r != -EINVAL)
		return processes_done(call, r);
	if (call->arg[0] == PR_SET_CHILD_SUBREAPER_)
		return processes_done(call, family_set_reaper(pid, call->arg[1] != 0));
	return processes_done(call, guest_write(call->arg[1], &on, sizeof(on)));
}

s32 processes_parent(s32 kernels)
{
	const struct process_row *row = commons_area(GAP_processes) && processes_used() ? family_find(agent_caller_pid()) : NULL;

	if (!row || (!row->adopted && row->parent == kernels))
		return kernels;
	return row->heir && !family_gone(row->heir) ? row->heir : kernels;
}

enum verdict processes_getppid(struct call *call)
{
	return processes_used() ? processes_done(call, processes_parent((s32)sys0(__NR_getppid))) : CALL_PASS;
}

/* --- CLONE_PARENT ------------------------------------------------------------------------------------------------------------------- */

/* The child says itself whose it is, before its first instruction: then others may be told of it. */
static void wait_adopted(s32 pid)
{
	for (u32 i = 0; i < WAIT_STEPS; i++) {
		const struct process_row *row = family_find(pid);

		if ((row && row->adopted) || sys2(__NR_kill, pid, 0) == -ESRCH)
			return;
		(void)sys0(__NR_sched_yield);
	}
}

static enum verdict clone_sibling(struct call *call, const struct clone_request *request)
{
	s32 me = agent_caller_pid(), heir;

	__atomic_store_n(&processes_area()->used, 1, __ATOMIC_RELEASE);
	heir = processes_parent((s32)sys0(__NR_getppid));
	call->ret = agent_clone(call, request);
	if (call->ret == 0)
		family_born_sibling(agent_pid(), me, heir);
	else if (call->ret > 0 && (request->flags & CLONE_VM_))
		family_born_sibling((s32)call->ret, me, heir);
	else if (call->ret > 0)
		wait_adopted((s32)call->ret);
	return CALL_DONE;
}

static bool asks_for_sibling(u64 flags)
{
	return !processes_area()->siblings && (flags & (CLONE_PARENT_ | CLONE_THREAD_ | CLONE_PIDFD_)) == CLONE_PARENT_;
}

enum verdict processes_clone(struct call *call)
{
	u64 flags = call->arg[0];
	struct clone_request request = {
		.flags = flags & ~(CSIGNAL_ | CLONE_PARENT_),
		.exit_signal = flags & CSIGNAL_,
		.parent_tid = call->arg[2],
		.child_tid = call->arg[3],
		.tls = call->arg[4],
		.stack = call->arg[1],
		.not_for_child = { -1, -1 },
	};

	return asks_for_sibling(flags) ? clone_sibling(call, &request) : CALL_PASS;
}

enum verdict processes_clone3(struct call *call)
{
	struct { /* struct clone_args */
		u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args;
	struct clone_request request;

	if (call->arg[1] != sizeof(args) || guest_read(&args, call->arg[0], sizeof(args)) < 0 || !asks_for_sibling(args.flags) ||
	    !args.stack != !args.stack_size || args.exit_signal)
		return CALL_PASS; /* with CLONE_PARENT the caller's own exit signal counts; others are the kernel's to judge */
	request = (struct clone_request){
		.flags = args.flags & ~CLONE_PARENT_,
		.exit_signal = 17, /* SIGCHLD */
		.parent_tid = args.parent_tid,
		.child_tid = args.child_tid,
		.tls = args.tls,
		.stack = args.stack ? args.stack + args.stack_size : 0,
		.not_for_child = { -1, -1 },
	};
	return clone_sibling(call, &request);
}

/* --- signals ------------------------------------------------------------------------------------------------------------------------ */

static void note_all(s32 group, s32 sig)
{
	for (u32 i = 0; i < processes_high(); i++) {
		struct process_row *row = &processes_area()->row[i];

		if (process_known(row) && (group < 0 || (s32)sys1(__NR_getpgid, row->pid) == group))
			family_signalled(row->pid, sig);
	}
}

enum verdict processes_kill(struct call *call)
{
	s32 pid = (s32)call->arg[0], sig = (s32)call->arg[1];

	if (!processes_used())
		return CALL_PASS;
	if (pid > 0)
		family_signalled(pid, sig);
	else
		note_all(pid == -1 ? -1 : pid ? -pid : (s32)sys0(__NR_getpgrp), sig);
	return CALL_PASS;
}

enum verdict processes_tgkill(struct call *call)
{
	if (processes_used())
		family_signalled((s32)call->arg[0], (s32)call->arg[2]);
	return CALL_PASS;
}

/* --- life --------------------------------------------------------------------------------------------------------------------------- */

void processes_event(enum agent_event event, long arg)
{
	s32 pid;

	if (!processes_used())
		return;
	switch (event) {
	case EVENT_FORK_PARENT:
		if (arg > 0)
			family_born((s32)arg, agent_pid(), false);
		break;
	case EVENT_FORK_CHILD:
		family_born(agent_pid(), (s32)sys0(__NR_getppid), true);
		break;
	case EVENT_EXEC_PREPARE:
		pid = agent_caller_pid();
		if (!family_find(pid))
			family_born(pid, (s32)sys0(__NR_getppid), false);
		break;
	case EVENT_EXIT:
		family_ends(agent_pid(), (s32)(arg & 0xff) << 8);
		break;
	case EVENT_EXEC:
	case EVENT_FORK_PREPARE:
	case EVENT_BECOME:
		break;
	}
}

void processes_member_reap(int member)
{
	(void)member; /* rows are kept by pid */
}
