/* SPDX-License-Identifier: Apache-2.0 */
/* semctl: every command on a live set, and what wrong numbers, values and commands answer. */
#include "difftest.h"

static void values(int id)
{
	unsigned short all[4] = { 9, 8, 7, 6 }, got[4] = { 0 };

	SHOW(semctl(id, 0, SETVAL, (union semun){ .val = 5 }));
	SHOW(semctl(id, 3, SETVAL, (union semun){ .val = 32767 }));
	SHOW(semctl(id, 1, SETVAL, (union semun){ .val = 32768 }));
	SHOW(semctl(id, 1, SETVAL, (union semun){ .val = -1 }));
	SHOW(semctl(id, 1, SETVAL, (union semun){ .val = 65536 }));
	SHOW(semctl(id, 4, SETVAL, (union semun){ .val = 1 }));
	SHOW(semctl(id, -1, SETVAL, (union semun){ .val = 1 }));
	SHOW(semctl(id, 4, SETVAL, (union semun){ .val = -1 }));
	SHOW(semctl(-1, 4, SETVAL, (union semun){ .val = -1 }));
	SHOW(semctl(0x7fffffff, 0, SETVAL, (union semun){ .val = -1 }));
	say_values("values", id, 4);
	SHOW(semctl(id, 4, GETVAL));
	SHOW(semctl(id, -1, GETVAL));
	SHOW(semctl(id, 4, GETPID));
	SHOW(semctl(id, 4, GETNCNT));
	SHOW(semctl(id, 4, GETZCNT));
	SHOW(semctl(id, 77, GETALL, (union semun){ .array = got }));
	say("all: %u %u %u %u", got[0], got[1], got[2], got[3]);
	SHOW(semctl(id, -5, SETALL, (union semun){ .array = all }));
	say_values("values", id, 4);
	all[2] = 32768;
	SHOW(semctl(id, 0, SETALL, (union semun){ .array = all }));
	all[2] = 32767;
	all[0] = 1;
	say_values("none taken", id, 4);
	SHOW(semctl(id, 0, SETALL, (union semun){ .array = all }));
	say_values("values", id, 4);
	FACT(semctl(id, 0, GETPID) == getpid());
}

static void set(int id)
{
	struct semid_ds ds, got;

	MUST(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	ds.sem_perm.mode = 07123 | 0600;
	ds.sem_nsems = 99;
	ds.sem_otime = 5;
	ds.sem_perm.cuid = 8;
	SHOW(semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	SHOW(semctl(id, 99, IPC_STAT, (union semun){ .buf = &got }));
	say_perm("set", &got.sem_perm);
	say("nsems %lu otime %s", (unsigned long)got.sem_nsems, got.sem_otime == 0 ? "0" : "set");
	ds.sem_perm.uid = (uid_t)-1;
	SHOW(semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	ds.sem_perm.uid = getuid();
	ds.sem_perm.gid = (gid_t)-1;
	SHOW(semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
}

static void refused(int id)
{
	struct semid_ds ds;
	union semun arg = { .buf = &ds };

	SHOW(semctl(id, 0, 999, arg));
	SHOW(semctl(id, 0, -1, arg));
	SHOW(semctl(-1, 0, 999, arg));
	SHOW(semctl(-1, 0, GETVAL));
	SHOW(semctl(-1, 0, IPC_STAT, arg));
	SHOW(semctl(-1, 0, IPC_RMID));
	SHOW(semctl(0x7fffffff, 0, GETVAL));
	SHOW(semctl(0x7fffffff, 0, GETALL, arg));
	SHOW(semctl(0x7fffffff, 0, SETALL, arg));
	SHOW(semctl(0x7fffffff, 0, IPC_STAT, arg));
	SHOW(semctl(0x7fffffff, 0, IPC_SET, arg));
	SHOW(semctl(0x7fffffff, 0, IPC_RMID));
	SHOW(semctl(0x7ffffff0, 0, SEM_STAT, arg));
	SHOW(semctl(0x7ffffff0, 0, SEM_STAT_ANY, arg));
	SHOW(semctl(id, 99, IPC_RMID));
	SHOW(semctl(id, 0, GETVAL));
	SHOW(semctl(id, 0, IPC_RMID));
}

int main(void)
{
	int id = sem_new(4), index = -1, top;
	struct seminfo info;
	struct semid_ds ds;

	values(id);
	set(id);
	top = semctl(0, 0, SEM_INFO, (union semun){ .info = &info });
	for (int i = 0; i <= top; i++)
		if (semctl(i, 0, SEM_STAT, (union semun){ .buf = &ds }) == id)
			index = i;
	FACT(index >= 0);
	FACT(semctl(index, 0, SEM_STAT_ANY, (union semun){ .buf = &ds }) == id);
	say("SEM_STAT_ANY: nsems %lu mode %#o", (unsigned long)ds.sem_nsems, ds.sem_perm.mode);
	refused(id);
	SHOW(semctl(index, 0, SEM_STAT, (union semun){ .buf = &ds }));
	return 0;
}
