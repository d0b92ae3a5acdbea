/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New processes and threads.
 *
 * Memory of its own (fork): the child is a copy of the whole trap and returns from its copy of the frame; only a new stack pointer,
 * if one was given, goes into the frame instead of into clone.
 * Shared memory (threads, vfork, posix_spawn): the child must not run on our slot. It resumes from a copy of the frame by rt_sigreturn,
 * with rax = 0 and its own stack: on its new stack for a thread, in the slot's scratch for a vfork child, whose parent sleeps until
 * the child has gone. A vfork child may overwrite the original frame (same stack, same alternate stack): the parent puts it back.
 */
#include "agent/engine.h"

#define CLONE_VM_ UINT64_C(0x100)
#define CLONE_SIGHAND_ UINT64_C(0x800)
#define CLONE_VFORK_ UINT64_C(0x4000)
#define CLONE_CLEAR_SIGHAND_ UINT64_C(0x100000000)
#define SS_DISABLE_ 2
#define FRAME_MAX (SLOT_SCRATCH / 3)

u64 frame_size(const struct trap *trap)
{
	u64 fp = trap->context->regs.fpstate, end = (u64)trap->info + sizeof(struct siginfo);
	u32 words[2];

	if (!fp)
		return end - trap->frame;
	memcpy(words, (const void *)(fp + FXSAVE_SW_BYTES), sizeof(words));
	fp += words[0] == FP_XSTATE_MAGIC1 ? words[1] : FXSAVE_SIZE;
	return (fp > end ? fp : end) - trap->frame;
}

/* Copies the frame to `to`, which must equal the frame's address modulo 64, and makes it the child's. `at` is where it will lie when used. */
static void child_frame(const struct trap *trap, u8 *to, u64 at, u64 size, u64 stack, bool keep_altstack)
{
	struct context *context = (struct context *)(to + ((u64)trap->context - trap->frame));

	memcpy(to, (const void *)trap->frame, size);
	if (context->regs.fpstate)
		context->regs.fpstate += at - trap->frame;
	context->regs.ax = 0;
	if (stack)
		context->regs.sp = stack;
	if (!keep_altstack)
		context->stack = (struct altstack){ .flags = SS_DISABLE_ };
	context->sigmask &= ~SIGSYS_BIT;
}

/* Frees what a vfork child took into its execve or left behind when it died. */
static void reap_slots(s32 child)
{
	struct private *p = private();

	for (u32 i = 0; i < SLOTS_MAX && __atomic_load_n(&p->owners, __ATOMIC_ACQUIRE); i++) {
		if (p->slot_owner[i] != child)
			continue;
		__atomic_sub_fetch(&p->owners, 1, __ATOMIC_ACQ_REL);
		if (p->slot_map[i][1])
			(void)sys2(__NR_munmap, p->slot_map[i][0], p->slot_map[i][1]);
		p->slot_map[i][1] = 0;
		p->slot_owner[i] = 0;
		__atomic_store_n(&p->slot_busy[i], 0, __ATOMIC_RELEASE);
	}
}

static long clone_sharing(struct call *call, long nr, u64 flags, u64 stack, bool clear)
{
	struct trap *trap = call->trap;
	u8 *scratch = slot_current()->scratch;
	u64 size = frame_size(trap), skew = trap->frame & 63, child;
	u8 *mine = (u8 *)(ALIGN_UP((u64)scratch, 64) + skew), *theirs = mine + ALIGN_UP(size, 64);
	long ret;

	if (size + 128 > FRAME_MAX)
		agent_die("the signal frame is larger than foreseen", (long)size);
	if (flags & CLONE_VFORK_) {
		memcpy(mine, (const void *)trap->frame, size);
		child = (u64)theirs;
		child_frame(trap, theirs, child, size, stack, true);
	} else {
		u64 top = stack ? stack - 128 : trap_free_stack(trap);

		if (clear)
			return -EINVAL; /* CLONE_CLEAR_SIGHAND without CLONE_VFORK: nobody does it, and we would have no stack for it */
		child = ALIGN_DOWN(top - size - 64, 64) + skew;
		child_frame(trap, theirs, child, size, stack, false);
		if (guest_write(child, theirs, size) < 0)
			return -EFAULT;
	}
	ret = agent_clone_vm(nr, call->arg, child, clear);
	if (flags & CLONE_VFORK_) {
		memcpy((void *)trap->frame, mine, size);
		if (ret > 0)
			reap_slots((s32)ret);
	}
	return ret;
}

/* The child of a fork has one thread and one trap: this one. */
static void forked_child(u64 slot)
{
	struct private *p = private();

	for (u32 i = 0; i < SLOTS_MAX; i++) {
		if (i != slot && p->slot_busy[i])
			p->slot_busy[i] = 0;
		if (!p->owners)
			continue; /* two arrays less to look at: most forks */
		p->slot_owner[i] = 0;
		p->slot_map[i][1] = 0;
	}
	p->owners = 0;
	p->sleepers = 0;
	p->pid = (s32)sys0(__NR_getpid);
	p->sigsys_pending = 0;
	member_forked_child();
	events(EVENT_FORK_CHILD, 0);
}

static long clone_copying(struct call *call, long nr, u64 stack, bool clear)
{
	u32 *forking = &private()->forking;
	long ret;

	while (__atomic_exchange_n(forking, 1, __ATOMIC_ACQUIRE)) /* what is prepared for a child is kept once per process */
		(void)sys0(__NR_sched_yield);
	events(EVENT_FORK_PREPARE, 0);
	ret = agent_reissue(nr, call->arg);
	if (ret == 0) {
		*forking = 0;
		forked_child(call->trap->slot);
		if (clear)
			signal_clear_handlers();
		if (stack)
			call->trap->context->regs.sp = stack;
	} else {
		member_forked_parent(ret);
		events(EVENT_FORK_PARENT, ret);
		__atomic_store_n(forking, 0, __ATOMIC_RELEASE);
	}
	return ret;
}

enum verdict engine_clone(struct call *call)
{
	u64 flags = call->arg[0], stack = call->arg[1];

	if (flags & CLONE_VM_) {
		call->ret = clone_sharing(call, __NR_clone, flags, stack, false);
	} else {
		call->arg[1] = 0;
		call->ret = clone_copying(call, __NR_clone, stack, false);
	}
	return CALL_DONE;
}

enum verdict engine_fork(struct call *call)
{
	call->ret = clone_copying(call, __NR_fork, 0, false);
	return CALL_DONE;
}

enum verdict engine_vfork(struct call *call)
{
	call->ret = clone_sharing(call, __NR_vfork, CLONE_VM_ | CLONE_VFORK_, 0, false);
	return CALL_DONE;
}

/* struct clone_args (clone3(2)): what the engine looks at; larger ones are copied whole. */
struct clone3_args {
	u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	u64 more[24];
};

enum verdict engine_clone3(struct call *call)
{
	struct clone3_args *args = (struct clone3_args *)(slot_current()->scratch + 2 * FRAME_MAX + 512);
	u64 size = call->arg[1], stack;
	bool clear;

	if (size < 64 || size > sizeof(*args))
		return CALL_PASS; /* the kernel knows the errno: EINVAL, E2BIG */
	if (guest_read(args, call->arg[0], size) < 0)
		return CALL_PASS; /* EFAULT, or ENOSYS where there is no clone3 */
	clear = args->flags & CLONE_CLEAR_SIGHAND_;
	if (!args->stack != !args->stack_size || (clear && (args->flags & CLONE_SIGHAND_))) {
		call->ret = sys2(__NR_clone3, NULL, 0) == -ENOSYS ? -ENOSYS : -EINVAL;
		return CALL_DONE;
	}
	stack = args->stack ? args->stack + args->stack_size : 0;
	args->flags &= ~CLONE_CLEAR_SIGHAND_;
	call->arg[0] = (u64)args;
	if (args->flags & CLONE_VM_) {
		call->ret = clone_sharing(call, __NR_clone3, args->flags, stack, clear);
	} else {
		args->stack = args->stack_size = 0;
		call->ret = clone_copying(call, __NR_clone3, stack, clear);
	}
	return CALL_DONE;
}

/* ptrace(PTRACE_TRACEME). A vfork child that is traced would stop at its next trap, for a tracer that sleeps in vfork (gdb starts
 * programs so): its request counts from its execve on, where natively it first matters. */
enum verdict engine_traceme(struct call *call)
{
	s32 pid = (s32)sys0(__NR_getpid);

	if (pid == private()->pid)
		return CALL_PASS;
	private()->traceme = pid;
	call->ret = 0;
	return CALL_DONE;
}

/* A vfork child shares our memory and ends alone: what the gaps keep is its parent's. */
enum verdict engine_exit_group(struct call *call)
{
	(void)call;
	if (sys0(__NR_getpid) == private()->pid)
		events(EVENT_EXIT, 0);
	return CALL_PASS;
}
