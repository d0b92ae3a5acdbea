/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: the guest keeps its handlers, masks and stacks; SIGSYS, and SIGSEGV and SIGBUS inside the agent, stay ours.
 *
 * Actions. rt_sigaction of a handler registers a thunk (private.h) with the guest's own flags, mask and restorer, so the kernel builds
 * the frame where the guest wants it. The thunk looks at the interrupted pc:
 *   guest code                    → tail-jump into the guest's handler, registers untouched
 *   agent_copy*                   → resume at the fix-up: -EFAULT
 *   agent_window                  → back out with -EINTR, or keep a result that is there; queue the signal again, blocked
 *   elsewhere in the agent        → queue the signal again, blocked; rt_sigreturn unblocks it in guest code
 * SIGSYS of other origin (kill, the guest's own filters) goes to the guest's virtual action. So does SIGPIPE once the process may hold a
 * virtual file that is open for writing (vfs_write.c).
 *
 * Deviations: a SIGSYS sent from outside while the guest has it blocked becomes pending for the process as a whole, once; sigtimedwait
 * takes it when it is pending, but is not woken by it; signalfd does not report it.
 */
#include "agent/engine.h"

#define SA_SIGINFO_ UINT64_C(4)
#define SA_ONSTACK_ UINT64_C(0x08000000)
#define SA_NODEFER_ UINT64_C(0x40000000)
#define SA_RESETHAND_ UINT64_C(0x80000000)
#define SA_RESTORER_ UINT64_C(0x04000000)
#define SA_RESTART_ UINT64_C(0x10000000)
#define SIG_DFL_ 0u
#define SIG_IGN_ 1u
#define THUNK_SIZE 16u

static int raw_action(int sig, const struct action *new, struct action *old)
{
	return (int)sys4(__NR_rt_sigaction, sig, new, old, 8);
}

static void raw_mask(u64 mask)
{
	(void)sys4(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &mask, 0, 8);
}

static struct action own_action(u64 handler)
{
	return (struct action){ handler, SA_SIGINFO_ | SA_ONSTACK_ | SA_RESTORER_, (u64)agent_restorer, AGENT_MASK };
}

static u64 thunk_address(u32 row)
{
	return (u64)agent_thunks + (u64)row * THUNK_SIZE;
}

enum sigpipe_state { SIGPIPE_FREE, SIGPIPE_TAKEN, SIGPIPE_BEING_TAKEN };

static bool sigpipe_is_ours(void)
{
	struct private *p = private();
	u32 state;

	while ((state = __atomic_load_n(&p->sigpipe_taken, __ATOMIC_ACQUIRE)) == SIGPIPE_BEING_TAKEN)
		(void)sys0(__NR_sched_yield);
	return state == SIGPIPE_TAKEN || (p->sigpipe_vfork && p->sigpipe_vfork == (s32)sys0(__NR_getpid));
}

/* Whether a signal's action is never the kernel's. */
static bool wholly_virtual(int sig)
{
	return sig == SIGSYS_ || (sig == SIGPIPE_ && sigpipe_is_ours());
}

/* Where a signal's action is kept while the guest has no handler for it (SIGSYS, a taken SIGPIPE: always). A vfork child shares our memory but not the
 * kernel's table: it gets a copy of its own, the one vfork child that asked last. */
static struct action *virtual_slot(int sig)
{
	struct private *p = private();
	s32 pid = (s32)sys0(__NR_getpid);
	u32 i = sig == SIGSYS_ ? 0 : sig == SIGSEGV_ ? 1 : sig == SIGBUS_ ? 2 : 3;

	if (pid == p->pid)
		return &p->virtual_action[i];
	if (p->vfork_pid != pid) {
		memcpy(p->vfork_action, p->virtual_action, sizeof(p->vfork_action));
		p->vfork_pid = pid;
	}
	return &p->vfork_action[i];
}

/* --- actions ------------------------------------------------------------------------------------------------------------------- */

static bool action_equal(const struct action *a, const struct action *b)
{
	return a->handler == b->handler && a->flags == b->flags && a->restorer == b->restorer && a->mask == b->mask;
}

/* The row that holds exactly this action; rows are never changed once filled. -ENOMEM when all are taken. */
static int thunk_for(const struct action *action)
{
	struct private *p = private();
	u32 count = __atomic_load_n(&p->thunk_count, __ATOMIC_ACQUIRE), row;

	for (row = THUNK_IGNORE + 1; row < count && row < THUNKS_MAX; row++)
		if (action_equal(&p->thunks[row], action))
			return (int)row;
	row = __atomic_fetch_add(&p->thunk_count, 1, __ATOMIC_ACQ_REL);
	if (row >= THUNKS_MAX) {
		__atomic_store_n(&p->thunk_count, THUNKS_MAX, __ATOMIC_RELEASE);
		return -ENOMEM;
	}
	p->thunks[row] = *action;
	return (int)row;
}

static struct action native_for_row(u32 row)
{
	struct action native = private()->thunks[row];

	native.handler = thunk_address(row);
	native.flags |= SA_SIGINFO_;
	native.mask &= ~SIGSYS_BIT;
	return native;
}

/* What the guest once set, from what the kernel has. */
static struct action guest_view(int sig, const struct action *native)
{
	u64 offset = native->handler - (u64)agent_thunks;
	u32 row = (u32)(offset / THUNK_SIZE);

	if (offset >= THUNKS_MAX * THUNK_SIZE)
		return *native;
	return row <= THUNK_IGNORE ? *virtual_slot(sig) : private()->thunks[row];
}

/* What the kernel has for a taken SIGPIPE: what of the guest's action shows before a handler runs. */
static struct action sigpipe_action(const struct action *guest)
{
	struct action action = own_action((u64)agent_sigsys);

	if (guest->handler <= SIG_IGN_ || (guest->flags & SA_RESTART_))
		action.flags |= SA_RESTART_;
	if (guest->handler > SIG_IGN_ && !(guest->flags & SA_ONSTACK_))
		action.flags &= ~SA_ONSTACK_;
	return action;
}

/* The guest changes its action for a wholly virtual signal. */
static void set_virtual(int sig, const struct action *wanted)
{
	struct action action;
	u64 pending = 0;

	*virtual_slot(sig) = *wanted;
	if (sig != SIGPIPE_)
		return;
	/* a pending signal that becomes ignored is gone */
	if (wanted->handler == SIG_IGN_ && sys2(__NR_rt_sigpending, &pending, 8) == 0 && (pending & SIGNAL_BIT(SIGPIPE_)))
		(void)raw_action(SIGPIPE_, wanted, NULL);
	action = sigpipe_action(wanted);
	(void)raw_action(SIGPIPE_, &action, NULL);
}

/* What the kernel is given for the guest's action. 0 or negative errno. */
static int native_for(int sig, const struct action *wanted, struct action *native)
{
	int row;

	if (wanted->handler > SIG_IGN_) {
		row = thunk_for(wanted);
		if (row < 0)
			return row;
		*native = native_for_row((u32)row);
	} else if (sig == SIGSEGV_ || sig == SIGBUS_) {
		*native = own_action(thunk_address(wanted->handler == SIG_DFL_ ? THUNK_DEFAULT : THUNK_IGNORE));
	} else {
		*native = *wanted;
		native->mask &= ~SIGSYS_BIT;
	}
	return 0;
}

/* rt_sigaction of a signal whose action the kernel has; wanted may be NULL. */
static long change_native(int sig, const struct action *wanted, struct action *old)
{
	struct action native;
	long r = wanted ? native_for(sig, wanted, &native) : 0;

	if (r == 0)
		r = agent_reissue(__NR_rt_sigaction, (u64[6]){ (u64)sig, wanted ? (u64)&native : 0, (u64)old, 8 });
	if (r < 0)
		return r;
	*old = guest_view(sig, old);
	if (wanted && wanted->handler <= SIG_IGN_ && (sig == SIGSEGV_ || sig == SIGBUS_))
		*virtual_slot(sig) = *wanted;
	return 0;
}

/* A thread changes the kernel's action for SIGPIPE: no other takes the signal meanwhile. False when it is taken. */
static bool enter_native(void)
{
	struct private *p = private();

	(void)__atomic_add_fetch(&p->sigpipe_changing, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&p->sigpipe_taken, __ATOMIC_SEQ_CST) == SIGPIPE_FREE)
		return true;
	(void)__atomic_sub_fetch(&p->sigpipe_changing, 1, __ATOMIC_SEQ_CST);
	return false;
}

static void leave_native(void)
{
	(void)__atomic_sub_fetch(&private()->sigpipe_changing, 1, __ATOMIC_SEQ_CST);
}

/* The guest asks for a signal's action, or sets it. A vfork child does not count: it may be killed alone, and its table is its own. */
static long change_action(int sig, const struct action *wanted, struct action *old)
{
	bool counts = sig == SIGPIPE_ && (s32)sys0(__NR_getpid) == private()->pid;
	long r;

	while (!counts || !enter_native()) {
		if (wholly_virtual(sig)) {
			*old = *virtual_slot(sig);
			if (wanted)
				set_virtual(sig, wanted);
			return 0;
		}
		if (!counts)
			return change_native(sig, wanted, old);
	}
	r = change_native(sig, wanted, old);
	leave_native();
	return r;
}

enum verdict engine_rt_sigaction(struct call *call)
{
	int sig = (int)call->arg[0];
	struct action wanted = { 0 }, old;

	if (call->arg[3] != 8 || sig < 1 || sig > 64)
		return CALL_PASS; /* the kernel knows the errno */
	if (call->arg[1] && guest_read(&wanted, call->arg[1], sizeof(wanted)) < 0) {
		call->ret = -EFAULT;
		return CALL_DONE;
	}
	wanted.mask &= ~UNBLOCKABLE;
	call->ret = change_action(sig, call->arg[1] ? &wanted : NULL, &old);
	if (call->ret == 0 && call->arg[2] && guest_write(call->arg[2], &old, sizeof(old)) < 0)
		call->ret = -EFAULT;
	return CALL_DONE;
}

/* In the child of a clone3(CLONE_CLEAR_SIGHAND): every handler back to its default, ignored ones stay. */
void signal_clear_handlers(void)
{
	struct action none = { 0 }, old;

	for (int sig = 1; sig <= 64; sig++) {
		if (wholly_virtual(sig) || raw_action(sig, NULL, &old) < 0 || old.handler <= SIG_IGN_)
			continue;
		none = sig == SIGSEGV_ || sig == SIGBUS_ ? own_action(thunk_address(THUNK_DEFAULT)) : (struct action){ 0 };
		(void)raw_action(sig, &none, NULL);
	}
}

/* --- a thunk that did not interrupt plain guest code ------------------------------------------------------------------------------ */

/* Delivers the signal again once the mask of the interrupted code is back: it stays what it was, siginfo included. */
static void queue_again(int sig, struct siginfo *info, u32 row)
{
	if (private()->thunks[row].flags & SA_RESETHAND_) {
		struct action native = native_for_row(row);

		(void)raw_action(sig, &native, NULL);
	}
	(void)sys4(__NR_rt_tgsigqueueinfo, sys0(__NR_getpid), sys0(__NR_gettid), sig, info);
}

/* The guest has SIG_DFL or SIG_IGN for SIGSEGV or SIGBUS and one of them met guest code. */
static u64 signal_default(int sig, struct siginfo *info, u32 row)
{
	struct action none = { 0 };

	if (info->code <= 0 && row == THUNK_IGNORE)
		return 0;
	(void)raw_action(sig, &none, NULL);
	if (info->code <= 0)
		queue_again(sig, info, row);
	return 0; /* a fault happens again, now with the default action */
}

/* Code of ours that a signal may interrupt as if it were the guest's: no state of the agent's hangs on it. */
static bool runs_as_guest(u64 ip)
{
	return ip < LAYOUT_TEXT || ip >= (u64)agent_end || text_holds(ip, agent_pass_begin, agent_pass_resume_end) ||
	       text_holds(ip, agent_report, agent_report_end) || text_holds(ip, agent_thunks, agent_thunk_slow) ||
	       text_holds(ip, (const char *)agent_restorer, agent_restorer_end);
}

/* Before the call of agent_pass_traced or agent_pass_reported (entry, then what it writes, then the call). */
static bool in_light_pass(u64 ip, const char *entry, const char *left, const char *call, struct registers *regs)
{
	if (!text_holds(ip, entry, call + 1))
		return false;
	if (ip != (u64)entry)
		regs->sp += OFF_LEFT_BELOW;
	regs->ip = ip < (u64)left ? regs->cx : ((const struct left *)(regs->sp - OFF_LEFT_BELOW))->ip;
	return true;
}

/*
 * A handler that interrupts a passed-on call before it is made, or with its restart to come, shall see the guest's own instruction, not
 * ours: musl and glibc since 2.41 tell by the pc whether a blocking call may still be cancelled, and go on elsewhere. When it returns, the
 * guest makes the call again, and traps again. Behind the call, and where the kernel restarts by restart_syscall, the pc stays ours.
 */
static void show_guest_pc(struct registers *regs)
{
	u64 ip = regs->ip;
	const struct left *left = (const struct left *)regs->sp;
	bool edited = ip == (u64)agent_pass_edited || ip == (u64)agent_pass_traced_edited || ip == (u64)agent_pass_reported_edited;

	if (regs->ax == __NR_restart_syscall)
		return;
	if (!in_light_pass(ip, agent_pass_traced, agent_pass_traced_left, agent_pass_traced_call, regs) &&
	    !in_light_pass(ip, agent_pass_reported, agent_pass_reported_left, agent_pass_reported_call, regs)) {
		if (ip != (u64)agent_pass && ip != (u64)agent_pass_judged && !edited)
			return;
		if (edited) {
			regs->ax = left->nr;
			regs->di = left->args[0];
			regs->si = left->args[1];
			regs->dx = left->args[2];
			regs->r10 = left->args[3];
			regs->r8 = left->args[4];
			regs->r9 = left->args[5];
		}
		regs->ip = left->ip;
		regs->sp = left->sp;
	}
	regs->ip -= SYSCALL_SIZE;
}

/* The guest's handler is about to run: its frame and its thread tell the truth about SIGSYS. */
static u64 enter_handler(struct context *context, u64 row)
{
	const struct action *action = &private()->thunks[row];

	show_guest_pc(&context->regs);
	if (signal_shadow())
		context->sigmask |= SIGSYS_BIT;
	if (action->mask & SIGSYS_BIT)
		signal_shadow_set(true);
	return action->handler;
}

/* The agent was interrupted by a signal that the guest shall get afterwards: it stays blocked until then, and a sleep ends. */
static void back_out(struct context *context, int sig, u64 flags)
{
	struct registers *regs = &context->regs;

	if (regs->ip >= (u64)agent_window_begin && regs->ip <= (u64)agent_window_woken) {
		u32 *interrupted = &((struct trap *)regs->bx)->interrupted;

		if (!*interrupted)
			*interrupted = TRAP_INTERRUPTED | (flags & SA_RESTART_ ? TRAP_RESTART : 0);
		if (regs->ip != (u64)agent_window_woken) {
			regs->ax = (u64)-EINTR;
			regs->ip = (u64)agent_window_woken;
		}
	}
	context->sigmask |= AGENT_MASK | SIGNAL_BIT(sig);
	context->sigmask &= ~SIGSYS_BIT;
}

u64 signal_in_agent(int sig, struct siginfo *info, struct context *context, u64 row)
{
	struct registers *regs = &context->regs;
	bool fault = (sig == SIGSEGV_ || sig == SIGBUS_) && info->code > 0;

	if (runs_as_guest(regs->ip))
		return row <= THUNK_IGNORE ? signal_default(sig, info, (u32)row) : enter_handler(context, row);
	if (fault) {
		if (!text_holds(regs->ip, agent_copy_begin, agent_copy_end) &&
		    !text_holds(regs->ip, agent_string_begin, agent_string_end))
			agent_die("fault in the agent: the guest has unmapped or overwritten its memory", (long)regs->ip);
		regs->ip = (u64)agent_copy_fault;
		return 0;
	}
	back_out(context, sig, private()->thunks[row].flags);
	queue_again(sig, info, (u32)row);
	return 0;
}

void signal_die(int sig)
{
	struct action none = { 0 };
	u64 bit = SIGNAL_BIT(sig);

	(void)raw_action(sig, &none, NULL);
	(void)sys3(__NR_tgkill, sys0(__NR_getpid), sys0(__NR_gettid), sig);
	(void)sys4(__NR_rt_sigprocmask, 1 /* SIG_UNBLOCK */, &bit, 0, 8);
	agent_die("a signal did not end the process", sig);
}

/* Takes the guest's action for a wholly virtual signal: its handler to enter, or 0. Does not return when it is to die. */
static u64 deliver(struct trap *trap, int sig)
{
	struct action *action = virtual_slot(sig), chosen = *action;
	u64 blocked = sig == SIGSYS_ ? 0 : SIGNAL_BIT(sig);

	if (chosen.handler <= SIG_IGN_)
		signal_die(sig);
	if (chosen.flags & SA_RESETHAND_)
		action->handler = SIG_DFL_; /* flags and mask stay */
	if (signal_shadow())
		trap->context->sigmask |= SIGSYS_BIT;
	if (chosen.flags & SA_NODEFER_)
		blocked = 0;
	else if (sig == SIGSYS_)
		signal_shadow_set(true);
	raw_mask((trap->context->sigmask | chosen.mask | blocked) & ~SIGSYS_BIT);
	*(u64 *)trap->frame = chosen.restorer; /* its rt_sigreturn is the guest's: engine_rt_sigreturn() */
	return chosen.handler;
}

u64 signal_sigsys(struct trap *trap)
{
	bool forced = trap->info->code > 0; /* a filter's trap: cannot be blocked or ignored */

	if (!forced && signal_shadow()) {
		private()->sigsys_info = *trap->info;
		__atomic_store_n(&private()->sigsys_pending, 1, __ATOMIC_RELEASE);
		return 0;
	}
	if (!forced && virtual_slot(SIGSYS_)->handler == SIG_IGN_)
		return 0;
	if (forced && signal_shadow())
		signal_die(SIGSYS_);
	return deliver(trap, SIGSYS_);
}

/* --- SIGPIPE, once a virtual file was opened for writing ---------------------------------------------------------------------------- */

u64 signal_sigpipe(struct trap *trap)
{
	bool guest = runs_as_guest(trap->context->regs.ip);

	if (guest && vfs_write_signalled(&trap->context->regs))
		return 0;
	if (virtual_slot(SIGPIPE_)->handler == SIG_IGN_)
		return 0;
	if (guest)
		return deliver(trap, SIGPIPE_);
	back_out(trap->context, SIGPIPE_, virtual_slot(SIGPIPE_)->flags);
	(void)sys4(__NR_rt_tgsigqueueinfo, sys0(__NR_getpid), sys0(__NR_gettid), SIGPIPE_, trap->info);
	return 0;
}

/* Puts our handler in the place of the guest's action, which is kept. */
static int take_sigpipe(void)
{
	struct action action, old;
	int r = raw_action(SIGPIPE_, NULL, &old);

	if (r < 0 || old.handler == (u64)agent_sigsys)
		return r;
	*virtual_slot(SIGPIPE_) = guest_view(SIGPIPE_, &old);
	action = sigpipe_action(virtual_slot(SIGPIPE_));
	return raw_action(SIGPIPE_, &action, NULL);
}

int signal_take_sigpipe(void)
{
	struct private *p = private();
	s32 pid = (s32)sys0(__NR_getpid);
	u32 state = SIGPIPE_FREE;
	int r;

	if (pid != p->pid) { /* a vfork child: the kernel's table is its own */
		r = take_sigpipe();
		p->sigpipe_vfork = pid;
		return r;
	}
	if (sigpipe_is_ours() || !__atomic_compare_exchange_n(&p->sigpipe_taken, &state, SIGPIPE_BEING_TAKEN, false,
							      __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)) {
		(void)sigpipe_is_ours(); /* waits for who is at it */
		return 0;
	}
	while (__atomic_load_n(&p->sigpipe_changing, __ATOMIC_SEQ_CST))
		(void)sys0(__NR_sched_yield);
	r = take_sigpipe();
	__atomic_store_n(&p->sigpipe_taken, r < 0 ? SIGPIPE_FREE : SIGPIPE_TAKEN, __ATOMIC_RELEASE);
	return r;
}

void signal_forked_child(void)
{
	struct private *p = private();
	struct action now;

	p->sigpipe_changing = 0;
	if (p->sigpipe_taken != SIGPIPE_BEING_TAKEN && !p->sigpipe_vfork)
		return;
	/* by a thread that is not here, or by a vfork child, which may be our parent */
	p->sigpipe_taken = raw_action(SIGPIPE_, NULL, &now) == 0 && now.handler == (u64)agent_sigsys;
	if (p->sigpipe_vfork)
		p->virtual_action[3] = p->vfork_action[3];
	p->sigpipe_vfork = 0;
}

/* --- start and execve ------------------------------------------------------------------------------------------------------------ */

void signal_start(u64 inherited_mask, bool sigsys_blocked)
{
	struct action action, old;
	int sigs[3] = { SIGSYS_, SIGSEGV_, SIGBUS_ };

	private()->thunk_count = THUNK_IGNORE + 1;
	for (u32 i = 0; i < 3; i++) {
		int sig = sigs[i];

		if (raw_action(sig, NULL, &old) < 0)
			agent_die("rt_sigaction", sig);
		*virtual_slot(sig) = (struct action){ old.handler == SIG_IGN_ ? SIG_IGN_ : SIG_DFL_, 0, 0, 0 };
		action = own_action(sig == SIGSYS_ ? (u64)agent_sigsys : thunk_address(old.handler == SIG_IGN_));
		if (raw_action(sig, &action, NULL) < 0)
			agent_die("rt_sigaction", sig);
	}
	private()->thunks[THUNK_IGNORE].handler = SIG_IGN_;
	if (sigsys_blocked)
		signal_shadow_set(true);
	if (commons()->vfs.pipes_next && signal_take_sigpipe() < 0)
		agent_die("rt_sigaction", SIGPIPE_);
	raw_mask(inherited_mask & ~SIGSYS_BIT);
}

void signal_before_exec(void)
{
	struct action ignore = { .handler = SIG_IGN_ };
	int sigs[4] = { SIGSYS_, SIGSEGV_, SIGBUS_, SIGPIPE_ };

	for (u32 i = 0; i < 3u + sigpipe_is_ours(); i++) {
		struct action native;

		if (virtual_slot(sigs[i])->handler != SIG_IGN_)
			continue;
		/* SIGSEGV, SIGBUS: only while the kernel has our 'ignore' thunk; a vfork child may have set a handler since */
		if (!wholly_virtual(sigs[i]) &&
		    (raw_action(sigs[i], NULL, &native) < 0 || native.handler != thunk_address(THUNK_IGNORE)))
			continue;
		(void)raw_action(sigs[i], &ignore, NULL);
	}
}

void signal_after_failed_exec(void)
{
	int sigs[4] = { SIGSYS_, SIGSEGV_, SIGBUS_, SIGPIPE_ };

	for (u32 i = 0; i < 3u + sigpipe_is_ours(); i++) {
		struct action native, mine;

		if (virtual_slot(sigs[i])->handler != SIG_IGN_ || raw_action(sigs[i], NULL, &native) < 0 ||
		    native.handler != SIG_IGN_)
			continue;
		mine = sigs[i] == SIGPIPE_ ? sigpipe_action(virtual_slot(SIGPIPE_))
					   : own_action(sigs[i] == SIGSYS_ ? (u64)agent_sigsys : thunk_address(THUNK_IGNORE));
		(void)raw_action(sigs[i], &mine, NULL);
	}
}
