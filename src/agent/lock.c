/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks in the commons. The word names its owner: member index + 1 and the epoch of the owner's image. A waiter that has waited for
 * WAIT_NS without a change asks whether the owner is still alive and of that epoch (execve ends threads that hold locks); if not it takes
 * the lock over. Signals are blocked in every holder, so a holder is slow only when it is stopped.
 */
#include "agent/engine.h"

#define WAITERS (UINT32_C(1) << 31)
#define SPINS 200
#define WAIT_NS 5000000
#define FUTEX_WAIT_ 0
#define FUTEX_WAKE_ 1

static u32 word_of(int member)
{
	return (u32)(member + 1) << 16 | (commons()->members[member].epoch & 0xffff);
}

static bool owner_gone(u32 word)
{
	int member = (int)((word & ~WAITERS) >> 16) - 1;

	if (member < 0 || member >= (int)COMMONS_MEMBERS_MAX)
		return true; /* scribbled over: nobody owns this */
	return (commons()->members[member].epoch & 0xffff) != (word & 0xffff) || !member_alive(member);
}

int lock_take(struct lock *lock)
{
	int member = member_self();
	u32 mine, seen = 0;

	if (member < 0)
		agent_die("no member slot for a lock", member);
	mine = word_of(member);
	for (int i = 0; i < SPINS; i++) {
		seen = 0;
		if (__atomic_compare_exchange_n(&lock->word, &seen, mine, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return 0;
		cpu_relax();
	}
	for (;;) {
		struct agent_time wait = { 0, WAIT_NS };
		long r;

		seen = __atomic_load_n(&lock->word, __ATOMIC_RELAXED);
		if (seen == 0) {
			/* others may sleep behind us: keep the mark */
			if (__atomic_compare_exchange_n(&lock->word, &seen, mine | WAITERS, false, __ATOMIC_ACQUIRE,
							__ATOMIC_RELAXED))
				return 0;
			continue;
		}
		if (!(seen & WAITERS) &&
		    !__atomic_compare_exchange_n(&lock->word, &seen, seen | WAITERS, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			continue;
		seen |= WAITERS;
		r = sys4(__NR_futex, &lock->word, FUTEX_WAIT_, seen, &wait);
		if (r == -ETIMEDOUT && owner_gone(seen) &&
		    __atomic_compare_exchange_n(&lock->word, &seen, mine | WAITERS, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return 1;
	}
}

void lock_release(struct lock *lock)
{
	if (__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) & WAITERS)
		(void)sys3(__NR_futex, &lock->word, FUTEX_WAKE_, 1);
}
