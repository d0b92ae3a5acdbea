/* SPDX-License-Identifier: Apache-2.0 */
/* msgget: which queue a key names, which flags are refused, what a fresh queue looks like. */
#include "difftest.h"

int main(void)
{
	key_t key = some_key(1);
	struct msqid_ds ds;
	int id, other;

	SHOW(msgget(key, 0));
	SHOW(msgget(key, IPC_EXCL));
	id = (int)OK(msgget(key, IPC_CREAT | 0640));
	FACT(msgget(key, IPC_CREAT | 0640) == id);
	FACT(msgget(key, 0) == id);
	FACT(msgget(key, IPC_EXCL) == id);
	FACT(msgget(key, 0777) == id);
	SHOW(msgget(key, IPC_CREAT | IPC_EXCL | 0640));
	memset(&ds, 0xee, sizeof(ds));
	SHOW(msgctl(id, IPC_STAT, &ds));
	say_perm("msg", &ds.msg_perm);
	FACT(ds.msg_stime == 0);
	FACT(ds.msg_rtime == 0);
	FACT(ds.msg_ctime != 0);
	say_queue("fresh", id);
	SHOW(msgctl(id, IPC_RMID, NULL));
	SHOW(msgctl(id, IPC_RMID, NULL));
	SHOW(msgget(key, 0));
	id = (int)OK(msgget(IPC_PRIVATE, IPC_EXCL | 07532));
	other = msgget(IPC_PRIVATE, 0);
	FACT(other >= 0 && other != id);
	MUST(msgctl(id, IPC_STAT, &ds));
	say_perm("private", &ds.msg_perm);
	msg_remove(id);
	msg_remove(other);
	id = (int)OK(msgget(IPC_PRIVATE, IPC_CREAT | IPC_EXCL));
	msg_remove(id);
	return 0;
}
