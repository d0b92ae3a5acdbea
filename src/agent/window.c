/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sleeping inside an emulated call; the window itself is in entry.S, what a signal does to it in signal.c.
 *
 * A sleeper keeps its slot. So that others can still trap, and wake it, at most SLEEPERS_MAX threads of one process sleep at
 * once; one more is told that a signal has interrupted it, and may ask again.
 */
#include "agent/engine.h"

#define FUTEX_WAIT_ 0
#define FUTEX_WAKE_ 1
#define SLEEPERS_MAX (SLOTS_MAX - 64)

static long in_window(struct trap *trap, u64 nr, u64 arg0, u64 arg1, u64 arg2, u64 arg3)
{
	struct window window = { trap->context->sigmask & ~SIGSYS_BIT, AGENT_MASK, nr };
	long r;

	if (trap->interrupted)
		return -EINTR;
	if (__atomic_add_fetch(&private()->sleepers, 1, __ATOMIC_ACQ_REL) > SLEEPERS_MAX) {
		__atomic_sub_fetch(&private()->sleepers, 1, __ATOMIC_ACQ_REL);
		(void)sys0(__NR_sched_yield);
		trap->interrupted = TRAP_INTERRUPTED;
		return -EINTR;
	}
	r = agent_window(trap, &window, arg0, arg1, arg2, arg3);
	__atomic_sub_fetch(&private()->sleepers, 1, __ATOMIC_ACQ_REL);
	trap->fault_ready = 0;
	return r;
}

/* A stop and SIGCONT end some calls in gVisor, which Linux begins again by itself. */
long agent_waiting_call(struct call *call, long nr, u64 arg0, u64 arg1, u64 arg2, u64 arg3)
{
	struct trap *trap = call->trap;
	long r;

	do
		r = in_window(trap, (u64)nr, arg0, arg1, arg2, arg3);
	while (r == -EINTR && !trap->interrupted);
	call->again = r == -EINTR && (trap->interrupted & TRAP_RESTART);
	return r;
}

int agent_wait(struct call *call, u32 *word, u32 expected, const struct agent_time *timeout)
{
	long r = in_window(call->trap, __NR_futex, (u64)word, FUTEX_WAIT_, expected, (u64)timeout);

	if (call->trap->interrupted)
		return -EINTR;
	return r == -ETIMEDOUT ? -ETIMEDOUT : 0; /* EAGAIN: *word changed; EINTR without a handler: look again */
}

void agent_wake(u32 *word, int count)
{
	(void)sys3(__NR_futex, word, FUTEX_WAKE_, count);
}
