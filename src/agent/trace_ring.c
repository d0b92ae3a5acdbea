/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The producers' side of the trace ring (abi/trace.h). Runs in a trap, every signal blocked: between claim and publication lies one memcpy.
 *
 * A full ring is waited for, in steps of a millisecond, as long as the consumer goes on; when it has stood still for TRACE_PATIENCE the
 * record is given up and counted, and nobody waits again before it has moved.
 */
#include "agent/engine.h"

#define STEP_NS 1000000
#define TRACE_PATIENCE 2000u      /* steps: 2 s */
#define WAKE_AT (TRACE_SLOTS / 4) /* records that wait before the consumer is woken out of its tick */

static struct trace_ring *ring(void)
{
	return (struct trace_ring *)(LAYOUT_COMMONS + commons()->trace_offset); /* NOLINT(performance-no-int-to-ptr) */
}

/* Waits for the consumer to free a slot. False when it does not. */
static bool wait_for_room(struct trace_ring *r, u32 *steps, u64 *seen)
{
	struct agent_time step = { 0, STEP_NS };
	u64 tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);

	if (tail != *seen) {
		*seen = tail;
		*steps = 0;
	}
	if (__atomic_load_n(&r->stuck, __ATOMIC_RELAXED) == tail + 1 || __atomic_load_n(&r->closed, __ATOMIC_RELAXED))
		return false;
	if (++*steps > TRACE_PATIENCE) {
		__atomic_store_n(&r->stuck, tail + 1, __ATOMIC_RELAXED);
		return false;
	}
	if (__atomic_exchange_n(&r->waiting, 0, __ATOMIC_ACQ_REL))
		agent_wake(&r->waiting, 1);
	(void)sys2(__NR_nanosleep, &step, NULL);
	return true;
}

/* Moves `head` on from a position that somebody has claimed: who did may not live to do it. */
static void advance(struct trace_ring *r, u64 at)
{
	(void)__atomic_compare_exchange_n(&r->head, &at, at + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Claims a slot: its index and *turn, what it says while it is ours. -1: no room. */
static s32 claim(struct trace_ring *r, u32 pid, u64 *turn)
{
	u32 steps = 0;
	u64 seen = 0;

	for (;;) {
		u64 at = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE), wanted = (at / TRACE_SLOTS) << 32;
		struct trace_slot *slot = &r->slots[at % TRACE_SLOTS];
		u64 found = __atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE);

		if (TRACE_TURN_LAP(found) != (u32)(at / TRACE_SLOTS)) {
			/* of an older lap: not consumed yet; of a newer one: `head` has moved on meanwhile */
			if ((s32)(TRACE_TURN_LAP(found) - (u32)(at / TRACE_SLOTS)) < 0 && !wait_for_room(r, &steps, &seen))
				return -1;
			continue;
		}
		*turn = wanted | pid;
		if (found == wanted &&
		    __atomic_compare_exchange_n(&slot->turn, &found, *turn, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			advance(r, at);
			return (s32)(at % TRACE_SLOTS);
		}
		advance(r, at);
	}
}

void trace_push(const struct trace_record *record)
{
	struct trace_ring *r = ring();

	while (!__atomic_load_n(&r->closed, __ATOMIC_RELAXED)) {
		u64 turn;
		s32 index = claim(r, (u32)record->pid & 0x7fffffffu, &turn);

		if (index < 0) {
			(void)__atomic_add_fetch(&r->lost, 1, __ATOMIC_RELAXED);
			return;
		}
		memcpy(&r->slots[index].record, record, TRACE_HEAD + record->size);
		if (__atomic_compare_exchange_n(&r->slots[index].turn, &turn, turn | TRACE_TURN_FILLED, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			break;
		/* stopped for so long that the consumer took us for dead, and counted: not lost after all */
		(void)__atomic_sub_fetch(&r->lost, 1, __ATOMIC_RELAXED);
	}
	if (__atomic_load_n(&r->head, __ATOMIC_RELAXED) - __atomic_load_n(&r->tail, __ATOMIC_RELAXED) >= WAKE_AT &&
	    __atomic_exchange_n(&r->waiting, 0, __ATOMIC_ACQ_REL))
		agent_wake(&r->waiting, 1);
}
