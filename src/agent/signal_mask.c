/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signal masks. SIGSYS is taken out of every mask that reaches the kernel (blocked, it would kill the process at the next trap): of
 * arguments, of sa_mask, and of the mask saved in a handler's frame, which the handler may have changed before its rt_sigreturn.
 * A thread that has it blocked is remembered in private->shadows, so that the guest reads back what it set; a frame that interrupts
 * such a thread has the bit put into its saved mask (signal.c).
 */
#include "agent/engine.h"

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
void signal_shadow_set(bool blocked)
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

		if (!p->shadows[i] &&
		    __atomic_compare_exchange_n(&p->shadows[i], &none, key, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			__atomic_add_fetch(&p->shadow_count, 1, __ATOMIC_RELAXED);
			return;
		}
	}
}

void signal_sigsys_unblocked(void)
{
	if (__atomic_exchange_n(&private()->sigsys_pending, 0, __ATOMIC_ACQ_REL))
		(void)sys4(__NR_rt_tgsigqueueinfo, sys0(__NR_getpid), sys0(__NR_gettid), SIGSYS_, &private()->sigsys_info);
}

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
		signal_shadow_set(new &SIGSYS_BIT);
		context->sigmask = new & ~SIGSYS_BIT;
		if (!(new &SIGSYS_BIT))
			signal_sigsys_unblocked();
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
		signal_shadow_set(mask & SIGSYS_BIT);
		if (mask & SIGSYS_BIT) {
			mask &= ~SIGSYS_BIT;
			if (guest_write(at, &mask, 8) < 0)
				agent_die("a signal frame that cannot be written", (long)at);
		} else {
			signal_sigsys_unblocked();
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
