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
 * Masks. SIGSYS is taken out of every mask that reaches the kernel (blocked, it would kill the process at the next trap). A thread that
 * has it blocked is remembered in private->shadows, so that the guest reads back what it set.
 * SIGSYS of other origin (kill, the guest's own filters) goes to the guest's virtual action.
 *
 * Known limit: a guest handler that adds SIGSYS to the saved mask of its own frame is not seen until it traps again; rt_sigreturn is
 * not intercepted.
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
#define ARCH_GET_FS 0x1003

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

/* Which of virtual_action[] keeps a signal's action while the guest has no handler for it. */
static struct action *virtual_slot(int sig)
{
	return &private()->virtual_action[sig == SIGSYS_ ? 0 : sig == SIGSEGV_ ? 1 : 2];
}

/* --- the shadow of SIGSYS in the signal mask --------------------------------------------------------------------------------- */

static u64 shadow_key(void)
{
	u64 key = 0;

	if (commons()->features & COMMONS_FSGSBASE)
		__asm__ volatile("rdfsbase %0" : "=r"(key));
	return key ? key : (u64)sys0(__NR_gettid);
}

bool signal_shadow(void)
{
	u64 key;

	if (!__atomic_load_n(&private()->shadow_count, __ATOMIC_RELAXED))
		return false;
	key = shadow_key();
	for (u32 i = 0; i < SHADOWS_MAX; i++)
		if (private()->shadows[i] == key)
			return true;
	return false;
}

/* Beyond SHADOWS_MAX threads with SIGSYS blocked at once, further ones read it back as unblocked. */
static void shadow_set(bool blocked)
{
	struct private *p = private();
	u64 key;

	if (!blocked && !p->shadow_count)
		return;
	key = shadow_key();
	for (u32 i = 0; i < SHADOWS_MAX; i++)
		if (p->shadows[i] == key) {
			if (!blocked) {
				__atomic_store_n(&p->shadows[i], 0, __ATOMIC_RELAXED);
				__atomic_sub_fetch(&p->shadow_count, 1, __ATOMIC_RELAXED);
			}
			return;
		}
	for (u32 i = 0; blocked && i < SHADOWS_MAX; i++) {
		u64 none = 0;

		if (!p->shadows[i] && __atomic_compare_exchange_n(&p->shadows[i], &none, key, false, __ATOMIC_RELAXED,
								  __ATOMIC_RELAXED)) {
			__atomic_add_fetch(&p->shadow_count, 1, __ATOMIC_RELAXED);
			return;
		}
	}
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
	native = wanted;
	if (call->arg[1] && sig == SIGSYS_) {
		old = *virtual_slot(sig);
		*virtual_slot(sig) = wanted;
		call->ret = 0;
	} else if (sig == SIGSYS_) {
		old = *virtual_slot(sig);
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

u64 signal_in_agent(int sig, struct siginfo *info, struct context *context, u64 row)
{
	struct registers *regs = &context->regs;
	bool fault = (sig == SIGSEGV_ || sig == SIGBUS_) && info->code > 0;

	if (regs->ip < LAYOUT_TEXT || regs->ip >= (u64)agent_end || text_holds(regs->ip, agent_pass_begin, agent_pass_resume_end))
		return row <= THUNK_IGNORE ? signal_default(sig, info, (u32)row) : private()->thunks[row].handler;
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
		private()->sigsys_pending = 1;
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
	raw_mask((trap->context->sigmask | chosen.mask) & ~SIGSYS_BIT);
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
		new &= ~(SIGNAL_BIT(9) | SIGNAL_BIT(19));
		shadow_set(new & SIGSYS_BIT);
		context->sigmask = new & ~SIGSYS_BIT;
		if (!(new & SIGSYS_BIT) && private()->sigsys_pending) {
			private()->sigsys_pending = 0;
			(void)sys3(__NR_tgkill, sys0(__NR_getpid), sys0(__NR_gettid), SIGSYS_);
		}
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

enum verdict engine_rt_sigsuspend(struct call *call)
{
	return pass_without_sigsys(call, 0);
}

enum verdict engine_rt_sigtimedwait(struct call *call)
{
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
