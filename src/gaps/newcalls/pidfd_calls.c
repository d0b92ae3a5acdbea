/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfd_open, pidfd_send_signal, pidfd_getfd and waitid(P_PIDFD): pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), waitid(2), and
 * kernel/{pid,signal,exit}.c of Linux 6.18. Where the kernel has pidfds, its own are left to it.
 *
 * Limits: pidfd_getfd gives the caller's own descriptors only, others are EPERM (a descriptor of another process can be opened again, but
 * that is another open file). A siginfo goes to threads of the caller's own process only, and not to process groups. A process that is reaped by another thread between the question who it is and the call that names it by
 * pid is not told from one that has got the same pid since: the instant is some microseconds.
 */
#include "gaps/newcalls/pidfd_int.h"

#define PIDFD_NONBLOCK_ O_NONBLOCK_
#define PIDFD_THREAD_ O_EXCL_
#define PIDFD_SIGNAL_THREAD_ 1u
#define PIDFD_SIGNAL_THREAD_GROUP_ 2u
#define PIDFD_SIGNAL_PROCESS_GROUP_ 4u
#define SI_TKILL_ (-6)
#define P_PID_ 1
#define WNOHANG_ 1u
#define WAIT_FOR 0x0000000eu     /* WSTOPPED, WEXITED, WCONTINUED */
#define WAIT_OPTIONS 0xe100000fu /* those, WNOHANG, WNOWAIT, __WNOTHREAD, __WALL, __WCLONE */
#define NOBODY 0x7fffffff        /* a pid that no process has */

struct siginfo_bytes { /* siginfo_t */
	s32 signo, error, code, pad;
	s32 pid;
	u8 rest[108];
};
static_assert(sizeof(struct siginfo_bytes) == 128, "siginfo_t");

enum verdict newcalls_pidfd_open(struct call *call)
{
	s32 pid = (s32)call->arg[0];
	u32 flags = (u32)call->arg[1];
	struct pidfd_pair pair;
	int r;

	if (newcall_there(NEWCALL_PIDFD))
		return CALL_PASS;
	if ((flags & ~(PIDFD_NONBLOCK_ | PIDFD_THREAD_)) || pid <= 0)
		return done(call, -EINVAL);
	r = pidfd_new(&pair, flags & PIDFD_NONBLOCK_);
	if (r < 0)
		return done(call, r);
	r = pidfd_set(&pair, pid, flags & PIDFD_THREAD_);
	if (r < 0) {
		pidfd_drop(&pair);
		return done(call, r);
	}
	pidfd_watch(&pair);
	return done(call, pair.fd);
}

/* The signal that goes with a siginfo of the guest's. */
static long queue_signal(const struct pidfd *target, bool thread, int sig, u64 guest_info)
{
	struct siginfo_bytes info;

	if (guest_read(&info, guest_info, sizeof(info)) < 0)
		return -EFAULT;
	if (info.signo != sig)
		return -EINVAL;
	if ((info.code >= 0 || info.code == SI_TKILL_) && target->pid != (s32)sys0(__NR_gettid))
		return -EPERM; /* only the kernel may say that it sent a signal */
	if (!target->pid)
		return -ESRCH;
	if (!thread)
		return sys3(__NR_rt_sigqueueinfo, target->pid, sig, &info);
	return sys4(__NR_rt_tgsigqueueinfo, sys0(__NR_getpid), target->pid, sig, &info);
}

static long send_signal(const struct pidfd *target, int sig, u64 guest_info, u32 flags)
{
	bool thread = flags ? flags == PIDFD_SIGNAL_THREAD_ : target->thread;

	if (guest_info && flags == PIDFD_SIGNAL_PROCESS_GROUP_)
		return -EINVAL; /* no other call sends a siginfo to a group */
	if (guest_info)
		return queue_signal(target, thread, sig, guest_info);
	if (!target->pid)
		return -ESRCH;
	if (thread)
		return sys2(__NR_tkill, target->pid, sig);
	return sys2(__NR_kill, flags == PIDFD_SIGNAL_PROCESS_GROUP_ ? -target->pid : target->pid, sig);
}

enum verdict newcalls_pidfd_send_signal(struct call *call)
{
	u32 flags = (u32)call->arg[3];
	struct pidfd target;

	if (pidfd_get((s32)call->arg[0], &target) < 0) {
		if (newcall_there(NEWCALL_PIDFD))
			return CALL_PASS;
		target.pid = -1;
	}
	if (flags > PIDFD_SIGNAL_PROCESS_GROUP_ || (flags & (flags - 1)))
		return done(call, -EINVAL);
	return done(call, target.pid < 0 ? -EBADF : send_signal(&target, (int)call->arg[1], call->arg[2], flags));
}

enum verdict newcalls_pidfd_getfd(struct call *call)
{
	struct pidfd target;
	long r;

	if (pidfd_get((s32)call->arg[0], &target) < 0) {
		if (newcall_there(NEWCALL_PIDFD))
			return CALL_PASS;
		return done(call, (u32)call->arg[2] ? -EINVAL : -EBADF);
	}
	if ((u32)call->arg[2])
		return done(call, -EINVAL);
	if (!target.pid)
		return done(call, -ESRCH);
	if (target.pid != (s32)sys0(__NR_getpid))
		return done(call, -EPERM);
	r = sys3(__NR_fcntl, (s32)call->arg[1], F_DUPFD_CLOEXEC_, 0);
	return done(call, r);
}

/* With a pidfd that is not to block: as WNOHANG, but EAGAIN where that tells of nobody. */
static enum verdict wait_nonblock(struct call *call)
{
	struct siginfo_bytes own = { 0 };
	s32 signo = 0;

	call->arg[3] |= WNOHANG_;
	if (!call->arg[2])
		call->arg[2] = (u64)&own;
	call->ret = sys5(__NR_waitid, call->arg[0], call->arg[1], call->arg[2], call->arg[3], call->arg[4]);
	if (call->arg[2] == (u64)&own)
		signo = own.signo;
	else if (call->ret == 0 && guest_read(&signo, call->arg[2], sizeof(signo)) < 0)
		call->ret = -EFAULT;
	if (call->ret == 0 && !signo)
		call->ret = -EAGAIN;
	return CALL_DONE;
}

enum verdict newcalls_waitid(struct call *call)
{
	u32 options = (u32)call->arg[3];
	struct pidfd target;

	if ((options & ~WAIT_OPTIONS) || !(options & WAIT_FOR) || (s32)call->arg[1] < 0)
		return done(call, -EINVAL);
	if (pidfd_get((s32)call->arg[1], &target) < 0)
		return newcall_there(NEWCALL_PIDFD) ? CALL_PASS : done(call, -EBADF);
	call->arg[0] = P_PID_;
	call->arg[1] = target.pid ? (u64)target.pid : NOBODY;
	return target.nonblock && !(options & WNOHANG_) ? wait_nonblock(call) : CALL_PASS;
}
