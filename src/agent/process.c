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
#include "agent/view.h"

#define CLONE_VM_ UINT64_C(0x100)
#define CLONE_FS_ UINT64_C(0x200)
#define CLONE_NEWNS_ UINT64_C(0x20000)
#define CLONE_NEWPID_ UINT64_C(0x20000000)
#define CLONE_FILES_ UINT64_C(0x400)
#define CLONE_SIGHAND_ UINT64_C(0x800)
#define CLONE_THREAD_ UINT64_C(0x10000)
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

/* A clone, whatever call asked for it. */
struct cloning {
	long nr;     /* of the call that makes it */
	u64 args[6]; /* its arguments */
	u64 flags;
	u64 stack;     /* the child's first stack pointer, 0 = the caller's */
	bool has_view; /* the child has namespaces of its own: */
	u32 view;
	struct fs_hints hints;
	struct child_chores chores;
};

/* In the child, before its first guest instruction: on its parent's slot after vfork, so it ends before the parent goes on. */
void clone_child_chores(const struct child_chores *chores)
{
	for (u32 kind = 0; kind < TASK_WORDS; kind++)
		if (chores->has_task_word[kind])
			task_vfork_child(kind, chores->task_word[kind]);
	if (chores->has_task_word[TASK_VIEW])
		view_vfork_child();
	if (chores->clear_handlers)
		signal_clear_handlers();
	if (chores->born)
		pids_born(chores->mask, chores->trap_pids);
	for (u32 i = 0; i < chores->count; i++)
		(void)sys1(__NR_close, chores->close[i]);
	if (chores->birth)
		cgroup_fork_end((s32)sys0(__NR_getpid), chores->birth);
}

static bool has_chores(const struct child_chores *chores)
{
	for (u32 kind = 0; kind < TASK_WORDS; kind++)
		if (chores->has_task_word[kind])
			return true;
	return chores->clear_handlers || chores->born || chores->count || chores->birth;
}

static long make_vfork_child(const struct cloning *clone, u64 frame)
{
	struct child_chores chores = clone->chores;

	for (u32 kind = 0; kind < TASK_WORDS; kind++) {
		chores.has_task_word[kind] = task_rows(kind);
		chores.task_word[kind] = task_word(kind);
	}
	if (clone->has_view) {
		chores.has_task_word[TASK_VIEW] = true;
		chores.task_word[TASK_VIEW] = clone->view;
	}
	return agent_clone_vm(clone->nr, clone->args, frame, has_chores(&chores) ? &chores : NULL);
}

static long make_thread(const struct cloning *clone, u64 frame)
{
	struct task_birth birth;
	long ret;

	task_birth_begin(clone->flags, clone->has_view ? &clone->view : NULL, &birth);
	ret = agent_clone_vm(clone->nr, clone->args, frame, NULL);
	task_birth_end((s32)ret, &birth);
	return ret;
}

/* A child with a view of its own has other mounts below its directories. */
static void give_hints(const struct cloning *clone)
{
	if (clone->has_view)
		memcpy(&private()->hints, &clone->hints, sizeof(clone->hints));
}

static long clone_sharing(struct trap *trap, const struct cloning *clone)
{
	u8 *scratch = slot_current()->scratch;
	u64 size = frame_size(trap), skew = trap->frame & 63, child;
	u8 *mine = (u8 *)(ALIGN_UP((u64)scratch, 64) + skew), *theirs = mine + ALIGN_UP(size, 64);
	bool vfork = clone->flags & CLONE_VFORK_;
	struct fs_hints hints;
	long ret;

	if (size + 128 > FRAME_MAX)
		agent_die("the signal frame is larger than foreseen", (long)size);
	if (vfork) {
		memcpy(mine, (const void *)trap->frame, size);
		child = (u64)theirs;
		child_frame(trap, theirs, child, size, clone->stack, true);
	} else {
		u64 top = clone->stack ? clone->stack - 128 : trap_free_stack(trap);

		if (clone->chores.clear_handlers)
			return -EINVAL; /* CLONE_CLEAR_SIGHAND without CLONE_VFORK: nobody does it, and we would have no stack for it */
		child = ALIGN_DOWN(top - size - 64, 64) + skew;
		child_frame(trap, theirs, child, size, clone->stack, false);
		if (guest_write(child, theirs, size) < 0)
			return -EFAULT;
	}
	if (!(clone->flags & CLONE_THREAD_))
		__atomic_add_fetch(&private()->sharing, 1, __ATOMIC_ACQ_REL);
	hints = private()->hints;
	give_hints(clone);
	ret = vfork ? make_vfork_child(clone, child) : make_thread(clone, child);
	if (vfork) {
		__atomic_sub_fetch(&private()->sharing, 1, __ATOMIC_ACQ_REL);
		if (clone->has_view)
			view_drop(clone->view);
		private()->hints = hints; /* a child that shares memory has gone elsewhere */
		memcpy((void *)trap->frame, mine, size);
		if (ret > 0) {
			reap_slots((s32)ret);
			task_gone((s32)ret);
		}
	}
	return ret;
}

s32 agent_caller_pid(void)
{
	return __atomic_load_n(&private()->sharing, __ATOMIC_ACQUIRE) ? (s32)sys0(__NR_getpid) : private()->pid;
}

s32 agent_caller_tid(void)
{
	const struct private *p = private();

	if (__atomic_load_n(&p->sharing, __ATOMIC_ACQUIRE) || __atomic_load_n(&p->threads, __ATOMIC_ACQUIRE))
		return (s32)sys0(__NR_gettid);
	return p->pid;
}

/* The trap of a thread that the child does not have is over. */
static void drop_slot(u32 i, bool own_files)
{
	s32 *held = &((struct slot *)(PRIVATE_POOL + i * SLOT_SIZE))->trap.held; /* NOLINT(performance-no-int-to-ptr) */

	if (*held && own_files)
		(void)sys1(__NR_close, *held);
	*held = 0;
	private()->slot_busy[i] = 0;
}

/* The child of a fork has one thread and one trap: this one. */
static void forked_child(u64 slot, bool own_files)
{
	struct private *p = private();

	for (u32 i = 0; i < SLOTS_MAX; i++) {
		if (i != slot && p->slot_busy[i])
			drop_slot(i, own_files);
		if (!p->owners)
			continue; /* two arrays less to look at: most forks */
		p->slot_owner[i] = 0;
		p->slot_map[i][1] = 0;
	}
	p->owners = 0;
	p->sleepers = 0;
	p->listing = 0;
	p->sharing = 0;
	p->pid = (s32)sys0(__NR_getpid);
	p->sigsys_pending = 0;
	task_forked_child();
	signal_forked_child();
	member_forked_child();
	view_forked_child();
	events(EVENT_FORK_CHILD, 0);
}

static long clone_copying(struct trap *trap, const struct cloning *clone)
{
	struct task_words *view = &private()->task[TASK_VIEW];
	u32 *forking = &private()->forking;
	long ret;

	while (__atomic_exchange_n(forking, 1, __ATOMIC_ACQUIRE)) /* what is prepared for a child is kept once per process */
		(void)sys0(__NR_sched_yield);
	task_before_fork();
	if (clone->has_view)
		view->forked = clone->view;
	events(EVENT_FORK_PREPARE, 0);
	ret = agent_reissue(clone->nr, clone->args);
	if (ret == 0) {
		*forking = 0;
		give_hints(clone);
		forked_child(trap->slot, !(clone->flags & CLONE_FILES_));
		clone_child_chores(&clone->chores);
		if (clone->stack)
			trap->context->regs.sp = clone->stack;
	} else {
		view_forked_parent((s32)ret, private()->task[TASK_VIEW].forked);
		if (clone->chores.born && ret > 0)
			pids_claim(clone->chores.pid_space, (s32)ret);
		if (clone->has_view)
			view_drop(clone->view);
		member_forked_parent(ret);
		events(EVENT_FORK_PARENT, ret);
		__atomic_store_n(forking, 0, __ATOMIC_RELEASE);
	}
	return ret;
}

/* Whether children may be born where the caller's are, which is another pid namespace than its own (moved), with these flags. 0 or negative errno, as
 * copy_process() in kernel/fork.c; but sharing memory without waiting: nobody would tell such a child. */
static long may_bear(u64 flags, u32 space, bool moved)
{
	if (space && __atomic_load_n(&views()->pid_space[space].dead, __ATOMIC_ACQUIRE))
		return -ENOMEM;
	if (!moved)
		return 0;
	return (flags & CLONE_THREAD_) || (flags & (CLONE_VM_ | CLONE_VFORK_)) == CLONE_VM_ ? -EINVAL : 0;
}

/* The child is of the pid namespace that the caller's children are of. 0 or negative errno. */
static long enter_pid_space(struct cloning *clone, u64 asked, struct view_spec *spec, u64 mask)
{
	bool born = spec->pid != spec->pid_children;
	long r = may_bear(asked, spec->pid_children, born);

	if (r < 0 || !born)
		return r;
	clone->chores.born = true;
	clone->chores.trap_pids = !spec->pid && commons()->pids_filter_length;
	clone->chores.mask = mask;
	clone->chores.pid_space = spec->pid = spec->pid_children;
	return 0;
}

/* Makes the namespaces that the child is to have, as far as they are supplied here: their flags go. 0 or negative errno. mask: signals that it blocks. */
static long clone_namespaces(struct cloning *clone, u64 *flags, u64 mask)
{
	struct view_spec spec;
	u64 asked = *flags;
	long r;

	if (LIKELY(!(asked & VIEW_NAMESPACES) && !__atomic_load_n(&views()->pid_spaces, __ATOMIC_ACQUIRE)))
		return 0;
	if ((asked & (CLONE_NEWNS_ | CLONE_FS_)) == (CLONE_NEWNS_ | CLONE_FS_))
		return -EINVAL;
	spec = view_spec_of(view_word());
	clone->hints = private()->hints;
	r = may_bear(asked, spec.pid_children, asked & CLONE_NEWPID_);
	if (r == 0 && (asked & VIEW_NAMESPACES))
		r = view_unshare(flags, &spec, &clone->hints);
	if (r == 0)
		r = enter_pid_space(clone, asked, &spec, mask);
	if (r < 0 || (*flags == asked && spec.net == view_self()->net && !clone->chores.born))
		return r;
	r = view_word_of(&spec);
	clone->has_view = r >= 0;
	clone->view = (u32)r;
	clone->flags = *flags;
	return r < 0 ? r : 0;
}

static long clone_make(struct trap *trap, struct cloning *clone)
{
	long ret;

	if (cgroup_on()) {
		ret = cgroup_fork_begin(!(clone->flags & CLONE_THREAD_), &clone->chores.birth);
		if (ret < 0)
			return ret;
	}
	ret = (clone->flags & CLONE_VM_) ? clone_sharing(trap, clone) : clone_copying(trap, clone);
	if (cgroup_on() && (ret < 0 || (ret && !(clone->flags & CLONE_VFORK_)))) /* a vfork child has done it */
		cgroup_fork_end((s32)ret, clone->chores.birth);
	return ret;
}

long agent_clone(struct call *call, const struct clone_request *request)
{
	u64 flags = request->flags & ~CLONE_CLEAR_SIGHAND_;
	struct cloning clone = {
		.nr = __NR_clone,
		.args = { flags | request->exit_signal, (flags & CLONE_VM_) ? request->stack : 0, request->parent_tid,
			  request->child_tid, request->tls },
		.flags = flags,
		.stack = request->stack,
		.chores = { .clear_handlers = request->flags & CLONE_CLEAR_SIGHAND_ },
	};

	long r;

	for (u32 i = 0; i < ARRAY_SIZE(request->not_for_child) && !(flags & CLONE_FILES_); i++)
		if (request->not_for_child[i] >= 0)
			clone.chores.close[clone.chores.count++] = request->not_for_child[i];
	r = clone_namespaces(&clone, &clone.args[0], call->trap->context->sigmask);
	return r < 0 ? r : clone_make(call->trap, &clone);
}

enum verdict engine_clone(struct call *call)
{
	struct cloning clone = { .nr = __NR_clone, .flags = call->arg[0], .stack = call->arg[1] };

	memcpy(clone.args, call->arg, sizeof(clone.args));
	if (!(clone.flags & CLONE_VM_))
		clone.args[1] = 0;
	call->ret = clone_namespaces(&clone, &clone.args[0], call->trap->context->sigmask);
	if (call->ret == 0)
		call->ret = clone_make(call->trap, &clone);
	return CALL_DONE;
}

enum verdict engine_fork(struct call *call)
{
	struct cloning clone = { .nr = __NR_fork };
	u64 flags = 0;

	call->ret = clone_namespaces(&clone, &flags, call->trap->context->sigmask);
	if (call->ret == 0)
		call->ret = clone_make(call->trap, &clone);
	return CALL_DONE;
}

enum verdict engine_vfork(struct call *call)
{
	struct cloning clone = { .nr = __NR_vfork, .flags = CLONE_VM_ | CLONE_VFORK_ };
	u64 flags = CLONE_VM_ | CLONE_VFORK_;

	call->ret = clone_namespaces(&clone, &flags, call->trap->context->sigmask);
	if (call->ret == 0)
		call->ret = clone_make(call->trap, &clone);
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
	struct cloning clone = { .nr = __NR_clone3, .args = { (u64)args, call->arg[1] } };
	u64 size = call->arg[1];

	if (size < 64 || size > sizeof(*args))
		return CALL_PASS; /* the kernel knows the errno: EINVAL, E2BIG */
	if (guest_read(args, call->arg[0], size) < 0)
		return CALL_PASS; /* EFAULT, or ENOSYS where there is no clone3 */
	clone.chores.clear_handlers = args->flags & CLONE_CLEAR_SIGHAND_;
	if (!args->stack != !args->stack_size || (clone.chores.clear_handlers && (args->flags & CLONE_SIGHAND_))) {
		call->ret = sys2(__NR_clone3, NULL, 0) == -ENOSYS ? -ENOSYS : -EINVAL;
		return CALL_DONE;
	}
	args->flags &= ~CLONE_CLEAR_SIGHAND_;
	clone.flags = args->flags;
	clone.stack = args->stack ? args->stack + args->stack_size : 0;
	if (!(args->flags & CLONE_VM_))
		args->stack = args->stack_size = 0;
	call->ret = clone_namespaces(&clone, &args->flags, call->trap->context->sigmask);
	if (call->ret == 0)
		call->ret = clone_make(call->trap, &clone);
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
	view_ends();
	pids_ends();
	if (sys0(__NR_getpid) == private()->pid)
		events(EVENT_EXIT, (long)call->arg[0]);
	return CALL_PASS;
}
