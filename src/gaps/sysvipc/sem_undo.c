/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SEM_UNDO: what the end of a process does to semaphores (ipc/sem.c: find_alloc_undo, exit_sem).
 *
 * An entry is one pair (process, semaphore) whose adjustment is not 0; an entry that becomes 0 is freed at once, so a set's chain
 * is as long as there are holders, not users. Adjustments change in the transaction of their semop() (sem_ops.c).
 *
 * A process that exits applies its entries itself (EVENT_EXIT). One that is killed cannot; its entries are settled by whoever comes
 * first: an operation that touches the same semaphores asks about each foreign holder (member_alive(), one F_GETLK) before it looks
 * at a value; a sleeper on a set with foreign holders looks every 20 to 100 ms (sem_agent.c); the next owner of the dead process's
 * member slot settles the rest. When nobody else holds an adjustment nothing is asked.
 *
 * Differences from Linux: a process whose adjustments are all 0 does not touch sem_otime when it ends; entries belong to processes,
 * so CLONE_SYSVSEM without CLONE_THREAD, and unshare(CLONE_SYSVSEM), are not told apart from the usual case, and what a vfork child
 * does before its execve is undone when its parent ends; the table holds 65536 adjustments (then ENOMEM).
 */
#include "gaps/sysvipc/sem_int.h"

static u32 set_key(s32 id)
{
	return SEM_UNDO_USED | (u32)id;
}

static struct sem_undo *undo_at(const struct sem_hold *hold, u32 link)
{
	return link ? &hold->area->undo[link - 1] : NULL;
}

/* The chain of the locked set: for (entry = undo_first(hold); entry; entry = undo_next(hold, entry)) */
static struct sem_undo *undo_first(const struct sem_hold *hold)
{
	return undo_at(hold, hold->set->undo);
}

static struct sem_undo *undo_next(const struct sem_hold *hold, const struct sem_undo *entry)
{
	return undo_at(hold, entry->next);
}

/* Claims a free entry for the locked set; its adjustment is 0. NULL when the table is full. */
static struct sem_undo *undo_new(struct sem_hold *hold, u32 member, s32 pid, u32 num)
{
	struct sem_area *area = hold->area;
	u32 start = IPC_LOAD(area->undo_hint) % SEM_UNDOS;
	for (u32 i = 0; i < SEM_UNDOS; i++) {
		u32 index = (start + i) % SEM_UNDOS;
		struct sem_undo *entry = &area->undo[index];
		if (IPC_LOAD(entry->set))
			continue;
		ipc_raise(&area->undo_high, index + 1);
		if (!ipc_claim(&entry->set, set_key(hold->id)))
			continue;
		IPC_STORE(entry->member, member);
		IPC_STORE(entry->pid, pid);
		IPC_STORE(entry->num, (u16)num);
		IPC_STORE(area->undo_member[member], 1);
		IPC_STORE(entry->next, hold->set->undo);
		IPC_STORE(hold->set->undo, index + 1);
		IPC_STORE(area->undo_hint, index + 1);
		return entry;
	}
	return NULL;
}

static void undo_free(struct sem_area *area, struct sem_undo *entry)
{
	IPC_STORE(entry->adjust, 0);
	IPC_STORE(entry->tag, 0);
	IPC_STORE(entry->set, 0);
	IPC_STORE(area->undo_hint, (u32)(entry - area->undo));
}

static void stage(const struct sem_hold *hold, struct sem_undo *entry, s32 adjust)
{
	IPC_STORE(entry->next_adjust, adjust);
	IPC_STORE(entry->tag, hold->set->transaction);
}

int sem_undo_stage(struct sem_hold *hold, const struct sem_request *request, u32 num, s32 op)
{
	struct sem_undo *found = NULL;
	for (struct sem_undo *entry = undo_first(hold); entry; entry = undo_next(hold, entry)) {
		if (entry->member == request->member && entry->num == num) {
			found = entry;
			break;
		}
	}
	s32 adjust = 0;
	if (found)
		adjust = found->tag == hold->set->transaction ? found->next_adjust : found->adjust;
	adjust -= op;
	if (adjust < -SEM_VALUE_MAX - 1 || adjust > SEM_VALUE_MAX)
		return -ERANGE;
	hold->prune = true;
	if (!found)
		found = undo_new(hold, request->member, request->pid, num);
	if (!found)
		return -ENOMEM;
	stage(hold, found, adjust);
	return 0;
}

void sem_undo_stage_clear(struct sem_hold *hold, int num)
{
	for (struct sem_undo *entry = undo_first(hold); entry; entry = undo_next(hold, entry)) {
		if (num < 0 || entry->num == num)
			stage(hold, entry, 0);
	}
	hold->prune = true;
}

void sem_undo_apply(struct sem_hold *hold)
{
	for (struct sem_undo *entry = undo_first(hold); entry; entry = undo_next(hold, entry)) {
		if (entry->tag == hold->set->commit)
			IPC_STORE(entry->adjust, entry->next_adjust);
	}
}

void sem_undo_prune(struct sem_hold *hold)
{
	u32 *link = &hold->set->undo;
	while (*link) {
		struct sem_undo *entry = undo_at(hold, *link);
		if (entry->adjust) {
			link = &entry->next;
			continue;
		}
		IPC_STORE(*link, entry->next);
		undo_free(hold->area, entry);
	}
	hold->prune = false;
}

void sem_undo_rebuild(struct sem_hold *hold)
{
	struct sem_area *area = hold->area;
	IPC_STORE(hold->set->undo, 0);
	for (u32 i = 0; i < area->undo_high; i++) {
		struct sem_undo *entry = &area->undo[i];
		if (IPC_LOAD(entry->set) != set_key(hold->id))
			continue;
		IPC_STORE(entry->next, hold->set->undo);
		IPC_STORE(hold->set->undo, i + 1);
	}
	hold->prune = true;
}

void sem_undo_drop(struct sem_hold *hold)
{
	struct sem_undo *entry;
	while ((entry = undo_at(hold, hold->set->undo))) {
		IPC_STORE(hold->set->undo, entry->next);
		undo_free(hold->area, entry);
	}
}

bool sem_undo_foreign(const struct sem_hold *hold)
{
	for (struct sem_undo *entry = undo_first(hold); entry; entry = undo_next(hold, entry)) {
		if (entry->adjust && entry->member != hold->self)
			return true;
	}
	return false;
}

/* Applies all adjustments of one member to the locked set, at once, as the kernel's exit_sem(). */
static void undo_member(struct sem_hold *hold, u32 member)
{
	bool any = false;
	sem_begin(hold);
	for (struct sem_undo *entry = undo_first(hold); entry; entry = undo_next(hold, entry)) {
		if (entry->member != member || !entry->adjust)
			continue;
		s32 value = sem_value(hold->sems[entry->num].now) + entry->adjust;
		if (value < 0)
			value = 0;
		if (value > SEM_VALUE_MAX)
			value = SEM_VALUE_MAX;
		sem_stage_value(hold, entry->num, value, entry->pid);
		stage(hold, entry, 0);
		any = true;
	}
	if (!any)
		return;
	sem_commit(hold, NULL, 0, -1);
	sem_undo_prune(hold);
	sem_update(hold, NULL, 0, true);
}

static bool touches(const struct sem_undo *entry, const struct sem_sembuf *ops, u32 count)
{
	if (!ops)
		return true;
	for (u32 i = 0; i < count; i++) {
		if (ops[i].num == entry->num)
			return true;
	}
	return false;
}

/* A member other than the caller that has adjustments on the semaphores of ops and is dead; -1 when there is none. */
static int dead_holder(const struct sem_hold *hold, const struct sem_sembuf *ops, u32 count)
{
	u32 known_alive = hold->self;
	for (struct sem_undo *entry = undo_first(hold); entry; entry = undo_next(hold, entry)) {
		if (!entry->adjust || entry->member == known_alive || entry->member == hold->self || !touches(entry, ops, count))
			continue;
		if (!member_alive((int)entry->member))
			return (int)entry->member;
		known_alive = entry->member;
	}
	return -1;
}

void sem_undo_settle(struct sem_hold *hold, const struct sem_sembuf *ops, u32 count)
{
	int member;
	while ((member = dead_holder(hold, ops, count)) >= 0)
		undo_member(hold, (u32)member);
}

/* Applies what a member still has to undo in all sets. */
static void undo_everywhere(struct sem_area *area, u32 member, u32 self)
{
	if (!IPC_LOAD(area->undo_member[member]))
		return;
	for (u32 i = 0; i < IPC_LOAD(area->undo_high); i++) {
		struct sem_undo *entry = &area->undo[i];
		u32 key = IPC_LOAD(entry->set);
		if (!key || IPC_LOAD(entry->member) != member)
			continue;
		struct sem_hold hold;
		sem_hold_slot(&hold, area, key & (IPC_SLOTS - 1), self);
		if (set_key(hold.id) == key && hold.id >= 0)
			undo_member(&hold, member);
		else if (entry->set == key && entry->member == member)
			undo_free(area, entry); /* whoever removed its set died on the way */
		sem_hold_end(&hold);
	}
}

void sem_member_reap(int member)
{
	int self = member_peek();
	if (self < 0)
		return;
	sem_waiters_reap(sem_area(), member, (u32)self);
	undo_everywhere(sem_area(), (u32)member, (u32)self);
	IPC_STORE(sem_area()->undo_member[member], 0);
}

void sem_event(enum agent_event event, UNUSED long arg)
{
	int self = member_peek();
	if (self < 0)
		return;
	if (event == EVENT_EXEC)
		sem_waiters_reap(sem_area(), self, (u32)self);
	else if (event == EVENT_EXIT)
		undo_everywhere(sem_area(), (u32)self, (u32)self);
}
