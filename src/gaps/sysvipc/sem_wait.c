/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock of a set, and those who sleep on it.
 *
 * A sleeper owns a waiter slot (claimed by compare-and-swap, so that claiming needs no lock) and is in one of its set's two chains
 * while its status is WAITING. Whoever completes it takes it out of the chain, stores the result, stores DONE, and wakes it after
 * unlocking; the sleeper gives the slot back under the lock. Hence a slot changes hands only under the lock of its set.
 *
 * After the death of a lock owner (recover()): the commit is repeated; the links forward of each chain are followed and the rest is
 * derived from them; a WAITING waiter that no link reaches (its insertion or move was cut short) goes to the end; whoever is DONE
 * is woken again. A wake-up lost between unlocking and waking is made good by the sleeper, which looks at least once a second.
 */
#include "gaps/sysvipc/sem_int.h"

static struct sem_waiter *waiter_at(const struct sem_hold *hold, u32 link)
{
	return &hold->area->waiter[link - 1];
}

int sem_waiter_try(struct sem_area *area, u32 self)
{
	for (u32 i = 0; i < SEM_WAITERS; i++) {
		u32 index = (self + i) % SEM_WAITERS;
		if (!ipc_claim(&area->waiter_owner[index], ipc_owner_word(self)))
			continue;
		ipc_raise(&area->waiter_high, index + 1);
		area->waiter[index].owner = area->waiter_owner[index];
		return (int)index;
	}
	return -ENOMEM;
}

int sem_waiter_claim(struct sem_area *area, u32 self)
{
	int index = sem_waiter_try(area, self);
	if (index >= 0)
		return index;
	sem_waiters_reap(area, -1, self); /* members that died asleep keep their slots until then */
	return sem_waiter_try(area, self);
}

void sem_waiter_release(struct sem_area *area, u32 index)
{
	IPC_STORE(area->waiter[index].status, SEM_WAITER_IDLE);
	IPC_STORE(area->waiter_owner[index], 0);
}

void sem_chain_append(struct sem_hold *hold, u32 waiter)
{
	struct sem_waiter *self = &hold->area->waiter[waiter];
	struct sem_chain *chain = &hold->set->chain[self->chain];
	IPC_STORE(self->next, 0);
	IPC_STORE(self->prev, chain->last);
	if (chain->last)
		IPC_STORE(waiter_at(hold, chain->last)->next, waiter + 1);
	else
		IPC_STORE(chain->first, waiter + 1);
	IPC_STORE(chain->last, waiter + 1);
	if (self->count > 1)
		IPC_STORE(hold->set->complex, hold->set->complex + 1);
}

void sem_chain_remove(struct sem_hold *hold, u32 waiter)
{
	struct sem_waiter *self = &hold->area->waiter[waiter];
	struct sem_chain *chain = &hold->set->chain[self->chain];
	if (self->prev)
		IPC_STORE(waiter_at(hold, self->prev)->next, self->next);
	else
		IPC_STORE(chain->first, self->next);
	if (self->next)
		IPC_STORE(waiter_at(hold, self->next)->prev, self->prev);
	else
		IPC_STORE(chain->last, self->prev);
	if (self->count > 1)
		IPC_STORE(hold->set->complex, hold->set->complex - 1);
}

void sem_chain_merge(struct sem_hold *hold)
{
	struct sem_chain *chain = &hold->set->chain[SEM_CHAIN_ALTER];
	u32 next;
	for (u32 link = chain->first; link; link = next) {
		next = waiter_at(hold, link)->next;
		u32 before = waiter_at(hold, link)->prev;
		while (before && waiter_at(hold, before)->ops[0].num > waiter_at(hold, link)->ops[0].num)
			before = waiter_at(hold, before)->prev;
		if (before == waiter_at(hold, link)->prev)
			continue;
		sem_chain_remove(hold, link - 1);
		struct sem_waiter *moved = waiter_at(hold, link);
		u32 after = before ? waiter_at(hold, before)->next : chain->first;
		IPC_STORE(moved->next, after);
		IPC_STORE(moved->prev, before);
		if (before)
			IPC_STORE(waiter_at(hold, before)->next, link);
		else
			IPC_STORE(chain->first, link);
		IPC_STORE(waiter_at(hold, after)->prev, link); /* there is one: link moved forward past it */
	}
	hold->merged = true;
}

void sem_waiter_finish(struct sem_hold *hold, u32 waiter, s32 error)
{
	struct sem_waiter *self = &hold->area->waiter[waiter];
	sem_chain_remove(hold, waiter);
	IPC_STORE(self->error, error);
	IPC_STORE(self->status, SEM_WAITER_DONE);
}

static void send_wakes(struct sem_hold *hold)
{
	for (u32 i = 0; i < hold->wakes; i++)
		agent_wake(&hold->area->waiter[hold->wake[i]].status, 1);
	hold->wakes = 0;
}

void sem_hold_wake(struct sem_hold *hold, u32 waiter)
{
	if (hold->wakes == SEM_WAKES_MAX)
		send_wakes(hold);
	hold->wake[hold->wakes++] = waiter;
}

static bool waits_here(const struct sem_hold *hold, u32 index)
{
	const struct sem_waiter *waiter = &hold->area->waiter[index];
	return IPC_LOAD(hold->area->waiter_owner[index]) && waiter->set == hold->id &&
	       IPC_LOAD(waiter->status) == SEM_WAITER_WAITING;
}

/* Derives one chain from its links forward. Those it reaches get the mark. */
static void rebuild_chain(struct sem_hold *hold, enum sem_chain_kind kind, u64 mark)
{
	struct sem_chain *chain = &hold->set->chain[kind];
	u32 link = chain->first;
	IPC_STORE(chain->first, 0);
	IPC_STORE(chain->last, 0);
	while (link) {
		struct sem_waiter *waiter = waiter_at(hold, link);
		u32 next = waiter->next;
		if (waiter->mark == mark)
			break;
		if (waits_here(hold, link - 1) && waiter->chain == kind) {
			IPC_STORE(waiter->mark, mark);
			sem_chain_append(hold, link - 1);
		}
		link = next;
	}
}

/* The former owner of the lock died. hold->id is the object's id, -1 when the slot is free. */
static void recover(struct sem_hold *hold)
{
	struct sem_area *area = hold->area;
	struct sem_set *set = hold->set;
	if (hold->id < 0) {
		memset(set->chain, 0, sizeof(set->chain));
		set->undo = 0;
		set->commit = 0;
		set->complex = 0;
		return;
	}
	sem_undo_rebuild(hold);
	sem_redo(hold);
	sem_begin(hold);
	u64 mark = set->transaction;
	IPC_STORE(set->complex, 0);
	for (int kind = 0; kind < SEM_CHAIN_COUNT; kind++)
		rebuild_chain(hold, kind, mark);
	for (u32 i = 0; i < area->waiter_high; i++) {
		if (waits_here(hold, i) && area->waiter[i].mark != mark) {
			IPC_STORE(area->waiter[i].mark, mark);
			sem_chain_append(hold, i);
		}
	}
	hold->merged = set->complex != 0;
	sem_update(hold, NULL, 0, false);
	for (u32 i = 0; i < area->waiter_high; i++) {
		if (IPC_LOAD(area->waiter_owner[i]) && area->waiter[i].set == hold->id &&
		    IPC_LOAD(area->waiter[i].status) == SEM_WAITER_DONE)
			agent_wake(&area->waiter[i].status, 1);
	}
}

void sem_hold_slot(struct sem_hold *hold, struct sem_area *area, u32 index, u32 self)
{
	hold->area = area;
	hold->set = &area->set[index];
	hold->self = self;
	hold->wakes = 0;
	hold->prune = false;
	bool died = lock_take((struct lock *)&hold->set->lock);
	hold->id = ipc_ids_used(&area->ids, index) ? ipc_ids_id(&area->ids, (int)index) : -1;
	hold->sems = (struct sem *)(area->bytes + hold->set->sems);
	hold->merged = hold->set->complex != 0;
	if (UNLIKELY(died))
		recover(hold);
}

int sem_hold_begin(struct sem_hold *hold, struct sem_area *area, s32 id, u32 self)
{
	sem_hold_slot(hold, area, (u32)id & (IPC_SLOTS - 1), self);
	if (LIKELY(hold->id == id))
		return 0;
	sem_hold_end(hold);
	return -EIDRM;
}

void sem_hold_end(struct sem_hold *hold)
{
	if (hold->prune)
		sem_undo_prune(hold);
	lock_release((struct lock *)&hold->set->lock);
	send_wakes(hold);
}

/* Frees one slot whose owner is gone. */
static void reap_waiter(struct sem_area *area, u32 index, u32 owner, u32 self)
{
	struct sem_waiter *waiter = &area->waiter[index];
	struct sem_hold hold;
	sem_hold_slot(&hold, area, (u32)waiter->set & (IPC_SLOTS - 1), self);
	if (IPC_LOAD(area->waiter_owner[index]) == owner) {
		if (waits_here(&hold, index))
			sem_chain_remove(&hold, index);
		sem_waiter_release(area, index);
	}
	sem_hold_end(&hold);
}

void sem_waiters_reap(struct sem_area *area, int member, u32 self)
{
	for (u32 i = 0; i < IPC_LOAD(area->waiter_high); i++) {
		u32 owner = IPC_LOAD(area->waiter_owner[i]);
		if (owner && (member < 0 || ipc_owner_member(owner) == (u32)member) && ipc_owner_gone(owner))
			reap_waiter(area, i, owner, self);
	}
}
