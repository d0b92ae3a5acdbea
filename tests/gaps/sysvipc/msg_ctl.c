/* SPDX-License-Identifier: Apache-2.0 */
/* msgctl: IPC_STAT, IPC_SET and its limits, MSG_STAT, MSG_STAT_ANY, IPC_INFO, MSG_INFO, commands that are none. */
#include "difftest.h"

static void infos(void)
{
	struct msginfo before, after, limits;
	int id;

	memset(&limits, 0, sizeof(limits));
	FACT(msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&limits) >= 0);
	say("pool %d map %d max %d mnb %d mni %d ssz %d tql %d seg %u", limits.msgpool, limits.msgmap, limits.msgmax, limits.msgmnb,
	    limits.msgmni, limits.msgssz, limits.msgtql, limits.msgseg);
	FACT(msgctl(-1, IPC_INFO, (struct msqid_ds *)(void *)&limits) == -1 && errno == EINVAL);
	MUST(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&before));
	say("MSG_INFO: max %d mnb %d mni %d ssz %d seg %u", before.msgmax, before.msgmnb, before.msgmni, before.msgssz,
	    before.msgseg);
	id = msg_new();
	MUST(msg_send(id, 1, "four", 0));
	MUST(msg_send(id, 1, "seventeen letters", 0));
	MUST(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&after));
	say("queues %d messages %d bytes %d", after.msgpool - before.msgpool, after.msgmap - before.msgmap,
	    after.msgtql - before.msgtql);
	msg_show("one", id, 100, 0, 0);
	MUST(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&after));
	say("queues %d messages %d bytes %d", after.msgpool - before.msgpool, after.msgmap - before.msgmap,
	    after.msgtql - before.msgtql);
	msg_remove(id);
	MUST(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&after));
	say("queues %d messages %d bytes %d", after.msgpool - before.msgpool, after.msgmap - before.msgmap,
	    after.msgtql - before.msgtql);
}

static void set(int id)
{
	struct msqid_ds ds, got;

	MUST(msgctl(id, IPC_STAT, &ds));
	ds.msg_perm.mode = 07613;
	ds.msg_qnum = 99;
	ds.msg_lspid = 1;
	ds.msg_perm.cuid = 77;
	ds.msg_qbytes = 12345;
	SHOW(msgctl(id, IPC_SET, &ds));
	MUST(msgctl(id, IPC_STAT, &got));
	say_perm("set", &got.msg_perm);
	say_queue("set", id);
	ds.msg_perm.uid = (uid_t)-1;
	SHOW(msgctl(id, IPC_SET, &ds));
	ds.msg_perm.uid = getuid();
	ds.msg_qbytes = 0;
	SHOW(msgctl(id, IPC_SET, &ds));
	say_queue("qbytes 0", id);
	SHOW(msg_send(id, 1, "x", IPC_NOWAIT));
	SHOW(msg_send(id, 1, "", IPC_NOWAIT));
	ds.msg_qbytes = 16384;
	SHOW(msgctl(id, IPC_SET, &ds));
	ds.msg_qbytes = 16385;
	FACT((msgctl(id, IPC_SET, &ds) == 0 || errno != EPERM) == has_capability(DIFFTEST_CAP_SYS_RESOURCE));
	ds.msg_qbytes = (unsigned long)INT_MAX;
	FACT((msgctl(id, IPC_SET, &ds) == 0 || errno != EPERM) == has_capability(DIFFTEST_CAP_SYS_RESOURCE));
	MUST(msgctl(id, IPC_STAT, &got));
	FACT(got.msg_qbytes == (has_capability(DIFFTEST_CAP_SYS_RESOURCE) ? (unsigned long)INT_MAX : 16384));
	ds.msg_qbytes = 16384;
	SHOW(msgctl(id, IPC_SET, &ds));
	say_queue("back", id);
}

static void refused(int id)
{
	struct msqid_ds ds;

	SHOW(msgctl(id, 999, &ds));
	SHOW(msgctl(id, -1, &ds));
	SHOW(msgctl(-1, 999, &ds));
	SHOW(msgctl(-1, IPC_STAT, &ds));
	SHOW(msgctl(-1, IPC_SET, &ds));
	SHOW(msgctl(-1, IPC_RMID, NULL));
	SHOW(msgctl(-1, MSG_INFO, &ds));
	SHOW(msgctl(0x7fffffff, IPC_STAT, &ds));
	SHOW(msgctl(0x7fffffff, IPC_RMID, NULL));
	SHOW(msgctl(0x7ffffff0, MSG_STAT, &ds));
	SHOW(msgctl(0x7ffffff0, MSG_STAT_ANY, &ds));
}

int main(void)
{
	int id = msg_new(), index = -1, top;
	struct msginfo info;
	struct msqid_ds ds;

	infos();
	refused(id);
	set(id);
	top = msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&info);
	for (int i = 0; i <= top; i++)
		if (msgctl(i, MSG_STAT, &ds) == id)
			index = i;
	FACT(index >= 0);
	FACT(msgctl(index, MSG_STAT_ANY, &ds) == id);
	say("MSG_STAT_ANY: qbytes %lu mode %#o", (unsigned long)ds.msg_qbytes, ds.msg_perm.mode);
	msg_remove(id);
	SHOW(msgctl(index, MSG_STAT, &ds));
	SHOW(msgctl(id, IPC_SET, &ds));
	return 0;
}
