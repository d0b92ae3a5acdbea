/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the message part of gap sysvipc: what msg_agent.c, msg_ctl.c, msg_queue.c and msg_store.c share. */
#ifndef LICHEN_GAPS_SYSVIPC_MSG_INT_H
#define LICHEN_GAPS_SYSVIPC_MSG_INT_H

#include "gaps/sysvipc/ipc_owner.h"
#include "gaps/sysvipc/sysvipc_int.h"

/* Which messages a receiver wants (ipc/msg.c: SEARCH_*). */
enum msg_search {
	MSG_SEARCH_ANY,
	MSG_SEARCH_EQUAL,
	MSG_SEARCH_NOT_EQUAL,
	MSG_SEARCH_LESS_EQUAL, /* the lowest type first */
	MSG_SEARCH_NUMBER,     /* the type-th message, counted from 0 (MSG_COPY) */
};

#define MSG_WAKES_MAX 32u

/* One period in which this thread holds a queue's lock. Lives on the stack. */
struct msg_hold {
	struct msg_area *area;
	struct msg_queue *queue;
	u32 index; /* of the queue */
	s32 id;    /* -1 when the slot has no queue */
	u32 self;  /* member index */
	u32 wakes;
	u32 wake[MSG_WAKES_MAX]; /* waiter indexes, woken after unlocking */
};

static inline struct msg_area *msg_area(void)
{
	return &sysvipc_area()->msg;
}

/* --- msg_store.c: chunks ---------------------------------------------------------------------------------------------------------------- */

static inline struct msg_head *msg_at(struct msg_area *area, u32 first)
{
	return (struct msg_head *)area->chunk[first];
}

/* The text of a message; it lies in one piece. */
static inline u8 *msg_text(struct msg_area *area, u32 first)
{
	return area->chunk[first] + sizeof(struct msg_head);
}

static inline u32 msg_owner_word(enum msg_owner kind, u32 who)
{
	return (u32)kind << 30 | who;
}

/* Chunks for a message of `size` bytes, owned by member `self`, its head filled but for the type. Needs no lock. `hint`: queue index. Returns
 * the first chunk or -ENOMEM. */
s64 msg_claim(struct msg_area *area, u64 size, u32 self, u32 hint) MUST_CHECK;
void msg_free(struct msg_area *area, u32 first, u32 hint);
/* A member's message becomes one of a queue's, by one store; the queue is locked. */
void msg_give(struct msg_area *area, u32 first, u32 queue);
/* A queue's message becomes the member's; the queue is locked. */
void msg_take(struct msg_area *area, u32 first, u32 self);
/* Frees what threads of a member (-1: of all) that are no more were filling or reading. */
void msg_store_reap(struct msg_area *area, int member);

/* --- msg_queue.c: the lock of a queue, its messages, its waiters -------------------------------------------------------------------------- */

/* As sem_hold_begin() and friends, see sem_int.h. */
int msg_hold_begin(struct msg_hold *hold, struct msg_area *area, s32 id, u32 self) MUST_CHECK;
void msg_hold_slot(struct msg_hold *hold, struct msg_area *area, u32 index, u32 self);
void msg_hold_end(struct msg_hold *hold);

void msg_append(struct msg_hold *hold, u32 first);
void msg_unlink(struct msg_hold *hold, u32 first);

/* A waiter slot of this process, IDLE. Returns its index or -ENOMEM. */
int msg_waiter_try(struct msg_area *area, u32 self) MUST_CHECK;
/* As msg_waiter_try(), but first frees what the dead left if there is no other. No lock is held. */
int msg_waiter_claim(struct msg_area *area, u32 self) MUST_CHECK;
void msg_waiter_release(struct msg_area *area, u32 waiter);
/* Puts a filled slot at the end of its chain, WAITING. */
void msg_waiter_enqueue(struct msg_hold *hold, u32 waiter);
void msg_waiter_unlink(struct msg_hold *hold, u32 waiter);
/* Out of the chain with result `error`, to be woken. */
void msg_waiter_fail(struct msg_hold *hold, u32 waiter, s32 error);
/* Out of the chain with a message of this queue that is in no chain, to be woken. */
void msg_waiter_hand(struct msg_hold *hold, u32 waiter, u32 first);
/* Tells a waiter to look again; it stays in its chain. */
void msg_waiter_retry(struct msg_hold *hold, u32 waiter);

/* The kernel's ss_wakeup(): tells senders whose message now fits. */
void msg_senders_retry(struct msg_hold *hold);

static inline bool msg_fits(const struct msg_queue *queue, u64 size)
{
	return size + queue->cbytes <= queue->qbytes && 1 + queue->qnum <= queue->qbytes;
}

/* msg_ctl.c: removes all queues. */
void msg_remove_all(struct msg_area *area, u32 self);

#endif
