/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msgget() and msgctl() (ipc/msg.c), and /proc/sysvipc/msg.
 *
 * The table's lock guards which queues exist; a queue's own lock, taken after it, guards the rest. A queue exists from the store of
 * its slot word to the clearing of it; its messages are freed after that.
 */
#include <asm/msgbuf.h>

#include "gaps/sysvipc/msg_int.h"

/* linux/msg.h, which freestanding code cannot include (see sysvipc_int.h). */
enum msg_command {
	MSG_STAT = 11,
	MSG_INFO = 12,
	MSG_STAT_ANY = 13,
};

struct msg_info { /* struct msginfo */
	s32 msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
	u16 msgseg;
};

#define MSG_POOL 512000 /* what Linux reports and does not use */
#define MSG_MAP 16384
#define MSG_TQL 16384
#define MSG_SSZ 16
#define MSG_SEG 0xffff

static void table_lock(struct msg_area *area)
{
	if (UNLIKELY(lock_take(ipc_ids_lock(&area->ids))))
		ipc_ids_rebuild(&area->ids);
}

static void table_unlock(struct msg_area *area)
{
	lock_release(ipc_ids_lock(&area->ids));
}

/* The kernel's newque(); the table is locked. Returns the id or negative errno. */
static s32 queue_new(struct msg_area *area, s32 key, int flags, const struct ipc_creds *creds, u32 self)
{
	const struct ipc_limits *limits = &sysvipc_area()->limits;
	struct msg_hold hold;
	int index = ipc_ids_reserve(&area->ids, limits->msgmni);
	if (index < 0)
		return index;
	msg_hold_slot(&hold, area, (u32)index, self);
	struct msg_queue *queue = hold.queue;
	queue->stime = 0;
	queue->rtime = 0;
	queue->ctime = agent_now();
	queue->lspid = 0;
	queue->lrpid = 0;
	queue->qbytes = limits->msgmnb;
	queue->cbytes = 0;
	queue->qnum = 0;
	queue->messages = (struct msg_chain){ 0, 0 };
	queue->receivers = (struct msg_chain){ 0, 0 };
	queue->senders = (struct msg_chain){ 0, 0 };
	ipc_perm_init(&queue->perm, creds, flags);
	s32 id = ipc_ids_publish(&area->ids, index, key);
	msg_hold_end(&hold);
	return id;
}

/* The kernel's ipcget() for queues; the table is locked. */
static s32 queue_get(struct msg_area *area, s32 key, int flags, const struct ipc_creds *creds, u32 self)
{
	int index = ipc_ids_find_key(&area->ids, key);
	if (index < 0) {
		if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
			return -ENOENT;
		return queue_new(area, key, flags, creds, self);
	}
	if (flags & IPC_CREAT && flags & IPC_EXCL)
		return -EEXIST;
	int error = ipc_perm_check(&area->queue[index].perm, creds, flags);
	return error ? error : ipc_ids_id(&area->ids, index);
}

enum verdict sysvipc_msgget(struct call *call)
{
	struct msg_area *area = msg_area();
	struct ipc_creds creds;
	int self = member_self();
	if (self < 0) {
		call->ret = -ENOMEM;
		return CALL_DONE;
	}
	ipc_creds_get(&creds);
	table_lock(area);
	call->ret = queue_get(area, (s32)call->arg[0], (int)call->arg[1], &creds, (u32)self);
	table_unlock(area);
	return CALL_DONE;
}

/* All sleepers of a chain get an error. */
static void fail_all(struct msg_hold *hold, const struct msg_chain *chain, s32 error)
{
	while (chain->first)
		msg_waiter_fail(hold, chain->first - 1, error);
}

/* The kernel's freeque(); table and queue are locked. */
static void queue_remove(struct msg_hold *hold)
{
	struct msg_queue *queue = hold->queue;
	ipc_ids_remove(&hold->area->ids, (int)hold->index);
	fail_all(hold, &queue->receivers, -EIDRM);
	fail_all(hold, &queue->senders, -EIDRM);
	while (queue->messages.first) {
		u32 first = queue->messages.first - 1;
		msg_unlink(hold, first);
		msg_free(hold->area, first, hold->index);
	}
}

void msg_remove_all(struct msg_area *area, u32 self)
{
	struct msg_hold hold;
	table_lock(area);
	for (u32 i = 0; i < area->ids.high; i++)
		if (ipc_ids_used(&area->ids, i) && msg_hold_begin(&hold, area, ipc_ids_id(&area->ids, (int)i), self) == 0) {
			queue_remove(&hold);
			msg_hold_end(&hold);
		}
	table_unlock(area);
}

/* One call of msgctl(). */
struct msgctl {
	s32 id;
	int command;
	u64 arg;
	u32 self;
	struct ipc_creds creds;
};

static int msgctl_info(struct msg_area *area, const struct msgctl *ctl)
{
	const struct ipc_limits *limits = &sysvipc_area()->limits;
	struct msg_info info = {
		.msgpool = MSG_POOL,
		.msgmap = MSG_MAP,
		.msgmax = (s32)limits->msgmax,
		.msgmnb = (s32)limits->msgmnb,
		.msgmni = (s32)limits->msgmni,
		.msgssz = MSG_SSZ,
		.msgtql = MSG_TQL,
		.msgseg = MSG_SEG,
	};
	u64 messages = 0;
	u64 bytes = 0;
	table_lock(area);
	for (u32 i = 0; ctl->command == MSG_INFO && i < area->ids.high; i++) {
		if (ipc_ids_used(&area->ids, i)) {
			messages += IPC_LOAD(area->queue[i].qnum);
			bytes += IPC_LOAD(area->queue[i].cbytes);
		}
	}
	if (ctl->command == MSG_INFO) {
		info.msgpool = (s32)area->ids.in_use;
		info.msgmap = (s32)messages;
		info.msgtql = (s32)bytes;
	}
	int highest = ipc_ids_highest(&area->ids);
	table_unlock(area);
	return guest_write(ctl->arg, &info, sizeof(info)) ? -EFAULT : highest;
}

static int msgctl_stat(struct msg_area *area, const struct msgctl *ctl)
{
	struct msg_hold hold;
	struct msqid64_ds out = { .msg_stime = 0 };
	int index = ctl->command == IPC_STAT ? ipc_ids_find(&area->ids, ctl->id) : ipc_ids_find_index(&area->ids, ctl->id);
	if (index < 0)
		return index;
	msg_hold_slot(&hold, area, (u32)index, ctl->self);
	int result = 0;
	if (hold.id < 0 || (ctl->command == IPC_STAT && hold.id != ctl->id))
		result = -EINVAL;
	else if (ctl->command != MSG_STAT_ANY)
		result = ipc_perm_check(&hold.queue->perm, &ctl->creds, IPC_READ);
	if (result == 0) {
		const struct msg_queue *queue = hold.queue;
		ipc_perm_export(&queue->perm, &area->ids, index, &out.msg_perm);
		out.msg_stime = queue->stime;
		out.msg_rtime = queue->rtime;
		out.msg_ctime = queue->ctime;
		out.msg_cbytes = queue->cbytes;
		out.msg_qnum = queue->qnum;
		out.msg_qbytes = queue->qbytes;
		out.msg_lspid = pids_shown(queue->lspid);
		out.msg_lrpid = pids_shown(queue->lrpid);
		if (ctl->command != IPC_STAT)
			result = hold.id;
	}
	msg_hold_end(&hold);
	if (result < 0)
		return result;
	return guest_write(ctl->arg, &out, sizeof(out)) ? -EFAULT : result;
}

/* IPC_SET on a locked queue whose owner the caller is. */
static int queue_set(struct msg_hold *hold, const struct msgctl *ctl, const struct msqid64_ds *from)
{
	struct msg_queue *queue = hold->queue;
	s32 qbytes = (s32)from->msg_qbytes; /* Linux cuts it off, too */
	if ((u32)qbytes > sysvipc_area()->limits.msgmnb && !(ctl->creds.caps & IPC_CAP_RESOURCE))
		return -EPERM;
	int error = ipc_perm_update(&queue->perm, &from->msg_perm);
	if (error)
		return error;
	IPC_STORE(queue->qbytes, (u64)(s64)qbytes);
	IPC_STORE(queue->ctime, agent_now());
	for (u32 link = queue->receivers.first; link; link = hold->area->waiter[link - 1].next)
		msg_waiter_retry(hold, link - 1);
	msg_senders_retry(hold);
	return 0;
}

/* IPC_SET and IPC_RMID. */
static int msgctl_down(struct msg_area *area, const struct msgctl *ctl)
{
	struct msqid64_ds from;
	struct msg_hold hold;
	if (ctl->command == IPC_SET && guest_read(&from, ctl->arg, sizeof(from)))
		return -EFAULT;
	table_lock(area);
	int result = -EINVAL;
	if (msg_hold_begin(&hold, area, ctl->id, ctl->self) == 0) {
		result = ipc_perm_check_owner(&hold.queue->perm, &ctl->creds);
		if (result == 0 && ctl->command == IPC_RMID)
			queue_remove(&hold);
		else if (result == 0)
			result = queue_set(&hold, ctl, &from);
		msg_hold_end(&hold);
	}
	table_unlock(area);
	return result;
}

static int msgctl(const struct msgctl *ctl)
{
	struct msg_area *area = msg_area();
	switch (ctl->command) {
	case IPC_INFO:
	case MSG_INFO:
		return msgctl_info(area, ctl);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return msgctl_stat(area, ctl);
	case IPC_SET:
	case IPC_RMID:
		return msgctl_down(area, ctl);
	default:
		return -EINVAL;
	}
}

enum verdict sysvipc_msgctl(struct call *call)
{
	struct msgctl ctl = { .id = (s32)call->arg[0], .command = (int)call->arg[1], .arg = call->arg[2] };
	if (ctl.id < 0 || ctl.command < 0) {
		call->ret = -EINVAL;
		return CALL_DONE;
	}
	int self = member_self();
	if (self >= 0) {
		ctl.self = (u32)self;
		ipc_creds_get(&ctl.creds);
		call->ret = msgctl(&ctl);
	} else {
		call->ret = -ENOMEM;
	}
	return CALL_DONE;
}

/* " %*lu" */
static void show_column(struct ipc_text *text, u64 value, int width)
{
	ipc_text_string(text, " ");
	ipc_text_unsigned(text, value, width);
}

void msg_show(struct ipc_text *text)
{
	struct msg_area *area = msg_area();
	int self = member_self();
	ipc_text_string(text, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
			      "      stime      rtime      ctime\n");
	for (u32 i = 0; self >= 0 && i < IPC_LOAD(area->ids.high); i++) {
		struct msg_hold hold;
		if (!ipc_ids_used(&area->ids, i))
			continue;
		msg_hold_slot(&hold, area, i, (u32)self);
		if (hold.id >= 0) {
			const struct msg_queue *queue = hold.queue;
			ipc_text_signed(text, ipc_ids_key(&area->ids, (int)i), 10);
			ipc_text_string(text, " ");
			ipc_text_signed(text, hold.id, 10);
			ipc_text_string(text, "  ");
			ipc_text_octal(text, queue->perm.mode, 4);
			ipc_text_string(text, " ");
			show_column(text, queue->cbytes, 10);
			show_column(text, queue->qnum, 10);
			show_column(text, (u32)pids_shown(queue->lspid), 5);
			show_column(text, (u32)pids_shown(queue->lrpid), 5);
			show_column(text, queue->perm.uid, 5);
			show_column(text, queue->perm.gid, 5);
			show_column(text, queue->perm.cuid, 5);
			show_column(text, queue->perm.cgid, 5);
			show_column(text, (u64)queue->stime, 10);
			show_column(text, (u64)queue->rtime, 10);
			show_column(text, (u64)queue->ctime, 10);
			ipc_text_string(text, "\n");
		}
		msg_hold_end(&hold);
	}
}
