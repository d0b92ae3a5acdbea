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
 * Masks. SIGSYS is taken out of every mask that reaches the kernel (blocked, it would kill the process at the next trap): of
 * arguments, of sa_mask, and of the mask saved in a handler's frame, which the handler may have changed before its rt_sigreturn.
 * A thread that has it blocked is remembered in private->shadows, so that the guest reads back what it set; a frame that interrupts
 * such a thread has the bit put into its saved mask.
 * SIGSYS of other origin (kill, the guest's own filters) goes to the guest's virtual action.
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
#define SIG_DFL_ 0u
#define SIG_IGN_ 1u
#define THUNK_SIZE 16u
#define SS_DISABLE_ 2
#define SUBSTITUTE_SIZE 65536u
#define UNBLOCKABLE (SIGNAL_BIT(9) | SIGNAL_BIT(19)) /* SIGKILL, SIGSTOP */

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

/* Where a signal's action is kept while the guest has no handler for it (SIGSYS: always). A vfork child shares our memory but not the
 * kernel's table: it gets a copy of its own, the one vfork child that asked last. */
static struct action *virtual_slot(int sig)
{
	struct private *p = private();
	s32 pid = (s32)sys0(__NR_getpid);
	u32 i = sig == SIGSYS_ ? 0 : sig == SIGSEGV_ ? 1 : 2;

	if (pid == p->pid)
		return &p->virtual_action[i];
	if (p->vfork_pid != pid) {
		memcpy(p->vfork_action, p->virtual_action, sizeof(p->vfork_action));
		p->vfork_pid = pid;
	}
	return &p->vfork_action[i];
}

/* --- the shadow of SIGSYS in the signal mask --------------------------------------------------------------------------------- */

#define TIDS_BELOW (UINT64_C(1) << 22) /* PID_MAX_LIMIT: a smaller key is a tid, a larger one an fs base */

static u64 shadow_key(void)
{
	u64 key = 0;

	if (commons()->features & COMMONS_FSGSBASE)
		__asm__ volatile("rdfsbase %0" : "=r"(key));
	return key >= TIDS_BELOW ? key : (u64)sys0(__NR_gettid);
}

/* The place of the calling thread in shadows[], or -1. A thread that was entered before it had an fs base is found by its tid. */
static int shadow_find(void)
{
	u64 key, tid = 0;

	if (!__atomic_load_n(&private()->shadow_count, __ATOMIC_RELAXED))
		return -1;
	key = shadow_key();
	for (int i = 0; i < (int)SHADOWS_MAX; i++) {
		u64 at = private()->shadows[i];

		if (!at)
			continue;
		if (at < TIDS_BELOW && !tid)
			tid = (u64)sys0(__NR_gettid);
		if (at == key || at == tid)
			return i;
	}
	return -1;
}

bool signal_shadow(void)
{
	return shadow_find() >= 0;
}

/* Beyond SHADOWS_MAX threads with SIGSYS blocked at once, further ones read it back as unblocked. */
static void shadow_set(bool blocked)
{
	struct private *p = private();
	int found = shadow_find();
	u64 key;

	if (blocked == (found >= 0))
		return;
	if (!blocked) {
		__atomic_store_n(&p->shadows[found], 0, __ATOMIC_RELAXED);
		__atomic_sub_fetch(&p->shadow_count, 1, __ATOMIC_RELAXED);
		return;
	}
	key = shadow_key();
	for (u32 i = 0; i < SHADOWS_MAX; i++) {
		u64 none = 0;

		if (!p->shadows[i] && __atomic_compare_exchange_n(&p->shadows[i], &none, key, false, __ATOMIC_RELAXED,
								  __ATOMIC_RELAXED)) {
			__atomic_add_fetch(&p->shadow_count, 1, __ATOMIC_RELAXED);
			return;
		}
	}
}

/* Once SIGSYS is unblocked: a pending one arrives. */
static void sigsys_unblocked(void)
{
	if (__atomic_exchange_n(&private()->sigsys_pending, 0, __ATOMIC_ACQ_REL))
		(void)sys4(__NR_rt_tgsigqueueinfo, sys0(__NR_getpid), sys0(__NR_gettid), SIGSYS_, &private()->sigsys_info);
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

enum verdict engine_rt_sigaction(struct call *call)
{
	int sig = (int)call->arg[0];
	struct action wanted = { 0 }, native, old;
	int row;

	if (call->arg[3] != 8 || sig < 1 || sig > 64)
		return CALL_PASS; /* the kernel knows the errno */
	if (call->arg[1] && guest_read(&wanted, call->arg[1], sizeof(wanted)) < 0) {
		call->ret = -EFAULT;
		return CALL_DONE;
	}
	wanted.mask &= ~UNBLOCKABLE;
	native = wanted;
	if (sig == SIGSYS_) {
		old = *virtual_slot(sig);
		if (call->arg[1])
			*virtual_slot(sig) = wanted;
		call->ret = 0;
	} else {
		if (call->arg[1] && wanted.handler > SIG_IGN_) {
			row = thunk_for(&wanted);
			if (row < 0) {
				call->ret = row;
				return CALL_DONE;
			}
			native = native_for_row((u32)row);
		} else if (call->arg[1] && (sig == SIGSEGV_ || sig == SIGBUS_)) {
			native = own_action(thunk_address(wanted.handler == SIG_DFL_ ? THUNK_DEFAULT : THUNK_IGNORE));
		} else if (call->arg[1]) {
			native.mask &= ~SIGSYS_BIT;
		}
		call->ret = agent_reissue(__NR_rt_sigaction, (u64[6]){ (u64)sig, call->arg[1] ? (u64)&native : 0, (u64)&old, 8 });
		if (call->ret == 0) {
			old = guest_view(sig, &old);
			if (call->arg[1] && wanted.handler <= SIG_IGN_ && (sig == SIGSEGV_ || sig == SIGBUS_))
				*virtual_slot(sig) = wanted;
		}
	}
	if (call->ret == 0 && call->arg[2] && guest_write(call->arg[2], &old, sizeof(old)) < 0)
		call->ret = -EFAULT;
	return CALL_DONE;
}

/* In the child of a clone3(CLONE_CLEAR_SIGHAND): every handler back to its default, ignored ones stay. */
void signal_clear_handlers(void)
{
	struct action none = { 0 }, old;

	for (int sig = 1; sig <= 64; sig++) {
		if (sig == SIGSYS_ || raw_action(sig, NULL, &old) < 0 || old.handler <= SIG_IGN_)
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
	       text_holds(ip, agent_thunks, agent_thunk_slow) || text_holds(ip, (const char *)agent_restorer, agent_restorer_end);
}

/* The guest's handler is about to run: its frame and its thread tell the truth about SIGSYS. */
static u64 enter_handler(struct context *context, u64 row)
{
	const struct action *action = &private()->thunks[row];

	if (signal_shadow())
		context->sigmask |= SIGSYS_BIT;
	if (action->mask & SIGSYS_BIT)
		shadow_set(true);
	return action->handler;
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
	if (regs->ip >= (u64)agent_window_begin && regs->ip <= (u64)agent_window_woken) {
		((struct trap *)regs->bx)->interrupted = 1;
		if (regs->ip != (u64)agent_window_woken) {
			regs->ax = (u64)-EINTR;
			regs->ip = (u64)agent_window_woken;
		}
	}
	context->sigmask |= AGENT_MASK | SIGNAL_BIT(sig);
	context->sigmask &= ~SIGSYS_BIT;
	queue_again(sig, info, (u32)row);
	return 0;
}

u64 signal_sigsys(struct trap *trap)
{
	struct action *action = virtual_slot(SIGSYS_), chosen = *action;
	bool forced = trap->info->code > 0; /* a filter's trap: cannot be blocked or ignored */
	struct action none = { 0 };
	u64 bit = SIGSYS_BIT;

	if (!forced && signal_shadow()) {
		private()->sigsys_info = *trap->info;
		__atomic_store_n(&private()->sigsys_pending, 1, __ATOMIC_RELEASE);
		return 0;
	}
	if (chosen.handler == SIG_IGN_ && !forced)
		return 0;
	if (chosen.handler <= SIG_IGN_) {
		(void)raw_action(SIGSYS_, &none, NULL);
		(void)sys3(__NR_tgkill, sys0(__NR_getpid), sys0(__NR_gettid), SIGSYS_);
		(void)sys4(__NR_rt_sigprocmask, 1 /* SIG_UNBLOCK */, &bit, 0, 8);
		agent_die("SIGSYS did not end the process", 0);
	}
	if (chosen.flags & SA_RESETHAND_)
		*action = none;
	if (signal_shadow())
		trap->context->sigmask |= SIGSYS_BIT;
	if (!(chosen.flags & SA_NODEFER_))
		shadow_set(true);
	raw_mask((trap->context->sigmask | chosen.mask) & ~SIGSYS_BIT);
	*(u64 *)trap->frame = chosen.restorer; /* its rt_sigreturn is the guest's: engine_rt_sigreturn() */
	return chosen.handler;
}

/* --- masks ------------------------------------------------------------------------------------------------------------------------- */

enum verdict engine_rt_sigprocmask(struct call *call)
{
	struct context *context = call->trap->context;
	u64 current = context->sigmask | (signal_shadow() ? SIGSYS_BIT : 0), set, new;

	if (call->arg[3] != 8) {
		call->ret = -EINVAL;
		return CALL_DONE;
	}
	call->ret = 0;
	if (call->arg[1]) {
		if (guest_read(&set, call->arg[1], 8) < 0) {
			call->ret = -EFAULT;
			return CALL_DONE;
		}
		switch ((int)call->arg[0]) {
		case 0: /* SIG_BLOCK */
			new = current | set;
			break;
		case 1: /* SIG_UNBLOCK */
			new = current & ~set;
			break;
		case 2: /* SIG_SETMASK */
			new = set;
			break;
		default:
			call->ret = -EINVAL;
			return CALL_DONE;
		}
		new &= ~UNBLOCKABLE;
		shadow_set(new & SIGSYS_BIT);
		context->sigmask = new & ~SIGSYS_BIT;
		if (!(new & SIGSYS_BIT))
			sigsys_unblocked();
	}
	if (call->arg[2] && guest_write(call->arg[2], &current, 8) < 0)
		call->ret = -EFAULT;
	return CALL_DONE;
}

/* Passes the call on with SIGSYS taken out of the mask that argument `arg` points to. */
static enum verdict pass_without_sigsys(struct call *call, u32 arg)
{
	u64 mask;

	if (guest_read(&mask, call->arg[arg], 8) < 0 || !(mask & SIGSYS_BIT))
		return CALL_PASS; /* nothing to edit, or the kernel's EFAULT */
	call->edited = arg + 1;
	call->extra[0] = mask & ~SIGSYS_BIT;
	return CALL_PASS;
}

/* The guest returns from a handler: its frame lies at its rsp. SIGSYS goes from the saved mask into the shadow; then the guest makes the
 * call itself, on its own stack, from our restorer. */
enum verdict engine_rt_sigreturn(struct call *call)
{
	struct registers *regs = &call->trap->context->regs;
	u64 at = regs->sp + offsetof(struct context, sigmask), mask;

	if (guest_read(&mask, at, 8) == 0) {
		shadow_set(mask & SIGSYS_BIT);
		if (mask & SIGSYS_BIT) {
			mask &= ~SIGSYS_BIT;
			if (guest_write(at, &mask, 8) < 0)
				agent_die("a signal frame that cannot be written", (long)at);
		} else {
			sigsys_unblocked();
		}
	}
	regs->ip = (u64)agent_restorer;
	call->ret = __NR_rt_sigreturn; /* rax */
	return CALL_DONE;
}

enum verdict engine_rt_sigpending(struct call *call)
{
	u64 pending;

	if (call->arg[1] > 8 || !private()->sigsys_pending)
		return CALL_PASS;
	call->ret = sys2(__NR_rt_sigpending, &pending, 8);
	pending |= SIGSYS_BIT;
	if (call->ret == 0 && guest_write(call->arg[0], &pending, call->arg[1]) < 0)
		call->ret = -EFAULT;
	return CALL_DONE;
}

enum verdict engine_rt_sigsuspend(struct call *call)
{
	return pass_without_sigsys(call, 0);
}

enum verdict engine_rt_sigtimedwait(struct call *call)
{
	u64 mask;

	if (private()->sigsys_pending && call->arg[3] == 8 && guest_read(&mask, call->arg[0], 8) == 0 && (mask & SIGSYS_BIT) &&
	    __atomic_exchange_n(&private()->sigsys_pending, 0, __ATOMIC_ACQ_REL)) {
		call->ret = SIGSYS_;
		if (call->arg[1] && guest_write(call->arg[1], &private()->sigsys_info, sizeof(struct siginfo)) < 0)
			call->ret = -EFAULT;
		return CALL_DONE;
	}
	return pass_without_sigsys(call, 0);
}

enum verdict engine_ppoll(struct call *call)
{
	return pass_without_sigsys(call, 3);
}

enum verdict engine_epoll_pwait(struct call *call)
{
	return pass_without_sigsys(call, 4);
}

enum verdict engine_signalfd(struct call *call)
{
	return pass_without_sigsys(call, 1);
}

/* The sixth argument points to { mask, size }; trap_pass() makes extra[0] point to extra[2]. */
enum verdict engine_pselect6(struct call *call)
{
	u64 pair[2], mask;

	if (guest_read(pair, call->arg[5], sizeof(pair)) < 0 || !pair[0] || pair[1] != 8 || guest_read(&mask, pair[0], 8) < 0 ||
	    !(mask & SIGSYS_BIT))
		return CALL_PASS;
	call->edited = 6;
	call->extra[1] = 8;
	call->extra[2] = mask & ~SIGSYS_BIT;
	return CALL_PASS;
}

/* --- alternate stacks ------------------------------------------------------------------------------------------------------------- */

/* Ours for a guest's stack that is too small to hold the frame of a trap: the same one each time. NULL when there is none. */
static struct altstack *substitute_for(const struct altstack *theirs, bool make)
{
	struct private *p = private();

	for (u32 i = 0; i < SMALL_STACKS_MAX; i++) {
		struct altstack *pair = p->small_stacks[i];
		long at;

		if (pair[0].size == theirs->size && pair[0].sp == theirs->sp)
			return &pair[1];
		if (pair[0].size || !make)
			continue;
		at = sys6(__NR_mmap, 0, SUBSTITUTE_SIZE, 3, 0x22 /* PRIVATE|ANONYMOUS */, (u64)-1, 0);
		if (at < 0)
			return NULL;
		pair[1] = (struct altstack){ .sp = (u64)at, .size = SUBSTITUTE_SIZE };
		pair[0] = *theirs;
		return &pair[1];
	}
	return NULL;
}

/* What the guest believes of an alternate stack that the kernel has. */
static void guest_altstack(struct altstack *stack)
{
	for (u32 i = 0; i < SMALL_STACKS_MAX; i++) {
		const struct altstack *pair = private()->small_stacks[i];

		if (pair[1].size && pair[1].sp == stack->sp) {
			stack->sp = pair[0].sp;
			stack->size = pair[0].size;
		}
	}
}

static bool on_stack(const struct altstack *stack, u64 sp)
{
	return stack->size && sp > stack->sp && sp - stack->sp <= stack->size;
}

/* Whether a trap's frame could be written to the stack. */
static bool usable(const struct altstack *stack)
{
	u8 byte;

	return guest_read(&byte, stack->sp + stack->size - 1, 1) == 0 && guest_write(stack->sp + stack->size - 1, &byte, 1) == 0;
}

/* The guest executes it itself, but for one case: a stack that the kernel takes and a trap, which the guest never asked for, could not
 * use (too small, or no memory) is replaced by one of ours. The guest reads back its own. */
enum verdict engine_sigaltstack(struct call *call)
{
	struct context *context = call->trap->context;
	struct altstack new = { 0 }, old = context->stack, *ours = NULL;
	u64 apart = context->regs.sp - call->trap->frame; /* gVisor does not say how large its FP state is: measure */
	u64 size = frame_size(call->trap), needed = 2 * (apart < 16384 && apart > size ? apart : size) + 1024;

	if (call->arg[0] && guest_read(&new, call->arg[0], sizeof(new)) < 0)
		return CALL_PASS;
	if (call->arg[0] && !(new.flags & SS_DISABLE_) && (new.size < needed || !usable(&new)))
		ours = substitute_for(&new, true);
	if (!ours && !private()->small_stacks[0][0].size)
		return CALL_PASS;
	call->ret = 0;
	old.flags = on_stack(&old, context->regs.sp) ? 1 : old.size ? 0 : SS_DISABLE_;
	if (call->arg[0] && old.flags == 1) {
		call->ret = -EPERM;
	} else if (call->arg[0]) {
		call->ret = sys2(__NR_sigaltstack, &new, 0); /* the host says whether it is one */
		if (call->ret == 0 && ours) {
			ours->flags = new.flags;
			new = *ours;
			call->ret = sys2(__NR_sigaltstack, &new, 0);
		}
		if (call->ret == 0) /* rt_sigreturn sets what the frame says */
			context->stack = (new.flags & SS_DISABLE_) ? (struct altstack){ .flags = SS_DISABLE_ } : new;
	}
	guest_altstack(&old);
	if (call->ret == 0 && call->arg[1] && guest_write(call->arg[1], &old, sizeof(old)) < 0)
		call->ret = -EFAULT;
	return CALL_DONE;
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
		shadow_set(true);
	raw_mask(inherited_mask & ~SIGSYS_BIT);
}

void signal_before_exec(void)
{
	struct action ignore = { .handler = SIG_IGN_ };
	int sigs[3] = { SIGSYS_, SIGSEGV_, SIGBUS_ };

	for (u32 i = 0; i < 3; i++) {
		struct action native;

		if (virtual_slot(sigs[i])->handler != SIG_IGN_)
			continue;
		/* SIGSEGV, SIGBUS: only while the kernel has our 'ignore' thunk; a vfork child may have set a handler since */
		if (sigs[i] != SIGSYS_ &&
		    (raw_action(sigs[i], NULL, &native) < 0 || native.handler != thunk_address(THUNK_IGNORE)))
			continue;
		(void)raw_action(sigs[i], &ignore, NULL);
	}
}

void signal_after_failed_exec(void)
{
	int sigs[3] = { SIGSYS_, SIGSEGV_, SIGBUS_ };

	for (u32 i = 0; i < 3; i++) {
		struct action native, mine;

		if (virtual_slot(sigs[i])->handler != SIG_IGN_ || raw_action(sigs[i], NULL, &native) < 0 || native.handler != SIG_IGN_)
			continue;
		mine = own_action(sigs[i] == SIGSYS_ ? (u64)agent_sigsys : thunk_address(THUNK_IGNORE));
		(void)raw_action(sigs[i], &mine, NULL);
	}
}
