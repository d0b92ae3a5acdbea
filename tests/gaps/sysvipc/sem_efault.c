/* SPDX-License-Identifier: Apache-2.0 */
/* Bad pointers given to semctl, and how many bytes are really touched. */
#include "difftest.h"

int main(void)
{
	int id = sem_new(3);
	struct semid_ds ds;
	unsigned short all[3] = { 1, 2, 3 };

	MUST(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	SHOW(semctl(id, 0, IPC_STAT, (union semun){ .buf = NULL }));
	SHOW(semctl(id, 0, IPC_STAT, (union semun){ .buf = bad_pointer() }));
	SHOW(semctl(id, 0, IPC_STAT, (union semun){ .buf = tail(sizeof(ds)) }));
	SHOW(semctl(id, 0, IPC_STAT, (union semun){ .any = (char *)tail(sizeof(ds)) + 1 }));
	SHOW(semctl(id, 0, IPC_STAT, (union semun){ .buf = read_only_copy(&ds, sizeof(ds)) }));
	SHOW(semctl(id, 0, IPC_SET, (union semun){ .buf = NULL }));
	SHOW(semctl(id, 0, IPC_SET, (union semun){ .buf = tail_copy(&ds, sizeof(ds)) }));
	SHOW(semctl(id, 0, IPC_SET, (union semun){ .any = (char *)tail(sizeof(ds)) + 8 }));
	SHOW(semctl(id, 0, GETALL, (union semun){ .array = NULL }));
	SHOW(semctl(id, 0, GETALL, (union semun){ .array = tail(sizeof(all)) }));
	SHOW(semctl(id, 0, GETALL, (union semun){ .any = (char *)tail(sizeof(all)) + 2 }));
	SHOW(semctl(id, 0, SETALL, (union semun){ .array = NULL }));
	SHOW(semctl(id, 0, SETALL, (union semun){ .array = tail_copy(all, sizeof(all)) }));
	say_values("values", id, 3);
	SHOW(semctl(id, 0, SETALL, (union semun){ .any = (char *)tail(sizeof(all)) + 2 }));
	say_values("values", id, 3);
	SHOW(semctl(0x7fffffff, 0, IPC_STAT, (union semun){ .buf = NULL }));
	SHOW(semctl(0x7fffffff, 0, IPC_SET, (union semun){ .buf = NULL }));
	SHOW(semctl(0x7fffffff, 0, SETALL, (union semun){ .array = NULL }));
	SHOW(semctl(-1, 0, IPC_SET, (union semun){ .buf = NULL }));
	sem_remove(id);
	return 0;
}
