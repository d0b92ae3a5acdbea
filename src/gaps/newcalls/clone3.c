/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone3 in terms of clone, and CLONE_PIDFD for both: clone(2), and kernel/fork.c of Linux 6.18, whose order of checks this follows.
 *
 * Limits: set_tid and CLONE_INTO_CGROUP are E2BIG, as of a kernel whose struct clone_args ends before them; CLONE_NEWTIME is EINVAL;
 * CLONE_CLEAR_SIGHAND with CLONE_VM needs CLONE_VFORK, else EINVAL. With CLONE_PIDFD, what is stored for the parent is stored when it goes
 * on: a child that shares its memory does not find it before (after vfork, it never does). A child with CLONE_VM, but neither CLONE_FILES
 * nor CLONE_VFORK, has copies of both ends of its pidfd.
 */
#include "gaps/newcalls/pidfd_int.h"

#define CSIGNAL_ UINT64_C(0xff)
#define CLONE_NEWTIME_ UINT64_C(0x80)
#define CLONE_SIGHAND_ UINT64_C(0x800)
#define CLONE_PARENT_ UINT64_C(0x8000)
#define CLONE_CLEAR_SIGHAND_ UINT64_C(0x100000000)
#define CLONE_INTO_CGROUP_ UINT64_C(0x200000000)
#define CLONE_KNOWN UINT64_C(0x3ffffffff)
#define SIGNALS 64u
#define PID_LEVELS 32u
#define SIZE_FIRST 64u /* CLONE_ARGS_SIZE_VER0 */
#define USER_END UINT64_C(0x7ffffffff000)

struct clone3_args { /* struct clone_args */
	u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	u64 set_tid, set_tid_size; /* CLONE_ARGS_SIZE_VER1 */
	u64 cgroup;                /* CLONE_ARGS_SIZE_VER2 */
};

/* As copy_struct_from_user(): what is longer than known must be zero. */
static int read_args(struct clone3_args *args, u64 from, u64 size)
{
	u64 known = size < sizeof(*args) ? size : sizeof(*args);

	if (size > LAYOUT_PAGE)
		return -E2BIG;
	if (size < SIZE_FIRST)
		return -EINVAL;
	*args = (struct clone3_args){ 0 };
	for (u64 at = known, rest; at < size; at += sizeof(rest)) {
		rest = 0;
		if (guest_read(&rest, from + at, size - at < sizeof(rest) ? size - at : sizeof(rest)) < 0)
			return -EFAULT;
		if (rest)
			return -E2BIG;
	}
	return guest_read(args, from, known);
}

static int check_args(const struct clone3_args *args, u64 size)
{
	u64 flags = args->flags;

	if (args->set_tid_size > PID_LEVELS || !args->set_tid != !args->set_tid_size)
		return -EINVAL;
	if (args->exit_signal > SIGNALS)
		return -EINVAL;
	if ((flags & CLONE_INTO_CGROUP_) && (args->cgroup > 0x7fffffff || size < sizeof(*args)))
		return -EINVAL;
	if ((flags & ~CLONE_KNOWN) || (flags & (CLONE_DETACHED_ | CSIGNAL_)))
		return -EINVAL; /* CLONE_NEWTIME is one of CSIGNAL */
	if ((flags & CLONE_SIGHAND_) && (flags & CLONE_CLEAR_SIGHAND_))
		return -EINVAL;
	if ((flags & (CLONE_THREAD_ | CLONE_PARENT_)) && args->exit_signal)
		return -EINVAL;
	if (!args->stack != !args->stack_size)
		return -EINVAL;
	if (args->stack && (args->stack + args->stack_size < args->stack || args->stack + args->stack_size > USER_END))
		return -EINVAL;
	if ((flags & CLONE_PIDFD_) && (flags & CLONE_PARENT_SETTID_) && args->pidfd == args->parent_tid)
		return -EINVAL;
	return args->set_tid || (flags & CLONE_INTO_CGROUP_) ? -E2BIG : 0;
}

/* agent_clone(), with a pidfd of the child stored at `at`. It is made before there is a child, which is the last moment to fail. */
static long clone_with_pidfd(struct call *call, struct clone_request *request, u64 at)
{
	bool thread = request->flags & CLONE_THREAD_;
	struct pidfd_pair pair;
	s32 old;
	long ret;

	ret = guest_read(&old, at, sizeof(old));
	if (ret == 0)
		ret = guest_write(at, &old, sizeof(old));
	if (ret == 0)
		ret = pidfd_new(&pair, 0);
	if (ret < 0)
		return ret;
	request->flags &= ~CLONE_PIDFD_;
	request->not_for_child[0] = pair.fd;
	request->not_for_child[1] = pair.peer;
	ret = agent_clone(call, request);
	if (ret == 0)
		return 0;
	if (ret < 0) {
		pidfd_drop(&pair);
		return ret;
	}
	/* one that nobody has to reap may have gone: then the pidfd is one of a process that has been reaped */
	(void)!pidfd_set(&pair, (s32)ret, thread);
	pidfd_watch(&pair);
	(void)!guest_write(at, &pair.fd, sizeof(pair.fd));
	return ret;
}

/* clone has one argument for the pidfd and for the parent's copy of the child's number: where the kernel makes the pidfd, we store that. */
static long clone_with_kernel_pidfd(struct call *call, struct clone_request *request, u64 pidfd)
{
	u64 parent_tid = (request->flags & CLONE_PARENT_SETTID_) ? request->parent_tid : 0;
	s32 pid;
	long ret;

	request->flags &= ~CLONE_PARENT_SETTID_;
	request->parent_tid = pidfd;
	ret = agent_clone(call, request);
	pid = (s32)ret;
	if (ret > 0 && parent_tid)
		(void)!guest_write(parent_tid, &pid, sizeof(pid));
	return ret;
}

enum verdict newcalls_clone(struct call *call)
{
	u64 flags = call->arg[0] & 0xffffffff;
	struct clone_request request = { .flags = flags & ~CSIGNAL_,
					 .exit_signal = flags & CSIGNAL_,
					 .child_tid = call->arg[3],
					 .tls = call->arg[4],
					 .stack = call->arg[1] };

	if (!(flags & CLONE_PIDFD_) || newcall_there(NEWCALL_PIDFD))
		return CALL_PASS;
	if (flags & (CLONE_DETACHED_ | CLONE_PARENT_SETTID_)) /* the argument for both is one */
		return done(call, -EINVAL);
	return done(call, clone_with_pidfd(call, &request, call->arg[2]));
}

enum verdict newcalls_clone3(struct call *call)
{
	bool there = newcall_there(NEWCALL_CLONE3);
	struct clone_request request;
	struct clone3_args args;
	int r;

	if (there && newcall_there(NEWCALL_PIDFD))
		return CALL_PASS;
	r = read_args(&args, call->arg[0], call->arg[1]);
	if (there && (r < 0 || !(args.flags & CLONE_PIDFD_)))
		return CALL_PASS;
	if (r == 0)
		r = check_args(&args, call->arg[1]);
	if (r < 0)
		return done(call, r);
	request = (struct clone_request){ .flags = args.flags,
					  .exit_signal = args.exit_signal,
					  .parent_tid = args.parent_tid,
					  .child_tid = args.child_tid,
					  .tls = args.tls,
					  .stack = args.stack ? args.stack + args.stack_size : 0,
					  .not_for_child = { -1, -1 } };
	if (!(args.flags & CLONE_PIDFD_))
		return done(call, agent_clone(call, &request));
	if (newcall_there(NEWCALL_PIDFD))
		return done(call, clone_with_kernel_pidfd(call, &request, args.pidfd));
	return done(call, clone_with_pidfd(call, &request, args.pidfd));
}
