/* SPDX-License-Identifier: Apache-2.0 */
/* semget: which set a key names, which counts and flags are refused, and with what. */
#include "difftest.h"

static void by_key(void)
{
	key_t key = some_key(1);
	int id;

	SHOW(semget(key, 3, 0));
	SHOW(semget(key, 0, 0));
	SHOW(semget(key, 0, IPC_CREAT | 0600));
	SHOW(semget(key, 0, IPC_EXCL));
	id = (int)OK(semget(key, 3, IPC_CREAT | 0640));
	FACT(semget(key, 3, IPC_CREAT | 0640) == id);
	SHOW(semget(key, 3, IPC_CREAT | IPC_EXCL | 0640));
	FACT(semget(key, 0, 0) == id);
	FACT(semget(key, 2, 0) == id);
	FACT(semget(key, 3, IPC_EXCL) == id);
	SHOW(semget(key, 4, 0));
	SHOW(semget(key, 4, IPC_CREAT | 0600));
	SHOW(semget(key, 32000, 0));
	SHOW(semget(key, 32001, 0));
	SHOW(semget(key, -1, 0));
	FACT(semget(key, 1, 0777) == id);
	SHOW(semctl(id, 0, IPC_RMID));
	SHOW(semget(key, 3, 0));
}

static void counts(void)
{
	int id;

	SHOW(semget(IPC_PRIVATE, 0, 0600));
	SHOW(semget(IPC_PRIVATE, -1, 0600));
	SHOW(semget(IPC_PRIVATE, INT_MIN, 0600));
	SHOW(semget(IPC_PRIVATE, 32001, 0600));
	SHOW(semget(IPC_PRIVATE, INT_MAX, 0600));
	id = (int)OK(semget(IPC_PRIVATE, 1, 0600));
	SHOW(semctl(id, 0, IPC_RMID));
	id = (int)OK(semget(IPC_PRIVATE, 32000, 0600));
	SHOW(semctl(id, 31999, GETVAL));
	SHOW(semctl(id, 32000, GETVAL));
	SHOW(semctl(id, 0, IPC_RMID));
}

static void fresh(void)
{
	struct semid_ds ds;
	int id = (int)OK(semget(IPC_PRIVATE, 5, IPC_EXCL | 07751));
	int other = (int)OK(semget(IPC_PRIVATE, 5, IPC_CREAT));

	FACT(id != other);
	memset(&ds, 0xee, sizeof(ds));
	SHOW(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	say_perm("sem", &ds.sem_perm);
	say("nsems %lu", (unsigned long)ds.sem_nsems);
	FACT(ds.sem_otime == 0);
	FACT(ds.sem_ctime != 0);
	say_values("values", id, 5);
	for (int i = 0; i < 5; i++)
		say("pid %d ncnt %d zcnt %d", semctl(id, i, GETPID), semctl(id, i, GETNCNT), semctl(id, i, GETZCNT));
	sem_remove(id);
	sem_remove(other);
}

int main(void)
{
	by_key();
	counts();
	fresh();
	return 0;
}
