/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Semaphore operations: how several semaphores, adjustments and a sleeper's result change in one instant, and who is served next.
 *
 * Transactions. Any process may die at any store, so nothing is changed in place step by step:
 *   1. set->transaction is raised to n. No number is ever used twice, so an attempt that is given up needs no clean-up.
 *   2. Each thing to change gets its new value beside the old one (sem.next, sem_undo.next_adjust, or the waiter as such) and tag n.
 *      A semaphore named twice in one semop() is read from `next` when its tag is n: later operations see earlier ones.
 *   3. set->commit = n. This store is the change. Before it nothing has happened, after it everything has.
 *   4. The new values are copied over the old ones, set->commit = 0.
 * Who takes the set's lock after a death finds commit != 0 and repeats step 4 (sem_redo), which is idempotent.
 *
 * Order of service, as in Linux (ipc/sem.c: perform_atomic_semop, update_queue, wake_const_ops, do_smart_update): whoever changes
 * a semaphore performs, in queue order, the operations of sleepers that have become possible, so that a freed semaphore is handed
 * over and nobody overtakes. Sleepers with one operation wait per semaphore as long as nobody sleeps with several; from then on
 * all sleepers that change something form one queue (hold->merged). Linux keeps them in lists of each semaphore and splices those;
 * here one chain holds them all and is read through a filter: same order, one link to keep right.
 */
#include "gaps/sysvipc/sem_int.h"

void sem_begin(struct sem_hold *hold)
{
	IPC_STORE(hold->set->transaction, hold->set->transaction + 1);
}

static u64 staged_word(const struct sem_hold *hold, u32 num)
{
	const struct sem *sem = &hold->sems[num];
	return sem->tag == hold->set->transaction ? sem->next : sem->now;
}

void sem_stage_value(struct sem_hold *hold, u32 num, s32 value, s32 pid)
{
	struct sem *sem = &hold->sems[num];
	IPC_STORE(sem->next, (u64)(u32)pid << 32 | (u32)value);
	IPC_STORE(sem->tag, hold->set->transaction);
}

int sem_stage_request(struct sem_hold *hold, struct sem_request *request)
{
	for (u32 i = 0; i < request->count; i++) {
		const struct sem_sembuf *op = &request->ops[i];
		s32 value = sem_value(staged_word(hold, op->num));
		s32 result = value + op->op;
		if ((!op->op && value) || result < 0) {
			request->blocking = i;
			return op->flags & IPC_NOWAIT ? -EAGAIN : 1;
		}
		if (result > SEM_VALUE_MAX)
			return -ERANGE;
		if (op->flags & SEM_OP_UNDO && op->op) {
			int error = sem_undo_stage(hold, request, op->num, op->op);
			if (error)
				return error;
		}
		sem_stage_value(hold, op->num, result, request->pid);
	}
	return 0;
}

static void apply_sem(struct sem *sem, u64 transaction)
{
	if (sem->tag == transaction)
		IPC_STORE(sem->now, sem->next);
}

static void apply(struct sem_hold *hold, const struct sem_sembuf *ops, u32 count)
{
	u64 transaction = hold->set->commit;
	if (ops) {
		for (u32 i = 0; i < count; i++)
			apply_sem(&hold->sems[ops[i].num], transaction);
	} else {
		for (u32 i = 0; i < hold->set->nsems; i++)
			apply_sem(&hold->sems[i], transaction);
	}
	sem_undo_apply(hold);
}

void sem_commit(struct sem_hold *hold, const struct sem_sembuf *ops, u32 count, int waiter)
{
	struct sem_set *set = hold->set;
	if (waiter >= 0)
		IPC_STORE(hold->area->waiter[waiter].tag, set->transaction);
	IPC_STORE(set->commit, set->transaction);
	apply(hold, ops, count);
	if (waiter >= 0)
		sem_waiter_finish(hold, (u32)waiter, 0);
	IPC_STORE(set->commit, 0);
}

void sem_redo(struct sem_hold *hold)
{
	struct sem_area *area = hold->area;
	u64 transaction = hold->set->commit;
	if (!transaction)
		return;
	apply(hold, NULL, 0);
	for (u32 i = 0; i < area->waiter_high; i++) {
		struct sem_waiter *waiter = &area->waiter[i];
		if (!area->waiter_owner[i] || waiter->set != hold->id || waiter->tag != transaction ||
		    IPC_LOAD(waiter->status) != SEM_WAITER_WAITING)
			continue;
		IPC_STORE(waiter->error, 0);
		IPC_STORE(waiter->status, SEM_WAITER_DONE);
	}
	IPC_STORE(hold->set->commit, 0);
}

/* Tries a sleeper's operations. 1: it goes on sleeping (or is dead: gone); 0 or negative errno: its result, it is awake. */
static int try_waiter(struct sem_hold *hold, u32 index)
{
	struct sem_waiter *waiter = &hold->area->waiter[index];
	struct sem_request request = sem_waiter_request(waiter);
	sem_begin(hold);
	int result = sem_stage_request(hold, &request);
	if (result > 0) {
		IPC_STORE(waiter->blocking, (u16)request.blocking);
		return result;
	}
	if (ipc_owner_gone(waiter->owner)) {
		sem_waiter_finish(hold, index, -EINTR);
		return 1;
	}
	if (result < 0)
		sem_waiter_finish(hold, index, result);
	else
		sem_commit(hold, waiter->ops, waiter->count, (int)index);
	sem_hold_wake(hold, index);
	return result;
}

/* Sleepers that change nothing: those with one operation, on semaphore num; with num -1 those with several. True: one is done. */
static bool serve_const(struct sem_hold *hold, int num)
{
	bool completed = false;
	for (u32 link = hold->set->chain[SEM_CHAIN_CONST].first; link;) {
		const struct sem_waiter *waiter = &hold->area->waiter[link - 1];
		u32 index = link - 1;
		link = waiter->next;
		if (num < 0 ? waiter->count == 1 : waiter->count != 1 || waiter->ops[0].num != num)
			continue;
		completed |= try_waiter(hold, index) == 0;
	}
	return completed;
}

/* The kernel's do_smart_wakeup_zero(). */
static bool serve_zero(struct sem_hold *hold, const struct sem_sembuf *ops, u32 count)
{
	if (!hold->set->chain[SEM_CHAIN_CONST].first)
		return false;
	bool completed = false;
	bool zero = false;
	u32 end = ops ? count : hold->set->nsems;
	for (u32 i = 0; i < end; i++) {
		u32 num = ops ? ops[i].num : i;
		if (sem_value(hold->sems[num].now))
			continue;
		zero = true;
		completed |= serve_const(hold, (int)num);
	}
	if (zero)
		completed |= serve_const(hold, -1);
	return completed;
}

/* The kernel's update_queue(): one pass over those who wait to change num (-1: the merged queue), again after each success that may
 * have made room for an earlier one. */
static bool serve_alter(struct sem_hold *hold, int num)
{
	bool completed = false;
	struct sem_set *set = hold->set;
again:
	for (u32 link = set->chain[SEM_CHAIN_ALTER].first; link;) {
		struct sem_waiter *waiter = &hold->area->waiter[link - 1];
		u32 index = link - 1;
		link = waiter->next;
		if (num >= 0 && sem_value(hold->sems[num].now) == 0)
			break;
		if (num >= 0 && waiter->ops[0].num != num)
			continue;
		if (try_waiter(hold, index) != 0)
			continue;
		completed = true;
		serve_zero(hold, waiter->ops, waiter->count);
		if ((hold->merged && set->chain[SEM_CHAIN_ALTER].first) || waiter->count > 1)
			goto again;
	}
	return completed;
}

void sem_update(struct sem_hold *hold, const struct sem_sembuf *ops, u32 count, bool otime)
{
	struct sem_set *set = hold->set;
	otime |= serve_zero(hold, ops, count);
	if (!set->chain[SEM_CHAIN_ALTER].first) {
		/* nobody waits: the usual case */
	} else if (hold->merged) {
		otime |= serve_alter(hold, -1);
	} else if (!ops) {
		for (u32 i = 0; i < set->nsems; i++)
			otime |= serve_alter(hold, (int)i);
	} else {
		for (u32 i = 0; i < count; i++) {
			if (ops[i].op > 0)
				otime |= serve_alter(hold, ops[i].num);
		}
	}
	if (otime)
		IPC_STORE(set->otime, agent_now());
}
