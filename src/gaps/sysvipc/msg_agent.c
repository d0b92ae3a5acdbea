/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msgsnd() and msgrcv() (ipc/msg.c: do_msgsnd, do_msgrcv). Without a need to sleep or to wake there is no host call.
 *
 * A sender claims chunks and copies its text before it locks the queue; a receiver takes the message out of the queue and copies
 * after unlocking. Guest memory is never touched under a lock. As in Linux, a message whose receiver's buffer is bad is lost (EFAULT).
 * A sender hands its message to the first sleeping receiver that wants it, which it then belongs to whatever happens to that
 * receiver; a receiver that is too small gets E2BIG and the next one is tried.
 *
 * Differences from Linux: more than 16384 threads asleep at one time get ENOMEM, so does a sender when 64 MiB are queued; after the
 * death of a process that held a queue's lock, sleepers are served in no particular order.
 */
#include "gaps/sysvipc/msg_int.h"

#define MSG_NOERROR 010000
#define MSG_EXCEPT 020000
#define MSG_COPY 040000

static const struct agent_time look_again = { 1, 0 };

/* --- msgsnd ---------------------------------------------------------------------------------------------------------------------------- */

static bool wants(const struct msg_head *head, s64 type, u32 search)
{
	switch (search) {
	case MSG_SEARCH_EQUAL:
		return head->type == type;
	case MSG_SEARCH_NOT_EQUAL:
		return head->type != type;
	case MSG_SEARCH_LESS_EQUAL:
		return head->type <= type;
	default:
		return true;
	}
}

/* The kernel's pipelined_send(): true when a sleeping receiver got it. The message is the queue's, in no chain. */
static bool hand_over(struct msg_hold *hold, u32 first)
{
	const struct msg_head *head = msg_at(hold->area, first);
	u32 next;
	for (u32 link = hold->queue->receivers.first; link; link = next) {
		struct msg_waiter *waiter = &hold->area->waiter[link - 1];
		next = waiter->next;
		if (!wants(head, waiter->type, waiter->search))
			continue;
		if (ipc_owner_gone(waiter->owner)) {
			msg_waiter_fail(hold, link - 1, -EINTR);
		} else if (waiter->size < head->size) {
			msg_waiter_fail(hold, link - 1, -E2BIG);
		} else {
			IPC_STORE(hold->queue->lrpid, waiter->pid);
			IPC_STORE(hold->queue->rtime, agent_now());
			msg_waiter_hand(hold, link - 1, first);
			return true;
		}
	}
	return false;
}

/* Sleeps until the waiter's status is no longer WAITING or a signal comes. Enters locked, returns locked and out of all chains.
 * 0 look at the status; negative errno: the end (-EIDRM, -EINTR, or what the waker said). */
static int sleep_in_queue(struct call *call, struct msg_hold *hold, u32 slot, s32 id)
{
	struct msg_waiter *waiter = &hold->area->waiter[slot];
	int slept;
	do {
		msg_hold_end(hold);
		slept = agent_wait(call, &waiter->status, MSG_WAITER_WAITING, &look_again);
		msg_hold_slot(hold, hold->area, hold->index, hold->self);
	} while (slept != -EINTR && waiter->status == MSG_WAITER_WAITING && hold->id == id);
	if (waiter->status == MSG_WAITER_MESSAGE)
		return 0;
	if (waiter->status == MSG_WAITER_ERROR)
		return waiter->error;
	if (hold->id != id)
		return -EIDRM; /* who removed the queue died before telling us */
	msg_waiter_unlink(hold, slot);
	return slept == -EINTR ? -EINTR : 0;
}

/* Queues the caller in a waiter slot, claimed the first time, and sleeps: see sleep_in_queue(). May come back at once (0, IDLE). */
static int enqueue_and_sleep(struct call *call, struct msg_hold *hold, int *slot, const struct msg_waiter *as)
{
	s32 id = hold->id;
	if (*slot < 0)
		*slot = msg_waiter_try(hold->area, hold->self);
	if (*slot < 0) {
		msg_hold_end(hold);
		*slot = msg_waiter_claim(hold->area, hold->self);
		msg_hold_slot(hold, hold->area, hold->index, hold->self);
		if (hold->id != id)
			return -EIDRM;
		return *slot < 0 ? -ENOMEM : 0;
	}
	struct msg_waiter *waiter = &hold->area->waiter[*slot];
	waiter->queue = hold->id;
	waiter->pid = agent_pid();
	waiter->receiver = as->receiver;
	waiter->type = as->type;
	waiter->size = as->size;
	waiter->search = as->search;
	waiter->mark = 0;
	msg_waiter_enqueue(hold, (u32)*slot);
	return sleep_in_queue(call, hold, (u32)*slot, id);
}

/* Puts a filled message into the queue, as soon as it fits. 0 or negative errno: then the message is still the caller's. */
static int send(struct call *call, struct msg_hold *hold, u32 first, const struct ipc_creds *creds)
{
	struct msg_queue *queue = hold->queue;
	u64 size = msg_at(hold->area, first)->size;
	int slot = -1;
	int result;
	for (;;) {
		result = ipc_perm_check(&queue->perm, creds, IPC_WRITE);
		if (result || msg_fits(queue, size))
			break;
		result = -EAGAIN;
		if (call->arg[3] & IPC_NOWAIT)
			break;
		struct msg_waiter as = { .receiver = 0, .size = size };
		result = enqueue_and_sleep(call, hold, &slot, &as);
		if (result)
			break;
	}
	if (slot >= 0)
		msg_waiter_release(hold->area, (u32)slot);
	if (result)
		return result;
	IPC_STORE(queue->lspid, agent_pid());
	IPC_STORE(queue->stime, agent_now());
	msg_give(hold->area, first, hold->index);
	if (!hand_over(hold, first))
		msg_append(hold, first);
	return 0;
}

static long msgsnd(struct call *call)
{
	struct msg_area *area = msg_area();
	s32 id = (s32)call->arg[0];
	u64 buffer = call->arg[1];
	u64 size = call->arg[2];
	s64 type;
	struct ipc_creds creds;
	struct msg_hold hold;
	if (guest_read(&type, buffer, sizeof(type)))
		return -EFAULT;
	if (size > sysvipc_area()->limits.msgmax || (s64)size < 0 || id < 0 || type < 1)
		return -EINVAL;
	int self = member_self();
	if (self < 0)
		return -ENOMEM;
	ipc_creds_get(&creds);
	u32 index = (u32)id & (IPC_SLOTS - 1);
	s64 first = msg_claim(area, size, (u32)self, index);
	if (first < 0)
		return first;
	msg_at(area, (u32)first)->type = type;
	long result = -EFAULT;
	if (size && guest_read(msg_text(area, (u32)first), buffer + sizeof(type), size))
		goto out;
	result = -EINVAL;
	if (ipc_ids_find(&area->ids, id) < 0)
		goto out;
	result = msg_hold_begin(&hold, area, id, (u32)self);
	if (result)
		goto out;
	result = send(call, &hold, (u32)first, &creds);
	msg_hold_end(&hold);
out:
	if (result)
		msg_free(area, (u32)first, index);
	return result;
}

enum verdict sysvipc_msgsnd(struct call *call)
{
	call->ret = msgsnd(call);
	return CALL_DONE;
}

/* --- msgrcv ---------------------------------------------------------------------------------------------------------------------------- */

/* One call of msgrcv(). */
struct msgrcv {
	s32 id;
	u64 buffer, size;
	s64 type;
	u32 search; /* enum msg_search */
	int flags;
	s64 copy; /* first chunk of the copy (MSG_COPY), -1 none */
};

/* The kernel's convert_mode(). */
static void set_search(struct msgrcv *rcv)
{
	if (rcv->flags & MSG_COPY) {
		rcv->search = MSG_SEARCH_NUMBER;
	} else if (rcv->type == 0) {
		rcv->search = MSG_SEARCH_ANY;
	} else if (rcv->type < 0) {
		rcv->search = MSG_SEARCH_LESS_EQUAL;
		rcv->type = rcv->type == INT64_MIN ? INT64_MAX : -rcv->type;
	} else {
		rcv->search = rcv->flags & MSG_EXCEPT ? MSG_SEARCH_NOT_EQUAL : MSG_SEARCH_EQUAL;
	}
}

/* The first chunk of the message to receive now, or -ENOMSG. */
static s64 find(const struct msg_hold *hold, const struct msgrcv *rcv)
{
	s64 type = rcv->type;
	s64 count = 0;
	s64 found = -ENOMSG;
	const struct msg_head *head;
	for (u32 link = hold->queue->messages.first; link; link = head->next) {
		head = msg_at(hold->area, link - 1);
		if (!wants(head, type, rcv->search))
			continue;
		if (rcv->search == MSG_SEARCH_NUMBER && type != count++)
			continue;
		found = link - 1;
		if (rcv->search != MSG_SEARCH_LESS_EQUAL || head->type == 1)
			break;
		type = head->type - 1;
	}
	return found;
}

/* MSG_COPY: into the message that was claimed for it. */
static s64 copy_message(struct msg_area *area, const struct msgrcv *rcv, u32 first)
{
	const struct msg_head *from = msg_at(area, first);
	struct msg_head *to = msg_at(area, (u32)rcv->copy);
	if (from->size > to->size)
		return -EINVAL;
	to->type = from->type;
	to->size = from->size;
	memcpy(msg_text(area, (u32)rcv->copy), msg_text(area, first), from->size);
	return rcv->copy;
}

/* Takes a message that was found out of the queue. Returns its first chunk, then the caller's, or negative errno. */
static s64 receive(struct msg_hold *hold, const struct msgrcv *rcv, u32 first)
{
	struct msg_queue *queue = hold->queue;
	if (rcv->size < msg_at(hold->area, first)->size && !(rcv->flags & MSG_NOERROR))
		return -E2BIG;
	if (rcv->flags & MSG_COPY)
		return copy_message(hold->area, rcv, first);
	msg_unlink(hold, first);
	msg_take(hold->area, first, hold->self);
	IPC_STORE(queue->rtime, agent_now());
	IPC_STORE(queue->lrpid, agent_pid());
	if (queue->senders.first)
		msg_senders_retry(hold);
	return first;
}

/* Waits for a message and takes it. Enters and returns locked. */
static s64 await(struct call *call, struct msg_hold *hold, const struct msgrcv *rcv, const struct ipc_creds *creds)
{
	struct msg_area *area = hold->area;
	int slot = -1;
	s64 result;
	for (;;) {
		result = ipc_perm_check(&hold->queue->perm, creds, IPC_READ);
		if (result)
			break;
		result = find(hold, rcv);
		if (result >= 0)
			result = receive(hold, rcv, (u32)result);
		if (result != -ENOMSG || rcv->flags & IPC_NOWAIT)
			break;
		struct msg_waiter as = { .receiver = 1, .type = rcv->type, .size = rcv->size, .search = rcv->search };
		if (rcv->flags & MSG_NOERROR)
			as.size = INT32_MAX;
		result = enqueue_and_sleep(call, hold, &slot, &as);
		if (result)
			break;
		if (area->waiter[slot].status == MSG_WAITER_MESSAGE) {
			result = area->waiter[slot].message;
			msg_take(area, (u32)result, hold->self);
			break;
		}
	}
	if (slot >= 0)
		msg_waiter_release(area, (u32)slot);
	return result;
}

/* The kernel's do_msg_fill(). */
static long fill(struct msg_area *area, const struct msgrcv *rcv, u32 first)
{
	const struct msg_head *head = msg_at(area, first);
	u64 size = rcv->size < head->size ? rcv->size : head->size;
	if (guest_write(rcv->buffer, &head->type, sizeof(head->type)))
		return -EFAULT;
	if (size && guest_write(rcv->buffer + sizeof(head->type), msg_text(area, first), size))
		return -EFAULT;
	return (long)size;
}

static long receive_into(struct call *call, struct msg_area *area, const struct msgrcv *rcv, u32 self)
{
	struct ipc_creds creds;
	struct msg_hold hold;
	ipc_creds_get(&creds);
	if (ipc_ids_find(&area->ids, rcv->id) < 0)
		return -EINVAL;
	long result = msg_hold_begin(&hold, area, rcv->id, self);
	if (result)
		return result;
	s64 first = await(call, &hold, rcv, &creds);
	msg_hold_end(&hold);
	if (first < 0)
		return first;
	result = fill(area, rcv, (u32)first);
	if (first != rcv->copy)
		msg_free(area, (u32)first, hold.index);
	return result;
}

static long msgrcv(struct call *call)
{
	struct msg_area *area = msg_area();
	struct msgrcv rcv = {
		.id = (s32)call->arg[0],
		.buffer = call->arg[1],
		.size = call->arg[2],
		.type = (s64)call->arg[3],
		.flags = (int)call->arg[4],
		.copy = -1,
	};
	if (rcv.id < 0 || (s64)rcv.size < 0)
		return -EINVAL;
	if (rcv.flags & MSG_COPY && (rcv.flags & MSG_EXCEPT || !(rcv.flags & IPC_NOWAIT)))
		return -EINVAL;
	int self = member_self();
	if (self < 0)
		return -ENOMEM;
	u32 index = (u32)rcv.id & (IPC_SLOTS - 1);
	if (rcv.flags & MSG_COPY) {
		u64 room = rcv.size < sysvipc_area()->limits.msgmax ? rcv.size : sysvipc_area()->limits.msgmax;
		rcv.copy = msg_claim(area, room, (u32)self, index);
		if (rcv.copy < 0)
			return rcv.copy;
		/* Linux reads the buffer that it is about to write */
		if (room && guest_read(msg_text(area, (u32)rcv.copy), rcv.buffer, room)) {
			msg_free(area, (u32)rcv.copy, index);
			return -EFAULT;
		}
	}
	set_search(&rcv);
	long result = receive_into(call, area, &rcv, (u32)self);
	if (rcv.copy >= 0)
		msg_free(area, (u32)rcv.copy, index);
	return result;
}

enum verdict sysvipc_msgrcv(struct call *call)
{
	call->ret = msgrcv(call);
	return CALL_DONE;
}
