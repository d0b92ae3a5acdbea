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

int agent_wait(struct call *call, u32 *word, u32 expected, const struct agent_time *timeout)
{
	struct trap *trap = call->trap;
	u64 masks[2] = { trap->context->sigmask & ~SIGSYS_BIT, AGENT_MASK };
	long r;

	if (trap->interrupted)
		return -EINTR;
	if (__atomic_add_fetch(&private()->sleepers, 1, __ATOMIC_ACQ_REL) > SLEEPERS_MAX) {
		__atomic_sub_fetch(&private()->sleepers, 1, __ATOMIC_ACQ_REL);
		(void)sys0(__NR_sched_yield);
		return -EINTR;
	}
	r = agent_window(trap, masks, word, FUTEX_WAIT_, expected, timeout);
	__atomic_sub_fetch(&private()->sleepers, 1, __ATOMIC_ACQ_REL);
	trap->fault_ready = 0;
	if (trap->interrupted)
		return -EINTR;
	return r == -ETIMEDOUT ? -ETIMEDOUT : 0; /* EAGAIN: *word changed; EINTR without a handler: look again */
}

void agent_wake(u32 *word, int count)
{
	(void)sys3(__NR_futex, word, FUTEX_WAKE_, count);
}
