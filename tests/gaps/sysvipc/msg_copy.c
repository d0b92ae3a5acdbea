/* SPDX-License-Identifier: Apache-2.0 */
/* MSG_COPY: reads the message at an index without taking it, and what it may not be combined with. */
#include "difftest.h"

int main(void)
{
	struct msqid_ds before, after;
	int id = msg_new();

	MUST(msg_send(id, 4, "first", 0));
	MUST(msg_send(id, 2, "second is longer", 0));
	MUST(msg_send(id, 4, "third", 0));
	MUST(msgctl(id, IPC_STAT, &before));
	msg_show("copy 0", id, 100, 0, MSG_COPY | IPC_NOWAIT);
	msg_show("copy 1", id, 100, 1, MSG_COPY | IPC_NOWAIT);
	msg_show("copy 2", id, 100, 2, MSG_COPY | IPC_NOWAIT);
	msg_show("copy 3", id, 100, 3, MSG_COPY | IPC_NOWAIT);
	msg_show("copy -1", id, 100, -1, MSG_COPY | IPC_NOWAIT);
	msg_show("copy LONG_MAX", id, 100, LONG_MAX, MSG_COPY | IPC_NOWAIT);
	msg_show("without IPC_NOWAIT", id, 100, 0, MSG_COPY);
	msg_show("with MSG_EXCEPT", id, 100, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT);
	msg_show("too small", id, 6, 1, MSG_COPY | IPC_NOWAIT);
	msg_show("too small, cut", id, 6, 1, MSG_COPY | IPC_NOWAIT | MSG_NOERROR);
	msg_show("size 0", id, 0, 0, MSG_COPY | IPC_NOWAIT | MSG_NOERROR);
	msg_show("bigger than msgmax", id, 8192, 0, MSG_COPY | IPC_NOWAIT);
	MUST(msgctl(id, IPC_STAT, &after));
	FACT(after.msg_rtime == before.msg_rtime && after.msg_lrpid == before.msg_lrpid);
	say_queue("nothing taken", id);
	msg_show("take", id, 100, 2, 0);
	msg_show("copy 1", id, 100, 1, MSG_COPY | IPC_NOWAIT);
	say_queue("one taken", id);
	msg_remove(id);
	msg_show("removed", id, 100, 0, MSG_COPY | IPC_NOWAIT);
	msg_show("removed", id, 100, 0, MSG_COPY);
	return 0;
}
