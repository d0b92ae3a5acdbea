/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue: its lock, its chain of messages, its sleeping receivers and senders (ipc/msg.c: q_messages, q_receivers, q_senders).
 *
 * The truth: which chunks a queue owns (msg_store.c), the links forward of its three chains, the status of its waiters. Counts, links
 * back and ends are derived. After the death of a lock owner (recover()):
 *   - a message in the chain stays where it is;
 *   - a message of the queue that no link reaches: one that waits for its receiver's hand (msg_waiter_hand) stays; one that was being
 *     received when the receiver died (MSG_TAKEN) is gone; any other had been sent just now and goes to the end;
 *   - tails without a head are freed;
 *   - all waiters are told to look again.
 * A wake-up lost between unlocking and waking is made good by the sleeper, which looks at least once a second.
 */
#include "gaps/sysvipc/msg_int.h"

static struct msg_waiter *waiter_at(const struct msg_hold *hold, u32 link)
{
	return &hold->area->waiter[link - 1];
}

/* --- messages ------------------------------------------------------------------------------------------------------------------------- */

void msg_append(struct msg_hold *hold, u32 first)
{
	struct msg_queue *queue = hold->queue;
	struct msg_head *head = msg_at(hold->area, first);
	IPC_STORE(head->taker, 0);
	IPC_STORE(head->next, 0);
	IPC_STORE(head->prev, queue->messages.last);
	if (queue->messages.last)
		IPC_STORE(msg_at(hold->area, queue->messages.last - 1)->next, first + 1);
	else
		IPC_STORE(queue->messages.first, first + 1);
	IPC_STORE(queue->messages.last, first + 1);
	queue->cbytes += head->size;
	queue->qnum++;
}

void msg_unlink(struct msg_hold *hold, u32 first)
{
	struct msg_queue *queue = hold->queue;
	struct msg_head *head = msg_at(hold->area, first);
	IPC_STORE(head->taker, MSG_TAKEN);
	if (head->prev)
		IPC_STORE(msg_at(hold->area, head->prev - 1)->next, head->next);
	else
		IPC_STORE(queue->messages.first, head->next);
	if (head->next)
		IPC_STORE(msg_at(hold->area, head->next - 1)->prev, head->prev);
	else
		IPC_STORE(queue->messages.last, head->prev);
	queue->cbytes -= head->size;
	queue->qnum--;
}

/* --- waiters -------------------------------------------------------------------------------------------------------------------------- */

int msg_waiter_try(struct msg_area *area, u32 self)
{
	for (u32 i = 0; i < MSG_WAITERS; i++) {
		u32 index = (self + i) % MSG_WAITERS;
		if (!ipc_claim(&area->waiter_owner[index], ipc_owner_word(self)))
			continue;
		ipc_raise(&area->waiter_high, index + 1);
		area->waiter[index].owner = area->waiter_owner[index];
		return (int)index;
	}
	return -ENOMEM;
}

void msg_waiter_release(struct msg_area *area, u32 waiter)
{
	IPC_STORE(area->waiter[waiter].status, MSG_WAITER_IDLE);
	IPC_STORE(area->waiter_owner[waiter], 0);
}

static struct msg_chain *chain_of(const struct msg_hold *hold, const struct msg_waiter *waiter)
{
	return waiter->receiver ? &hold->queue->receivers : &hold->queue->senders;
}

static void chain_append(struct msg_hold *hold, u32 waiter)
{
	struct msg_waiter *self = &hold->area->waiter[waiter];
	struct msg_chain *chain = chain_of(hold, self);
	IPC_STORE(self->next, 0);
	IPC_STORE(self->prev, chain->last);
	if (chain->last)
		IPC_STORE(waiter_at(hold, chain->last)->next, waiter + 1);
	else
		IPC_STORE(chain->first, waiter + 1);
	IPC_STORE(chain->last, waiter + 1);
}

void msg_waiter_enqueue(struct msg_hold *hold, u32 waiter)
{
	IPC_STORE(hold->area->waiter[waiter].status, MSG_WAITER_WAITING);
	chain_append(hold, waiter);
}

void msg_waiter_unlink(struct msg_hold *hold, u32 waiter)
{
	struct msg_waiter *self = &hold->area->waiter[waiter];
	struct msg_chain *chain = chain_of(hold, self);
	if (self->prev)
		IPC_STORE(waiter_at(hold, self->prev)->next, self->next);
	else
		IPC_STORE(chain->first, self->next);
	if (self->next)
		IPC_STORE(waiter_at(hold, self->next)->prev, self->prev);
	else
		IPC_STORE(chain->last, self->prev);
}

static void send_wakes(struct msg_hold *hold)
{
	for (u32 i = 0; i < hold->wakes; i++)
		agent_wake(&hold->area->waiter[hold->wake[i]].status, 1);
	hold->wakes = 0;
}

static void add_wake(struct msg_hold *hold, u32 waiter)
{
	if (hold->wakes == MSG_WAKES_MAX)
		send_wakes(hold);
	hold->wake[hold->wakes++] = waiter;
}

void msg_waiter_fail(struct msg_hold *hold, u32 waiter, s32 error)
{
	msg_waiter_unlink(hold, waiter);
	IPC_STORE(hold->area->waiter[waiter].error, error);
	IPC_STORE(hold->area->waiter[waiter].status, MSG_WAITER_ERROR);
	add_wake(hold, waiter);
}

void msg_waiter_hand(struct msg_hold *hold, u32 waiter, u32 first)
{
	struct msg_waiter *self = &hold->area->waiter[waiter];
	IPC_STORE(msg_at(hold->area, first)->taker, waiter + 1);
	msg_waiter_unlink(hold, waiter);
	IPC_STORE(self->message, first);
	IPC_STORE(self->status, MSG_WAITER_MESSAGE);
	add_wake(hold, waiter);
}

void msg_waiter_retry(struct msg_hold *hold, u32 waiter)
{
	struct msg_waiter *self = &hold->area->waiter[waiter];
	if (self->status != MSG_WAITER_WAITING)
		return;
	IPC_STORE(self->status, MSG_WAITER_RETRY);
	add_wake(hold, waiter);
}

void msg_senders_retry(struct msg_hold *hold)
{
	u32 stop = 0;
	u32 next;
	for (u32 link = hold->queue->senders.first; link && link != stop; link = next) {
		struct msg_waiter *waiter = waiter_at(hold, link);
		next = waiter->next;
		if (!msg_fits(hold->queue, waiter->size)) {
			if (!stop)
				stop = link;
			msg_waiter_unlink(hold, link - 1);
			chain_append(hold, link - 1);
		} else if (ipc_owner_gone(waiter->owner)) {
			msg_waiter_fail(hold, link - 1, -EINTR);
		} else {
			msg_waiter_retry(hold, link - 1);
		}
	}
}

/* --- after a death ---------------------------------------------------------------------------------------------------------------------- */

/* Whether a message in no chain waits for the receiver that it was handed to. */
static bool is_handed(const struct msg_hold *hold, u32 first)
{
	u32 taker = msg_at(hold->area, first)->taker;
	if (!taker || taker == MSG_TAKEN || taker > MSG_WAITERS)
		return false;
	const struct msg_waiter *waiter = waiter_at(hold, taker);
	return IPC_LOAD(hold->area->waiter_owner[taker - 1]) && IPC_LOAD(waiter->status) == MSG_WAITER_MESSAGE &&
	       waiter->message == first && ((u32)waiter->queue & (IPC_SLOTS - 1)) == hold->index;
}

static void rebuild_messages(struct msg_hold *hold, u64 mark)
{
	struct msg_area *area = hold->area;
	struct msg_queue *queue = hold->queue;
	u32 head_word = msg_owner_word(MSG_OWNER_HEAD, hold->index);
	u32 link = hold->id >= 0 ? queue->messages.first : 0;
	queue->messages = (struct msg_chain){ 0, 0 };
	queue->cbytes = 0;
	queue->qnum = 0;
	while (link && area->owner[link - 1] == head_word && msg_at(area, link - 1)->mark != mark) {
		u32 first = link - 1;
		link = msg_at(area, first)->next;
		msg_at(area, first)->mark = mark;
		msg_append(hold, first);
	}
	for (u32 i = 0; i < area->chunk_high; i++) {
		u32 word = IPC_LOAD(area->owner[i]);
		if (word == msg_owner_word(MSG_OWNER_TAIL, hold->index))
			IPC_STORE(area->owner[i], MSG_OWNER_FREE);
		if (word != head_word)
			continue;
		u32 first = i;
		i += msg_at(area, first)->chunks - 1;
		if (msg_at(area, first)->mark == mark || is_handed(hold, first))
			continue;
		if (hold->id < 0 || msg_at(area, first)->taker == MSG_TAKEN) {
			msg_free(area, first, hold->index);
		} else {
			msg_at(area, first)->mark = mark;
			msg_append(hold, first);
		}
	}
}

static bool waits_here(const struct msg_hold *hold, u32 waiter)
{
	const struct msg_waiter *self = &hold->area->waiter[waiter];
	u32 status = IPC_LOAD(self->status);
	return IPC_LOAD(hold->area->waiter_owner[waiter]) && self->queue == hold->id &&
	       (status == MSG_WAITER_WAITING || status == MSG_WAITER_RETRY);
}

static void rebuild_chain(struct msg_hold *hold, struct msg_chain *chain, u64 mark)
{
	u32 link = chain->first;
	*chain = (struct msg_chain){ 0, 0 };
	while (link && waiter_at(hold, link)->mark != mark) {
		struct msg_waiter *waiter = waiter_at(hold, link);
		u32 next = waiter->next;
		if (waits_here(hold, link - 1) && chain_of(hold, waiter) == chain) {
			waiter->mark = mark;
			chain_append(hold, link - 1);
		}
		link = next;
	}
}

static void recover(struct msg_hold *hold)
{
	struct msg_area *area = hold->area;
	struct msg_queue *queue = hold->queue;
	u64 mark = ++queue->mark;
	rebuild_messages(hold, mark);
	rebuild_chain(hold, &queue->receivers, mark);
	rebuild_chain(hold, &queue->senders, mark);
	for (u32 i = 0; i < area->waiter_high; i++) {
		if (hold->id < 0 || !IPC_LOAD(area->waiter_owner[i]) || area->waiter[i].queue != hold->id)
			continue;
		if (waits_here(hold, i)) {
			if (area->waiter[i].mark != mark)
				chain_append(hold, i);
			IPC_STORE(area->waiter[i].status, MSG_WAITER_RETRY);
		}
		agent_wake(&area->waiter[i].status, 1);
	}
}

/* --- the lock --------------------------------------------------------------------------------------------------------------------------- */

void msg_hold_slot(struct msg_hold *hold, struct msg_area *area, u32 index, u32 self)
{
	hold->area = area;
	hold->queue = &area->queue[index];
	hold->index = index;
	hold->self = self;
	hold->wakes = 0;
	bool died = lock_take((struct lock *)&hold->queue->lock);
	hold->id = ipc_ids_used(&area->ids, index) ? ipc_ids_id(&area->ids, (int)index) : -1;
	if (UNLIKELY(died))
		recover(hold);
}

int msg_hold_begin(struct msg_hold *hold, struct msg_area *area, s32 id, u32 self)
{
	msg_hold_slot(hold, area, (u32)id & (IPC_SLOTS - 1), self);
	if (LIKELY(hold->id == id))
		return 0;
	msg_hold_end(hold);
	return -EIDRM;
}

void msg_hold_end(struct msg_hold *hold)
{
	lock_release((struct lock *)&hold->queue->lock);
	send_wakes(hold);
}

/* --- events ----------------------------------------------------------------------------------------------------------------------------- */

/* Frees one slot whose owner is gone. */
static void reap_waiter(struct msg_area *area, u32 waiter, u32 owner, u32 self)
{
	struct msg_waiter *dead = &area->waiter[waiter];
	struct msg_hold hold;
	msg_hold_slot(&hold, area, (u32)dead->queue & (IPC_SLOTS - 1), self);
	if (IPC_LOAD(area->waiter_owner[waiter]) == owner) {
		u32 first = dead->message % MSG_CHUNKS;
		if (waits_here(&hold, waiter))
			msg_waiter_unlink(&hold, waiter);
		else if (area->owner[first] == msg_owner_word(MSG_OWNER_HEAD, hold.index) && is_handed(&hold, first) &&
			 msg_at(area, first)->taker == waiter + 1)
			msg_free(area, first, hold.index);
		msg_waiter_release(area, waiter);
	}
	msg_hold_end(&hold);
}

/* Releases what threads of a member (-1: of all) that are no more left of waiters. No lock is held. */
static void reap_waiters(struct msg_area *area, int member, u32 self)
{
	for (u32 i = 0; i < IPC_LOAD(area->waiter_high); i++) {
		u32 owner = IPC_LOAD(area->waiter_owner[i]);
		if (owner && (member < 0 || ipc_owner_member(owner) == (u32)member) && ipc_owner_gone(owner))
			reap_waiter(area, i, owner, self);
	}
}

int msg_waiter_claim(struct msg_area *area, u32 self)
{
	int index = msg_waiter_try(area, self);
	if (index >= 0)
		return index;
	reap_waiters(area, -1, self);
	return msg_waiter_try(area, self);
}

void msg_member_reap(int member)
{
	int self = member_peek();
	if (self < 0)
		return;
	reap_waiters(msg_area(), member, (u32)self);
	msg_store_reap(msg_area(), member);
}

void msg_event(enum agent_event event, UNUSED long arg)
{
	int self = member_peek();
	if (self >= 0 && event == EVENT_EXEC)
		msg_member_reap(self);
}
