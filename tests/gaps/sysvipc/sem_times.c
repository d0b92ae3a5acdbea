/* SPDX-License-Identifier: Apache-2.0 */
/* sem_otime and sem_ctime: what moves which. */
#include "difftest.h"

static int id;
static time_t otime, ctime_;

static void moved(const char *what)
{
	struct semid_ds ds;

	MUST(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	say("%s: otime %s, ctime %s", what,
	    ds.sem_otime == otime  ? "same"
	    : ds.sem_otime > otime ? "later"
				   : "earlier",
	    ds.sem_ctime == ctime_  ? "same"
	    : ds.sem_ctime > ctime_ ? "later"
				    : "earlier");
	otime = ds.sem_otime;
	ctime_ = ds.sem_ctime;
}

static void next_second(void)
{
	time_t start = time(NULL);

	while (time(NULL) < start + 1)
		pause_ms(5);
	pause_ms(20); /* the kernel's coarse clock may lag */
}

int main(void)
{
	struct semid_ds ds;

	id = sem_new(1);
	MUST(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	otime = ds.sem_otime;
	ctime_ = ds.sem_ctime;
	FACT(otime == 0);
	FACT(ctime_ <= time(NULL) && ctime_ + 5 > time(NULL));
	next_second();
	MUST(sem_do(id, 0, 1, 0));
	moved("semop");
	next_second();
	MUST(sem_set(id, 0, 3));
	moved("SETVAL");
	SHOW(sem_do(id, 0, -9, IPC_NOWAIT));
	MUST(sem_value(id, 0));
	moved("refused semop and GETVAL");
	next_second();
	MUST(semctl(id, 0, SETALL, (union semun){ .array = (unsigned short[]){ 4 } }));
	moved("SETALL");
	next_second();
	MUST(semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	moved("IPC_SET");
	CHILD(MUST(sem_do(id, 0, 1, SEM_UNDO)); next_second());
	moved("semop and undo at exit");
	next_second();
	MUST(sem_do(id, 0, 0 - sem_value(id, 0), 0));
	moved("decrease to zero");
	next_second();
	MUST(sem_do(id, 0, 0, 0));
	moved("wait for zero");
	sem_remove(id);
	return 0;
}
