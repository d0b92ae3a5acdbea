/* SPDX-License-Identifier: Apache-2.0 */
/* sem_otime and sem_ctime: what moves which. Each on a set of its own, so that few seconds must pass. */
#include "difftest.h"

enum { SEMOP, SETVAL_, REFUSED, SETALL_, IPC_SET_, UNDO, TO_ZERO, FOR_ZERO, SETS };

static struct set {
	int id;
	time_t otime, ctime;
} sets[SETS];

static const char *way(time_t before, time_t after)
{
	return after == before ? "same" : after > before ? "later" : "earlier";
}

static void moved(const char *what, struct set *set)
{
	struct semid_ds ds;

	MUST(semctl(set->id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	say("%s: otime %s, ctime %s", what, way(set->otime, ds.sem_otime), way(set->ctime, ds.sem_ctime));
	set->otime = ds.sem_otime;
	set->ctime = ds.sem_ctime;
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
	struct gate go = gate_new(), done = gate_new();
	pid_t pid;

	for (int i = 0; i < SETS; i++) {
		sets[i].id = sem_new(1);
		MUST(semctl(sets[i].id, 0, IPC_STAT, (union semun){ .buf = &ds }));
		sets[i].otime = ds.sem_otime;
		sets[i].ctime = ds.sem_ctime;
		FACT(ds.sem_otime == 0);
		FACT(ds.sem_ctime <= time(NULL) && ds.sem_ctime + 5 > time(NULL));
	}
	next_second();
	for (int i = 0; i < SETS; i++) {
		MUST(sem_do(sets[i].id, 0, 1, 0));
		moved("semop", &sets[i]);
	}
	pid = fork_or_die();
	if (pid == 0) {
		MUST(sem_do(sets[UNDO].id, 0, 1, SEM_UNDO));
		gate_open(&done);
		gate_wait(&go);
		_exit(0);
	}
	gate_wait(&done);
	MUST(semctl(sets[UNDO].id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	sets[UNDO].otime = ds.sem_otime;
	next_second();
	MUST(sem_do(sets[SEMOP].id, 0, 1, 0));
	moved("semop again", &sets[SEMOP]);
	MUST(sem_set(sets[SETVAL_].id, 0, 3));
	moved("SETVAL", &sets[SETVAL_]);
	SHOW(sem_do(sets[REFUSED].id, 0, -9, IPC_NOWAIT));
	MUST(sem_value(sets[REFUSED].id, 0));
	moved("refused semop and GETVAL", &sets[REFUSED]);
	MUST(semctl(sets[SETALL_].id, 0, SETALL, (union semun){ .array = (unsigned short[]){ 4 } }));
	moved("SETALL", &sets[SETALL_]);
	MUST(semctl(sets[IPC_SET_].id, 0, IPC_SET, (union semun){ .buf = &ds }));
	moved("IPC_SET", &sets[IPC_SET_]);
	gate_open(&go);
	reap(pid);
	moved("undo at exit", &sets[UNDO]);
	MUST(sem_do(sets[TO_ZERO].id, 0, -1, 0));
	moved("decrease to zero", &sets[TO_ZERO]);
	MUST(sem_set(sets[FOR_ZERO].id, 0, 0));
	moved("SETVAL to zero", &sets[FOR_ZERO]);
	next_second();
	MUST(sem_do(sets[FOR_ZERO].id, 0, 0, 0));
	moved("wait for zero", &sets[FOR_ZERO]);
	for (int i = 0; i < SETS; i++)
		sem_remove(sets[i].id);
	return 0;
}
