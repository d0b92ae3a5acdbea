/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what with a queue, and who may raise its msg_qbytes. */
#include "difftest.h"

static void try_all(const char *who, int id, key_t key)
{
	struct msqid_ds ds;

	say("%s:", who);
	OK(msgget(key, 0));
	OK(msgget(key, 0400));
	OK(msgget(key, 0200));
	OK(msgget(key, 0600));
	SHOW(msgctl(id, IPC_STAT, &ds));
	SHOW(msg_send(id, 1, "hello", IPC_NOWAIT));
	msg_show("msgrcv", id, 100, 0, IPC_NOWAIT);
	msg_show("copy", id, 100, 0, IPC_NOWAIT | MSG_COPY);
	memset(&ds, 0, sizeof(ds));
	if (strcmp(who, "privileged") != 0 && strcmp(who, "owner") != 0) {
		SHOW(msgctl(id, IPC_SET, &ds));
		SHOW(msgctl(id, IPC_RMID, NULL));
	}
}

static void with_mode(unsigned int mode, int n)
{
	key_t key = some_key(n);
	int id = (int)MUST(msgget(key, IPC_CREAT | 0600));
	struct msqid_ds ds;

	MUST(msgctl(id, IPC_STAT, &ds));
	ds.msg_perm.uid = 1000;
	ds.msg_perm.gid = 1000;
	ds.msg_perm.mode = (unsigned short)mode;
	say("--- mode %#o", mode);
	SHOW(msgctl(id, IPC_SET, &ds));
	try_all("privileged", id, key);
	AS_USER(1000, 1000, try_all("owner", id, key));
	AS_USER(2000, 1000, try_all("group", id, key));
	AS_USER(2000, 2000, try_all("other", id, key));
	msg_remove(id);
}

static void raise_qbytes(void)
{
	int id = (int)MUST(msgget(IPC_PRIVATE, 0600));
	struct msqid_ds ds;

	MUST(msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 16385;
	FACT((msgctl(id, IPC_SET, &ds) == 0 || errno != EPERM) == has_capability(DIFFTEST_CAP_SYS_RESOURCE));
	ds.msg_qbytes = 16384;
	SHOW(msgctl(id, IPC_SET, &ds));
	ds.msg_qbytes = 1;
	SHOW(msgctl(id, IPC_SET, &ds));
	ds.msg_qbytes = 16384;
	SHOW(msgctl(id, IPC_SET, &ds));
	msg_remove(id);
}

int main(void)
{
	static const unsigned int modes[] = { 0, 0600, 0400, 0200, 0040, 0620, 0602, 0666, 0004, 0111 };

	raise_qbytes();
	if (geteuid() != 0) {
		say("skip: not root");
		return 0;
	}
	AS_USER(1000, 1000, raise_qbytes());
	for (size_t i = 0; i < COUNT(modes); i++)
		with_mode(modes[i], (int)i);
	return 0;
}
