/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the semaphore part of gap sysvipc: what sem_agent.c, sem_ctl.c, sem_ops.c, sem_wait.c and sem_undo.c share. */
#ifndef LICHEN_GAPS_SYSVIPC_SEM_INT_H
#define LICHEN_GAPS_SYSVIPC_SEM_INT_H

#include "gaps/sysvipc/ipc_owner.h"
#include "gaps/sysvipc/sysvipc_int.h"

#define SEM_OP_UNDO 0x1000 /* the kernel's SEM_UNDO */

/* Wake-ups collected while a set is locked and sent after it is not. */
#define SEM_WAKES_MAX 32u

/* One period in which this thread holds a set's lock. Lives on the stack. */
struct sem_hold {
	struct sem_area *area;
	struct sem_set *set;
	struct sem *sems;
	s32 id;
	u32 self;    /* member index */
	bool merged; /* complex operations slept when the lock was taken: one queue for all semaphores (the kernel's pending_alter) */
	bool prune; /* undo entries may have become 0 */
	u32 wakes;
	u32 wake[SEM_WAKES_MAX]; /* waiter indexes */
};

/* What one semop() asks for, by the caller or by a sleeper. */
struct sem_request {
	const struct sem_sembuf *ops;
	u32 count;
	u32 member;
	s32 pid;
	u32 blocking; /* out: the operation that cannot proceed */
};

static inline struct sem_area *sem_area(void)
{
	return &sysvipc_area()->sem;
}

/* --- sem_wait.c: the lock of a set, its waiters ------------------------------------------------------------------------------------ */

/* Locks the set with this id; after a dead owner completes or drops what that one began. 0, or -EIDRM when the id is gone (not
 * locked then). */
int sem_hold_begin(struct sem_hold *hold, struct sem_area *area, s32 id, u32 self) MUST_CHECK;
/* As sem_hold_begin() on a slot, whether it has an object or not: for creation. hold->id is -1 when it has none. */
void sem_hold_slot(struct sem_hold *hold, struct sem_area *area, u32 index, u32 self);
/* Unlocks, then sends the wake-ups. */
void sem_hold_end(struct sem_hold *hold);

/* A waiter slot of this process, IDLE. Returns its index or -ENOMEM. */
int sem_waiter_try(struct sem_area *area, u32 self) MUST_CHECK;
/* As sem_waiter_try(), but first frees what the dead left if there is no other. No lock is held. Returns its index or -ENOMEM. */
int sem_waiter_claim(struct sem_area *area, u32 self) MUST_CHECK;
/* Gives it back; it is in no chain. */
void sem_waiter_release(struct sem_area *area, u32 index);
void sem_chain_append(struct sem_hold *hold, u32 waiter);
void sem_chain_remove(struct sem_hold *hold, u32 waiter);
/* The kernel's merge_queues(), before the first complex operation is queued: sorts by semaphore those who wait to change one. */
void sem_chain_merge(struct sem_hold *hold);
/* Result `error` for a waiter in a chain: out of the chain, done, to be woken. */
void sem_waiter_finish(struct sem_hold *hold, u32 waiter, s32 error);
void sem_hold_wake(struct sem_hold *hold, u32 waiter);
/* Releases what threads that are no more left of the waiters of a member (-1: of all). No lock is held. */
void sem_waiters_reap(struct sem_area *area, int member, u32 self);

static inline struct sem_request sem_waiter_request(const struct sem_waiter *waiter)
{
	return (struct sem_request){ waiter->ops, waiter->count, ipc_owner_member(waiter->owner), waiter->pid, 0 };
}

/* --- sem_ops.c: operations as transactions; the set is locked ------------------------------------------------------------------------ */

/* Starts a transaction: what is given to the sem_stage_*() from here on changes nothing until sem_commit(). */
void sem_begin(struct sem_hold *hold);
void sem_stage_value(struct sem_hold *hold, u32 num, s32 value, s32 pid);
/* Stages all of a request. 0, 1 when it has to wait (request->blocking is set), or -EAGAIN, -ERANGE, -ENOMEM. */
int sem_stage_request(struct sem_hold *hold, struct sem_request *request) MUST_CHECK;
/* Makes it hold, all at once. ops: the only semaphores staged; NULL: any. waiter: finished with 0 in the same instant; -1 none. */
void sem_commit(struct sem_hold *hold, const struct sem_sembuf *ops, u32 count, int waiter);
/* Completes a commit that a dead process published. */
void sem_redo(struct sem_hold *hold);
/* The kernel's do_smart_update(): completes sleepers that now can. ops NULL: any semaphore may have changed. otime: set it anyway. */
void sem_update(struct sem_hold *hold, const struct sem_sembuf *ops, u32 count, bool otime);

static inline s32 sem_value(u64 word)
{
	return (s32)(u32)word;
}

static inline s32 sem_pid(u64 word)
{
	return (s32)(word >> 32);
}

/* --- sem_undo.c; the set is locked ---------------------------------------------------------------------------------------------------- */

/* Stages adjustment -= op for (request's member, num). 0, -ERANGE or -ENOMEM. */
int sem_undo_stage(struct sem_hold *hold, const struct sem_request *request, u32 num, s32 op) MUST_CHECK;
/* Stages adjustment 0 for every process on semaphore num (all semaphores: -1). */
void sem_undo_stage_clear(struct sem_hold *hold, int num);
/* Applies staged adjustments of a transaction that holds. */
void sem_undo_apply(struct sem_hold *hold);
/* Frees entries that are 0. */
void sem_undo_prune(struct sem_hold *hold);
/* Recomputes the set's chain after a death. */
void sem_undo_rebuild(struct sem_hold *hold);
/* Frees all entries: the set was removed. */
void sem_undo_drop(struct sem_hold *hold);
/* Makes the undo of dead processes on the semaphores of ops (NULL: all) take effect. May wake sleepers. */
void sem_undo_settle(struct sem_hold *hold, const struct sem_sembuf *ops, u32 count);
/* Whether a process other than the caller has adjustments on this set. */
bool sem_undo_foreign(const struct sem_hold *hold);

/* --- sem_ctl.c --------------------------------------------------------------------------------------------------------------------------- */

/* Locks the table of sets; recomputes what is derived after a death. */
void sem_table_lock(struct sem_area *area);
void sem_table_unlock(struct sem_area *area);
/* Removes all sets. */
void sem_remove_all(struct sem_area *area, u32 self);

#endif
