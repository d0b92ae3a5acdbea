/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made is root's (it belongs to who runs lichen) until a second step has given it to its maker. Natively nobody sees that: so whoever is refused
 * something because a file is root's waits until all who are between the two steps have done the second one, and looks again. They are a few rows of the
 * commons. One that a killed maker has left is freed by who waits; of more makers at once than there are rows nobody knows.
 */
#include "gaps/identity/identity_int.h"

#define YIELDS 50u
#define PAUSE_NS 100000
#define PAUSES 500u /* 50 ms: who has been stopped there, or has a row of a dead one with his number, is waited for once */

static s32 *row_at(u32 i)
{
	return &identity_area()->making[i % IDENTITY_MAKERS];
}

u32 identity_making(void)
{
	s32 me = agent_caller_tid();

	for (u32 i = 0; i < IDENTITY_MAKERS; i++) {
		u32 row = ((u32)me + i) % IDENTITY_MAKERS;
		s32 none = 0;

		if (__atomic_compare_exchange_n(row_at(row), &none, me, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return row + 1;
	}
	return 0;
}

void identity_is_made(u32 making)
{
	s32 me = agent_caller_tid();

	if (making) /* who has waited long enough may have given it to another one */
		(void)__atomic_compare_exchange_n(row_at(making - 1), &me, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* Until row i is not that maker's any more. */
static void wait_for(u32 i, s32 maker)
{
	const struct agent_time pause = { 0, PAUSE_NS };
	u32 n = 0;

	while (__atomic_load_n(row_at(i), __ATOMIC_SEQ_CST) == maker && n++ < YIELDS + PAUSES) {
		if (n <= YIELDS)
			(void)sys0(__NR_sched_yield);
		else if (sys2(__NR_tkill, maker, 0) == -ESRCH)
			break;
		else
			(void)sys2(__NR_nanosleep, &pause, NULL);
	}
	(void)__atomic_compare_exchange_n(row_at(i), &maker, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

bool identity_look_again(const struct identity_file *file)
{
	s32 makers[IDENTITY_MAKERS], me = agent_caller_tid();
	bool any = false, own = false;

	if (file->stored || !file->mine)
		return false;
	for (u32 i = 0; i < IDENTITY_MAKERS; i++) {
		makers[i] = __atomic_load_n(row_at(i), __ATOMIC_SEQ_CST);
		any |= makers[i] != 0;
		own |= makers[i] == me;
	}
	for (u32 i = 0; any && !own && i < IDENTITY_MAKERS; i++) /* two makers do not wait for each other */
		if (makers[i])
			wait_for(i, makers[i]);
	return true;
}
