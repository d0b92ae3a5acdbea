/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what with a set: read and alter permission by class, ownership for IPC_SET and IPC_RMID. */
#include "difftest.h"

static void try_all(const char *who, int id, key_t key)
{
	struct semid_ds ds;
	unsigned short all[2] = { 1, 1 };
	struct sembuf down = { 0, -1, IPC_NOWAIT }, up = { 0, 1, 0 }, zero = { 1, 0, IPC_NOWAIT }, far = { 9, 0, 0 };

	say("%s:", who);
	OK(semget(key, 0, 0));
	OK(semget(key, 0, 0400));
	OK(semget(key, 0, 0200));
	OK(semget(key, 0, 0600));
	SHOW(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	SHOW(semctl(id, 0, GETVAL));
	SHOW(semctl(id, 0, GETNCNT));
	SHOW(semctl(id, 0, GETALL, (union semun){ .array = all }));
	SHOW(semctl(id, 0, SETVAL, (union semun){ .val = 1 }));
	SHOW(semctl(id, 9, SETVAL, (union semun){ .val = 1 }));
	SHOW(semctl(id, 0, SETALL, (union semun){ .array = all }));
	SHOW(semop(id, &down, 1));
	SHOW(semop(id, &up, 1));
	SHOW(semop(id, &zero, 1));
	SHOW(semop(id, &far, 1));
	if (strcmp(who, "privileged") != 0 && strcmp(who, "owner") != 0) {
		SHOW(semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
		SHOW(semctl(id, 0, IPC_RMID));
	}
}

static void with_mode(unsigned int mode, int n)
{
	key_t key = some_key(n);
	int id = (int)MUST(semget(key, 2, IPC_CREAT | 0600));
	struct semid_ds ds;

	MUST(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	ds.sem_perm.uid = 1000;
	ds.sem_perm.gid = 1000;
	ds.sem_perm.mode = (unsigned short)mode;
	say("--- mode %#o", mode);
	SHOW(semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	try_all("privileged", id, key);
	AS_USER(1000, 1000, try_all("owner", id, key));
	AS_USER(2000, 1000, try_all("group", id, key));
	AS_USER(2000, 2000, try_all("other", id, key));
	sem_remove(id);
}

int main(void)
{
	static const unsigned int modes[] = { 0, 0600, 0400, 0200, 0040, 0620, 0602, 0666, 0004, 0111 };

	if (geteuid() != 0) {
		say("skip: not root");
		return 0;
	}
	for (size_t i = 0; i < COUNT(modes); i++)
		with_mode(modes[i], (int)i);
	return 0;
}
