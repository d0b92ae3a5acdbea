/* SPDX-License-Identifier: Apache-2.0 */
/* Bad pointers given to msgsnd, msgrcv and msgctl: what is refused, and whether the message survives. */
#include "difftest.h"

int main(void)
{
	struct msqid_ds ds;
	struct message *m = tail(sizeof(long) + 5);
	int id = msg_new();
	char *low = tail(sizeof(long));

	m->type = 3;
	memcpy(m->text, "hello", 5);
	SHOW(msgsnd(id, NULL, 1, 0));
	SHOW(msgsnd(id, bad_pointer(), 1, 0));
	SHOW(msgsnd(id, bad_pointer(), 0, 0));
	SHOW(msgsnd(id, m, 5, 0));
	SHOW(msgsnd(id, m, 6, 0));
	SHOW(msgsnd(0x7fffffff, m, 6, 0));
	SHOW(msgsnd(0x7fffffff, bad_pointer(), 6, 0));
	SHOW(msgsnd(-1, bad_pointer(), 6, 0));
	SHOW(msgsnd(id, m, 8193, 0));
	SHOW(msgsnd(id, m, 8192, 0));
	say_queue("one sent", id);
	memset(low, 0, sizeof(long));
	*(long *)(void *)low = 8;
	SHOW(msgsnd(id, low, 0, 0));
	SHOW(msgsnd(id, low, 1, 0));
	say_queue("two sent", id);

	SHOW(msgrcv(id, m, 4, 0, 0));
	SHOW(msgrcv(id, bad_pointer(), 100, 3, 0));
	say_queue("after EFAULT", id);
	SHOW(msgrcv(id, low, 0, 8, 0));
	SHOW(*(long *)(void *)low);
	say_queue("taken", id);
	memset(m, 0, sizeof(long) + 5);
	m->type = 4;
	MUST(msgsnd(id, m, 5, 0));
	SHOW(msgrcv(id, low, 5, 4, 0)); /* type fits, text does not */
	say_queue("after EFAULT in the text", id);
	MUST(msgsnd(id, m, 5, 0));
	SHOW(msgrcv(id, m, 100, 0, 0));
	say_queue("size is a limit, not a need", id);
	MUST(msgsnd(id, m, 5, 0));
	SHOW(msgrcv(id, read_only_copy(m, 13), 5, 0, 0));
	say_queue("read-only", id);
	MUST(msgsnd(id, m, 5, 0));
	SHOW(msgrcv(id, bad_pointer(), 100, 0, IPC_NOWAIT | MSG_COPY));
	say_queue("copy", id);
	SHOW(msgrcv(id, m, 5, 0, IPC_NOWAIT | MSG_COPY));
	SHOW(msgrcv(id, NULL, 5, 99, IPC_NOWAIT));

	MUST(msgctl(id, IPC_STAT, &ds));
	SHOW(msgctl(id, IPC_STAT, NULL));
	SHOW(msgctl(id, IPC_STAT, tail(sizeof(ds))));
	SHOW(msgctl(id, IPC_STAT, (struct msqid_ds *)(void *)((char *)tail(sizeof(ds)) + 1)));
	SHOW(msgctl(id, IPC_STAT, read_only_copy(&ds, sizeof(ds))));
	SHOW(msgctl(id, IPC_SET, NULL));
	SHOW(msgctl(id, IPC_SET, tail_copy(&ds, sizeof(ds))));
	SHOW(msgctl(id, IPC_SET, (struct msqid_ds *)(void *)((char *)tail(sizeof(ds)) + 8)));
	SHOW(msgctl(0x7fffffff, IPC_SET, NULL));
	SHOW(msgctl(0x7fffffff, IPC_STAT, NULL));
	SHOW(msgctl(0, IPC_INFO, NULL));
	FACT(msgctl(0, IPC_INFO, tail(sizeof(struct msginfo))) >= 0);
	SHOW(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)((char *)tail(sizeof(struct msginfo)) + 4)));
	msg_remove(id);
	return 0;
}
