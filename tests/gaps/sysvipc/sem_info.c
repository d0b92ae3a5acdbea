/* SPDX-License-Identifier: Apache-2.0 */
/* IPC_INFO and SEM_INFO: the limits, and figures that follow the sets. */
#include "difftest.h"

static void say_info(const char *what, int command)
{
	struct seminfo i;

	memset(&i, 0xee, sizeof(i));
	if (semctl(0, 0, command, (union semun){ .info = &i }) < 0) {
		say("%s: %s", what, errno_name(errno));
		return;
	}
	say("%s: map %d mni %d mns %d mnu %d msl %d opm %d ume %d vmx %d", what, i.semmap, i.semmni, i.semmns, i.semmnu, i.semmsl,
	    i.semopm, i.semume, i.semvmx);
	if (command == IPC_INFO)
		say("usz %d aem %d", i.semusz, i.semaem);
}

int main(void)
{
	struct seminfo before, after;
	int id;

	say_info("IPC_INFO", IPC_INFO);
	say_info("SEM_INFO", SEM_INFO);
	SHOW(semctl(-1, 0, IPC_INFO, (union semun){ .info = &before }));
	SHOW(semctl(-1, 0, SEM_INFO, (union semun){ .info = &before }));
	FACT(semctl(4711, -1, SEM_INFO, (union semun){ .info = &before }) >= 0);
	MUST(semctl(0, 0, SEM_INFO, (union semun){ .info = &before }));
	id = sem_new(17);
	MUST(semctl(0, 0, SEM_INFO, (union semun){ .info = &after }));
	say("one more: sets %d semaphores %d", after.semusz - before.semusz, after.semaem - before.semaem);
	sem_remove(id);
	MUST(semctl(0, 0, SEM_INFO, (union semun){ .info = &after }));
	say("removed: sets %d semaphores %d", after.semusz - before.semusz, after.semaem - before.semaem);
	SHOW(semctl(0, 0, IPC_INFO, (union semun){ .info = NULL }));
	SHOW(semctl(0, 0, SEM_INFO, (union semun){ .info = bad_pointer() }));
	FACT(semctl(0, 0, SEM_INFO, (union semun){ .info = tail(sizeof(after)) }) >= 0);
	SHOW(semctl(0, 0, SEM_INFO, (union semun){ .any = (char *)tail(sizeof(after)) + 4 }));
	return 0;
}
