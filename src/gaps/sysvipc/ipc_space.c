/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPC namespaces: where gap namespaces is filled too there are IPC_SPACES areas, one behind the other, and a task's calls go to the one that
 * its view names. Area 0 is the cell's. What follows a process's life or death looks after all areas that were ever used, one after the other.
 *
 * An area is used again when no view has it any more, and none that is about to be made can (IDLE_SECONDS): then what is left in it goes, but for segments
 * that are still attached somewhere.
 */
#include "gaps/sysvipc/msg_int.h"
#include "gaps/sysvipc/sem_int.h"
#include "gaps/sysvipc/shm_int.h"

#define IDLE_SECONDS 1
#define WAIT_NS 100000000
#define WAIT_STEPS 60 /* six seconds */

u32 ipc_spaces_used(void)
{
	return 1 + __atomic_load_n(&sysvipc_area_of(0)->spaces, __ATOMIC_ACQUIRE);
}

void ipc_each_space(void (*look)(enum agent_event event, long arg), enum agent_event event, long arg)
{
	u32 used = ipc_spaces_used();

	if (used == 1) {
		look(event, arg);
		return;
	}
	for (u32 i = 0; i < used; i++) {
		u32 before = agent_ipc_space_force(i + 1);

		look(event, arg);
		(void)agent_ipc_space_force(before);
	}
}

/* Every object of the space that is looked after goes, and its numbers and limits are those of the beginning. */
static void clear(u32 self)
{
	struct sysvipc_area *area = sysvipc_area();

	shm_lock();
	for (u32 i = 0; i < area->shm.ids.high; i++)
		if (ipc_ids_used(&area->shm.ids, i))
			shm_segment_remove((int)i);
	shm_unlock();
	sem_remove_all(&area->sem, self);
	msg_remove_all(&area->msg, self);
	for (u32 i = 0; i < 3; i++) {
		struct ipc_ids *ids = i == 0 ? &area->shm.ids : i == 1 ? &area->sem.ids : &area->msg.ids;

		if (ids->in_use)
			continue;
		ids->next = ids->sequence = 0;
		ids->last = -1;
	}
	area->limits = area->defaults;
}

static bool claim(u32 space)
{
	s64 *since = &sysvipc_area_of(0)->since[space], now = agent_now(), before = __atomic_load_n(since, __ATOMIC_ACQUIRE);

	if (before && (now - before <= IDLE_SECONDS || agent_ipc_space_held(space)))
		return false;
	return __atomic_compare_exchange_n(since, &before, now, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Where all are in use, or were a moment ago, it waits. 0: none. */
static u32 claim_any(void)
{
	struct agent_time step = { 0, WAIT_NS };

	for (u32 waited = 0; waited < WAIT_STEPS; waited++) {
		for (u32 i = 1; i < sysvipc_spaces(); i++)
			if (claim(i))
				return i;
		(void)sys2(__NR_nanosleep, &step, 0);
	}
	return 0;
}

long sysvipc_new_space(void)
{
	struct sysvipc_area *first = sysvipc_area_of(0);
	int self = member_self();
	u32 i = self < 0 ? 0 : claim_any(), used = __atomic_load_n(&first->spaces, __ATOMIC_ACQUIRE), before;

	if (!i)
		return self < 0 ? -ENOMEM : -ENOSPC;
	while (used < i && !__atomic_compare_exchange_n(&first->spaces, &used, i, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		;
	before = agent_ipc_space_force(i + 1);
	clear((u32)self);
	(void)agent_ipc_space_force(before);
	return i;
}

void sysvipc_leave_space(void)
{
	sem_event(EVENT_EXIT, 0); /* exit_sem() */
}
